"""Spelling and punctuation of German and English texts with the dictionaries that pyspellchecker bundles.

A word is wrong only if no dictionary, inflection or compound explains it *and* a known word is one letter
away: names, products and loan words have no such neighbour, slips do. What is no prose (addresses, numbers,
codes, capitals, quoted lines) is left out.
"""

import gzip
import re
from functools import lru_cache
from importlib.resources import files
from typing import Final

import orjson

from services.autoqa.predictions import Span
from services.autoqa.proofreading import Proofread, WrittenIn

__all__ = ["Spelling"]

_MAX_CHARS: Final = 20_000
_MAX_WORD: Final = 40
_CACHED_WORDS: Final = 50_000
_MIN_WORD: Final = 4
_MIN_COUNT: Final = 50
"""How often a neighbour must occur in the corpus of the dictionary to be what was meant."""

# Placeholders and tags, and quoted lines.
_BRACKETS: Final = re.compile(r"\{[^}\n]{1,60}\}|\[[^\]\n]{1,60}\]|<[^>\n]{1,60}>|^ ?>[^\n]*", re.MULTILINE)
_RUN: Final = re.compile(r"\S+")
# Addresses, links, handles, file names and codes.
_NO_PROSE: Final = re.compile(r"[@#/\\_\d]|^www\.|\.(?:com|de|org|net|io|pdf|html?|jpe?g|png)\W*$")
_MAX_RUN: Final = 80
_WORD: Final = re.compile(r"[^\W\d_]+(?:['’][^\W\d_]+)*")
# A comma or full stop glued to the next word, a blank before a mark, a doubled small word.
_PUNCTUATION: Final = re.compile(r"(?<=[a-zäöüß]{2})[,;](?=[^\W\d_]{2})|(?<=[^\W\d_]) [,;](?=\s)")
_DOUBLED: Final = re.compile(r"\b([^\W\d_]{2,30}) \1\b")
_MAY_DOUBLE: Final = frozenset({"that", "had", "is", "the", "die", "der", "das", "sie", "bye", "no", "so"})
_LINE_START: Final = re.compile(r"(?:^|[.!?:…\n])[\s\"'„“»(*•–-]*$")

_AFTER_TITLE: Final = re.compile(
    r"\b(?:Herrn?|Frau|Dr\.|Familie|Firma|Hallo|Hi|Hey|Liebe[rs]?|mein Name ist)\s+$"
    r"|\b(?:Herrn?|Frau|Dr\.) [^\W\d_]+[ -]$"
)
_ALPHABET: Final = {"de": "abcdefghijklmnopqrstuvwxyzäöüß", "en": "abcdefghijklmnopqrstuvwxyz"}
_ENDINGS: Final = {
    "de": ("", "e", "en", "er", "es", "em", "n", "s", "t", "te", "ten", "st", "et", "end", "ende", "enden"),
    "en": ("", "s", "es", "ed", "d", "ing", "er", "ers", "ly", "'s", "ise", "able"),
}
_LINKS: Final = ("", "s", "es", "n", "en", "er", "e")
"""Letters between the parts of a German compound (Fugenelemente)."""
_MODERN: Final = frozenset(
    {"admin", "barista", "chai", "chatbot", "ingame", "pingen", "resize", "sowas", "tech", "webshop", "wifi"}
)
"""Words of today that the dictionaries lack and that look like slips of others."""
_SHORT_PARTS: Final = frozenset(
    {"ab", "an", "auf", "aus", "bei", "ein", "mit", "um", "vor", "weg", "zu", "zum"}
)


class Spelling:
    """Proofreads; remembers what it found out about words, in a bounded memory. Thread-safe."""

    def __init__(self) -> None:
        """Reads the bundled dictionaries: about half a second and 60 MB."""
        self._known = {language: _dictionary(language) for language in ("de", "en")}
        self._is_wrong = lru_cache(_CACHED_WORDS)(self._judge)

    def proofread(self, text: str, language: WrittenIn) -> Proofread:
        """Misspelt words and marks out of place among the first 20,000 code points of `text`."""
        prose = _prose(text[:_MAX_CHARS])
        errors: list[Span] = []
        words = 0
        for match in _WORD.finditer(prose):
            words += 1
            word = match.group().replace("’", "'")
            if self._is_checked(word, prose, match.start(), language) and self._is_wrong(
                word.lower(), language
            ):
                errors.append(Span(start=match.start(), end=match.end()))
        errors += [Span(start=m.start(), end=m.end()) for m in _PUNCTUATION.finditer(prose)]
        errors += [
            Span(start=m.start(), end=m.end())
            for m in _DOUBLED.finditer(prose)
            if m.group(1).lower() not in _MAY_DOUBLE
        ]
        return Proofread(words=words, errors=tuple(sorted(errors, key=lambda span: span.start)))

    def language_of(self, text: str) -> WrittenIn | None:
        """German or English by the share of known words; None where neither knows most of them."""
        words = [match.group().lower() for match in _WORD.finditer(text[:4000])]
        if len(words) < 2:
            return None
        shares = {
            language: sum(self._known[language].get(word, 0) >= _MIN_COUNT for word in words) / len(words)
            for language in ("de", "en")
        }
        best: WrittenIn = "de" if shares["de"] > shares["en"] else "en"
        return best if shares[best] >= 0.6 else None

    def _is_checked(self, word: str, prose: str, start: int, language: WrittenIn) -> bool:
        if not _MIN_WORD <= len(word) <= _MAX_WORD or not word[1:].islower():
            return False
        if word[0].islower():
            return True
        if language == "en":
            # A capital inside an English sentence is a name.
            return _LINE_START.search(prose, max(0, start - 8), start) is not None
        # German nouns have capitals as well: left out are the short ones, what follows a title or another
        # name, and short lines, which are salutations and signatures.
        if len(word) < 6 or _AFTER_TITLE.search(prose, max(0, start - 24), start):
            return False
        begin = prose.rfind("\n", 0, start) + 1
        return prose.count(" ", begin, begin + 200 if (end := prose.find("\n", start)) < 0 else end) >= 4

    def _judge(self, word: str, language: WrittenIn) -> bool:
        known = self._known[language]
        if self._is_explained(word, language) or (language == "de" and _is_compound(word, known)):
            return False
        other: WrittenIn = "en" if language == "de" else "de"
        if word in self._known[other]:
            return False
        return any(known.get(near, 0) >= _MIN_COUNT for near in _neighbours(word, _ALPHABET[language]))

    def _is_explained(self, word: str, language: WrittenIn) -> bool:
        known = self._known[language]
        if word in known or word in _MODERN or word.removesuffix("'s") in known:
            return True
        if language == "en" and _americanised(word) in known:
            return True
        # Swiss spelling, and the vowel that speech swallows ("hätt", "heut").
        if language == "de" and (
            word.replace("ss", "ß") in known or f"{word}e" in known or f"{word}t" in known
        ):
            return True
        return any(
            word.endswith(ending)
            and len(word) - len(ending) >= 4
            and word[: len(word) - len(ending)] in known
            for ending in _ENDINGS[language]
        )


def _dictionary(language: str) -> dict[str, int]:
    packed = files("spellchecker").joinpath("resources", f"{language}.json.gz").read_bytes()
    words: dict[str, int] = orjson.loads(gzip.decompress(packed))
    return words


def _prose(text: str) -> str:
    """The text with blanks in place of all that is no prose, so that positions stay."""
    text = _BRACKETS.sub(_blank, text)
    return _RUN.sub(lambda run: run.group() if _is_prose(run.group()) else _blank(run), text)


def _is_prose(run: str) -> bool:
    return len(run) <= _MAX_RUN and _NO_PROSE.search(run) is None


def _blank(match: re.Match[str]) -> str:
    return " " * len(match.group())


def _americanised(word: str) -> str:
    """British to American spelling, as the dictionary is American: apologise, colour, centre, cancelled."""
    word = word.replace("isation", "ization").replace("our", "or").replace("ll", "l").replace("ogue", "og")
    word = re.sub(r"(?<=[a-z]t)re(s?)$", r"er\1", word)
    return re.sub(r"(?<=[a-z]{3})([iy])s(e[drs]?|ing)$", r"\1z\2", word)


def _is_compound(word: str, known: dict[str, int]) -> bool:
    """Two or three known parts with the letters that join them; each part of four letters or a prefix."""
    return _splits(word, known, 3)


def _splits(word: str, known: dict[str, int], parts: int) -> bool:
    if len(word) >= 3 and known.get(word, 0) > 0 and parts < 3:
        return True
    if parts == 1 or len(word) < 6:
        return False
    for cut in range(2, len(word) - 2):
        head = word[:cut]
        if not _is_part(head, known):
            continue
        if _splits(word[cut:], known, parts - 1):
            return True
    return False


def _is_part(head: str, known: dict[str, int]) -> bool:
    if head in _SHORT_PARTS:
        return True
    return any(
        head.endswith(link)
        and len(head) - len(link) >= 4
        and known.get(head[: len(head) - len(link)], 0) >= 5
        for link in _LINKS
    )


def _neighbours(word: str, alphabet: str) -> set[str]:
    """All strings one deletion, swap, replacement or insertion away (Norvig 2007)."""
    cuts = [(word[:at], word[at:]) for at in range(len(word) + 1)]
    found = {left + right[1:] for left, right in cuts if right}
    found |= {left + right[1] + right[0] + right[2:] for left, right in cuts if len(right) > 1}
    for letter in alphabet:
        found |= {left + letter + right[1:] for left, right in cuts if right}
        found |= {left + letter + right for left, right in cuts}
    found.discard(word)
    return found
