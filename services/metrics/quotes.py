"""Evidence with the words it points at, cut out when asked for: no copy of customers' words is kept."""

from collections.abc import Iterable, Mapping

from pydantic import BaseModel, Field

from shared.domain.evidence import EvidenceSpan


class Evidence(BaseModel):
    """Where the words stand that prove something, and the words."""

    message_id: str = Field(description="The message, unique in its conversation.", examples=["m1"])
    start: int = Field(description="First code point of the quote in the message's text.", examples=[4])
    end: int = Field(description="Code point after the quote.", examples=[47])
    quote: str = Field(
        description="`text[start:end]`; empty where the message was deleted or has become shorter since.",
        examples=["I am going to cancel my contract"],
    )


def quoted(spans: Iterable[EvidenceSpan], texts: Mapping[str, str]) -> list[Evidence]:
    """`texts` is by message id; what is missing there has no words any more."""
    return [
        Evidence(
            message_id=span.message_id,
            start=span.start,
            end=span.end,
            quote=_quote(texts.get(span.message_id, ""), span),
        )
        for span in spans
    ]


def _quote(text: str, span: EvidenceSpan) -> str:
    # A span that no longer fits belongs to an earlier text: half of it would be a false quote.
    return text[span.start : span.end] if 0 <= span.start <= span.end <= len(text) else ""
