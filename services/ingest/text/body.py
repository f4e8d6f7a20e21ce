"""T1 to T3 in their order.

body -> text -> lines -> first cut -> (text, quoted_text)
"""

from dataclasses import dataclass

from services.ingest.text.html_text import html_to_text
from services.ingest.text.plain import tidy
from services.ingest.text.signatures import signature_begins_at
from services.ingest.text.trails import trail_begins_at

__all__ = ["Body", "html_body", "plain_body"]


@dataclass(frozen=True, slots=True)
class Body:
    """What somebody wrote, and the part that was cut off; the two never overlap."""

    text: str
    quoted_text: str | None


def html_body(html: str, *, of_customer: bool) -> Body:
    """From HTML. A customer's signature is cut off with the trail."""
    written, trail = html_to_text(html, cut_signature=of_customer)
    return _cut(written, trail, of_customer=of_customer)


def plain_body(text: str, *, of_customer: bool) -> Body:
    """From plain text or Markdown."""
    return _cut(text, "", of_customer=of_customer)


def _cut(written: str, trail: str, *, of_customer: bool) -> Body:
    lines = tidy(written).split("\n")
    cuts = [trail_begins_at(lines), signature_begins_at(lines) if of_customer else None]
    first = min((cut for cut in cuts if cut is not None), default=len(lines))
    text = tidy("\n".join(lines[:first]))
    if not text:
        return Body(tidy(f"{written}\n{trail}"), None)
    quoted = tidy("\n".join([*lines[first:], trail]))
    return Body(text, quoted or None)
