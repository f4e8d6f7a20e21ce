"""Cuts a text into sentences, the units of evidence: exact code point ranges, no character changed."""

import re
from typing import Final

from services.autoqa.predictions import Span

MAX_SENTENCE_CHARS: Final = 400
"""A run without an end mark (a phone transcript, a pasted log) is cut near this many code points."""

# A sentence ends after . ! ? … with closing quotes before white space, or at a line break. A digit or a
# single letter before the full stop ("am 3. Mai", "z. B.", "J. Weber") does not end one.
_END: Final = re.compile(r"(?:(?<![\s.]\w)(?<![0-9])[.]|[!?…]|\.{2,})+[\"'“”»)\]]*(?=\s)|\s*\n+\s*")
_ABBREVIATIONS: Final = frozenset(
    {
        "dr",
        "prof",
        "mr",
        "mrs",
        "ms",
        "nr",
        "no",
        "str",
        "ca",
        "bzw",
        "inkl",
        "zzgl",
        "st",
        "hr",
        "fr",
        "tel",
        "vgl",
    }
)


def split_sentences(text: str, start: int = 0, end: int | None = None) -> list[Span]:
    """Sentences of `text[start:end]` in order, without the white space around them; none for a blank text."""
    end = len(text) if end is None else end
    spans: list[Span] = []
    begin = start
    for match in _END.finditer(text, start, end):
        if match.group().startswith(".") and _ends_in_abbreviation(text, begin, match.start()):
            continue
        _append(spans, text, begin, match.end())
        begin = match.end()
    _append(spans, text, begin, end)
    return spans


def _ends_in_abbreviation(text: str, begin: int, stop: int) -> bool:
    word_start = stop
    while word_start > max(begin, stop - 8) and text[word_start - 1].isalpha():
        word_start -= 1
    return text[word_start:stop].lower() in _ABBREVIATIONS


def _append(spans: list[Span], text: str, start: int, end: int) -> None:
    while start < end and text[start].isspace():
        start += 1
    while end > start and text[end - 1].isspace():
        end -= 1
    while end - start > MAX_SENTENCE_CHARS:
        cut = text.rfind(" ", start + 1, start + MAX_SENTENCE_CHARS)
        cut = cut if cut > start else start + MAX_SENTENCE_CHARS
        spans.append(Span(start=start, end=cut))
        start = cut
        while start < end and text[start].isspace():
            start += 1
    if start < end:
        spans.append(Span(start=start, end=end))
