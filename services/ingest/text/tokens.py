"""HTML as a stream of texts and tags, by the tokeniser of the HTML standard as far as text needs it.

A tree is not built on purpose: a message needs only what comes before what, and every tree builder that
follows the standard is quadratic in the depth of nesting (a megabyte of `<div>` takes it minutes). Nothing
here looks at a character more than a fixed number of times.
"""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from html import unescape

__all__ = ["Tag", "tokens"]

_TAG_NAME = re.compile(r"[a-zA-Z][^\s/>]*")
_BETWEEN = re.compile(r"[\s/]*")
_ATTRIBUTE = re.compile(r"""([^\s/>=][^\s/>=]*)(?:\s*=\s*(?:(["'])|([^\s"'>][^\s>]*)))?""")
_DROPPED_WITH_CONTENT = frozenset({"script", "style", "title", "template", "noembed", "noframes", "iframe"})
_AFTER_HEAD = re.compile(r"</head\s*>|<body[\s>]", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Tag:
    """A tag; `name` and the names of attributes in lower case."""

    name: str
    closing: bool = False
    attributes: Mapping[str, str] = field(default_factory=dict)


def tokens(html: str) -> Iterator[str | Tag]:
    """Texts, with entities decoded, and tags in their order; comments and dropped elements leave nothing."""
    at = 0
    unclosed: set[str] = set()
    while at < len(html):
        start = html.find("<", at)
        if start < 0:
            yield unescape(html[at:])
            return
        if start > at:
            yield unescape(html[at:start])
        tag, at = _markup(html, start)
        if isinstance(tag, Tag) and not tag.closing and tag.name not in unclosed:
            after = _end_of_dropped(html, tag.name, at)
            if after is None:
                unclosed.add(tag.name)
            else:
                at = after
                continue
        if tag is not None:
            yield tag


def _markup(html: str, start: int) -> tuple[str | Tag | None, int]:
    """What begins with the `<` at `start`, and where it ends."""
    closing = html.startswith("/", start + 1)
    name = _TAG_NAME.match(html, start + 1 + closing)
    if name is not None:
        attributes, end = _attributes(html, name.end())
        return Tag(name.group().lower(), closing, attributes), end
    if html.startswith("<!--", start):
        return None, _past(html, "-->", start + 4)
    if closing or html.startswith(("<!", "<?"), start):
        return None, _past(html, ">", start + 2)
    return "<", start + 1


def _past(html: str, mark: str, start: int) -> int:
    end = html.find(mark, start)
    return len(html) if end < 0 else end + len(mark)


def _attributes(html: str, at: int) -> tuple[dict[str, str], int]:
    found: dict[str, str] = {}
    while at < len(html):
        between = _BETWEEN.match(html, at)
        at = at if between is None else between.end()
        if html.startswith(">", at):
            return found, at + 1
        one = _ATTRIBUTE.match(html, at)
        if one is None:
            at += 1
            continue
        name, quote, bare = one.groups()
        at = one.end()
        value = bare or ""
        if quote:
            close = html.find(quote, at)
            if close < 0:
                return found, len(html)
            value, at = html[at:close], close + 1
        found.setdefault(name.lower(), unescape(value))
    return found, len(html)


def _end_of_dropped(html: str, name: str, at: int) -> int | None:
    """Where the content of an element that shows nothing ends; None where the element does show."""
    if name == "head":
        after = _AFTER_HEAD.search(html, at)
        return None if after is None else after.start()
    if name not in _DROPPED_WITH_CONTENT:
        return None
    close = re.compile(rf"</{name}(?=[\s/>])", re.IGNORECASE).search(html, at)
    return len(html) if close is None else close.start()
