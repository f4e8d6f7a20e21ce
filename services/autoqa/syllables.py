"""Syllables by hyphenation patterns (pyphen, the patterns of LibreOffice)."""

import re
from functools import lru_cache
from typing import Final

import pyphen

from services.autoqa.proofreading import WrittenIn

__all__ = ["load_patterns", "syllables"]

_CACHED_WORDS: Final = 50_000
_VOWELS: Final = re.compile(r"[aeiouyäöüéèáó]+", re.IGNORECASE)


def load_patterns() -> None:
    """Read the patterns of both languages now: a second, else paid by the first conversation."""
    for language in ("de", "en"):
        _hyphenation(language)


@lru_cache(2)
def _hyphenation(language: WrittenIn) -> pyphen.Pyphen:
    return pyphen.Pyphen(lang="de_DE" if language == "de" else "en_US", left=1, right=1)


@lru_cache(_CACHED_WORDS)
def syllables(word: str, language: WrittenIn) -> int:
    """Places to hyphenate plus one; at least one. Overlong words count by their groups of vowels."""
    if len(word) > 60:
        return max(1, len(_VOWELS.findall(word[:400])))
    return len(_hyphenation(language).positions(word)) + 1
