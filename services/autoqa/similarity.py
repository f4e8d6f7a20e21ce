"""How alike two sentences are, by their letters: enough to see the same question asked twice."""

import re
from collections import Counter
from collections.abc import Iterator
from typing import Final

from services.autoqa.predictions import Span

__all__ = ["Question", "questions", "similarity"]

_MAX_QUESTION: Final = 300
_MAX_CHARS: Final = 8000
_MIN_LETTERS: Final = 12

Question = tuple[Span, Counter[str]]
"""Where a question stands and its trigrams."""


def questions(text: str) -> Iterator[Question]:
    """Questions with enough letters to compare, among the first 8,000 code points."""
    read = text[:_MAX_CHARS]
    begin = 0
    while (mark := read.find("?", begin)) >= 0:
        start = max(begin, mark - _MAX_QUESTION, *(read.rfind(end, begin, mark) + 1 for end in ".!\n"))
        begin = mark + 1
        while start < mark and read[start].isspace():
            start += 1
        grams = trigrams(read[start:mark])
        if grams.total() >= _MIN_LETTERS:
            yield Span(start=start, end=mark + 1), grams


def trigrams(text: str) -> Counter[str]:
    """Letter trigrams of the words in lower case, word borders included."""
    words = re.findall(r"\w+", text.casefold())
    return Counter(gram for word in words for gram in _grams(f" {word} "))


def similarity(left: Counter[str], right: Counter[str]) -> float:
    """Dice coefficient of two bags of trigrams, 0..1 (Dice 1945)."""
    total = left.total() + right.total()
    return 2 * (left & right).total() / total if total else 0.0


def _grams(word: str) -> Iterator[str]:
    for start in range(len(word) - 2):
        yield word[start : start + 3]
