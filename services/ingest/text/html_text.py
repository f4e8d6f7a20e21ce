"""T1: HTML to the text a reader sees, split where a quoted trail or a signature begins."""

import re
from collections.abc import Mapping

from services.ingest.text.tokens import Tag, tokens

__all__ = ["html_to_text"]

_BLOCKS = frozenset(
    (
        *(
            "address",
            "article",
            "aside",
            "blockquote",
            "caption",
            "center",
            "dd",
            "details",
            "div",
            "dl",
            "dt",
        ),
        *("fieldset", "figcaption", "figure", "footer", "form", "h1", "h2", "h3", "h4", "h5", "h6", "header"),
        *("hr", "li", "main", "menu", "nav", "ol", "p", "pre", "section", "summary", "table", "tbody"),
        *("tfoot", "thead", "tr", "ul"),
    )
)
_CELLS = frozenset({"td", "th"})
_SPACE = re.compile(r"[ \t\n\r\f]+")
_QUOTE_CLASSES = ("gmail_quote", "yahoo_quoted", "moz-cite-prefix")
_QUOTE_IDS = frozenset({"divrplyfwdmsg", "appendonsend"})


def html_to_text(html: str, *, cut_signature: bool) -> tuple[str, str]:
    """The text before and from the first quoted trail; with `cut_signature` a signature ends it as well."""
    lines = _Lines()
    split: int | None = None
    for token in tokens(html):
        if isinstance(token, str):
            lines.write(token)
            continue
        if split is None and not token.closing and _begins_trail(token, cut_signature):
            split = lines.length
        lines.tag(token)
    text = lines.text()
    return (text, "") if split is None else (text[:split], text[split:])


def _begins_trail(tag: Tag, cut_signature: bool) -> bool:
    attributes = tag.attributes
    if not attributes:
        return False
    if tag.name == "blockquote" and attributes.get("type", "").strip().lower() == "cite":
        return True
    if attributes.get("id", "").lower() in _QUOTE_IDS:
        return True
    classes = attributes.get("class", "").split()
    if any(name.startswith(_QUOTE_CLASSES) for name in classes):
        return True
    return cut_signature and _begins_signature(tag.name, attributes, classes)


def _begins_signature(name: str, attributes: Mapping[str, str], classes: list[str]) -> bool:
    return "data-signature" in attributes or (name == "span" and "js-signatureMarker" in classes)


class _Lines:
    """What has been written so far, and whether the present line shows anything yet."""

    def __init__(self) -> None:
        self._parts: list[str] = []
        self._empty = True
        self._bullet = False
        self._spaced = True
        self._verbatim = 0
        self.length = 0

    def text(self) -> str:
        return "".join(self._parts)

    def tag(self, tag: Tag) -> None:
        name = tag.name
        if name == "br":
            self._newline()
        elif name in _CELLS:
            self.write(" ")
        elif name in _BLOCKS:
            if not self._empty:
                self._newline()
            if name == "li" and not tag.closing and not self._bullet:
                self._put("- ")
                self._bullet = self._spaced = True
            if name == "pre":
                self._verbatim = max(0, self._verbatim + (-1 if tag.closing else 1))

    def write(self, text: str) -> None:
        if self._verbatim:
            return self._write_verbatim(text)
        text = _SPACE.sub(" ", text)
        if self._spaced:
            text = text.removeprefix(" ")
        if not text:
            return None
        self._put(text)
        self._spaced = text.endswith(" ")
        self._empty = self._empty and text.isspace()
        return None

    def _write_verbatim(self, text: str) -> None:
        text = text.replace("\r\n", "\n")
        if text:
            self._put(text)
            last = text.rpartition("\n")[2]
            self._empty = not last.strip() and ("\n" in text or self._empty)
            self._spaced = self._empty
            self._bullet = self._bullet and self._empty and "\n" not in text

    def _newline(self) -> None:
        self._put("\n")
        self._empty = self._spaced = True
        self._bullet = False

    def _put(self, text: str) -> None:
        self._parts.append(text)
        self.length += len(text)
