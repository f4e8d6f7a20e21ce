"""Syllables by hyphenation patterns (pyphen, the patterns of LibreOffice).

English may not be hyphenated at every syllable ("cus-tomer"), so there the groups of vowels count as well.
"""

import re
from functools import lru_cache
from typing import Final

import pyphen

from services.autoqa.proofreading import WrittenIn

__all__ = ["load_patterns", "syllables"]

_CACHED_WORDS: Final = 50_000
_VOWELS: Final = re.compile(r"[aeiouyäöüéèáó]+", re.IGNORECASE)
_SILENT: Final = re.compile(r"(?<=[^aeiouy])(?:(?<!l)e|es|(?<![td])ed)$", re.IGNORECASE)
"""An e at the end that is not spoken: made, makes, asked; but not little, wanted."""


def load_patterns() -> None:
    """Read the patterns of both languages now: a second, else paid by the first conversation."""
    for language in ("de", "en"):
        _hyphenation(language)


@lru_cache(2)
def _hyphenation(language: WrittenIn) -> pyphen.Pyphen:
    return pyphen.Pyphen(lang="de_DE" if language == "de" else "en_US", left=1, right=1)


@lru_cache(_CACHED_WORDS)
def syllables(word: str, language: WrittenIn) -> int:
    """At least one. Overlong words count by their groups of vowels alone."""
    if len(word) > 60:
        return max(1, len(_VOWELS.findall(word[:400])))
    parts = len(_hyphenation(language).positions(word)) + 1
    if language == "de":
        return parts
    return max(parts, len(_VOWELS.findall(_SILENT.sub("", word))))
