"""Changes of a text that leave its labels as they are: what inboxes do to spelling, case and layout.

Pure: the same text and the same random numbers give the same result.
"""

import random
import re
from collections.abc import Callable, Mapping
from typing import Final

Augmentation = Callable[[str, random.Random], str]

_UMLAUTS: Final = str.maketrans({"ä": "ae", "ö": "oe", "ü": "ue", "Ä": "Ae", "Ö": "Oe", "Ü": "Ue", "ß": "ss"})
_BARE: Final = str.maketrans({"ä": "a", "ö": "o", "ü": "u", "Ä": "A", "Ö": "O", "Ü": "U", "ß": "s"})
_MARKS: Final = re.compile(r"(?<=\w)[.,!?;:](?=\s|$)")
_WORD: Final = re.compile(r"[^\W\d_]{4,}")
_NEIGHBOURS: Final = {
    "a": "sq", "b": "vn", "c": "xv", "d": "sf", "e": "wr", "f": "dg", "g": "fh", "h": "gj", "i": "uo",
    "k": "jl", "l": "k", "m": "n", "n": "bm", "o": "ip", "p": "o", "r": "et", "s": "ad", "t": "rz",
    "u": "zi", "v": "cb", "w": "qe", "z": "tu",
}  # fmt: skip
_MISHEARD: Final = (
    ("dass", "das"), ("das", "dass"), ("seid", "seit"), ("seit", "seid"), ("wäre", "wehre"),
    ("their", "there"), ("your", "you're"), ("you're", "your"), ("would have", "would of"),
    ("its", "it's"), ("too", "to"), ("know", "no"), ("mehr", "meer"), ("ist", "is"), ("nicht", "nich"),
    ("right", "write"), ("hear", "here"), ("buy", "by"), ("habe", "hab"), ("einen", "ein"),
)  # fmt: skip
_SIGNATURES: Final = (
    "\n\nGesendet von meinem Handy",
    "\n\nSent from my phone",
    "\n\n--\n{name}\nTel. 0{a} {b}",
    "\n\n{name}\nKundennummer {b}",
    "\n\n{name}\nAccount no. {b}",
    "\n\nVon unterwegs getippt",
)
_NAMES: Final = (
    "Jens Okafor", "Mara Lindqvist", "T. Yıldız", "Priya Nair", "A. Hofstätter", "Colm Brady",
    "Svetlana M.", "Reto Ammann", "J. Whitcombe", "Ewa Zielińska",
)  # fmt: skip
_TRAILS: Final = (
    "\n\n> Vielen Dank für Ihre Nachricht. Wir haben Ihr Anliegen unter der Nummer {b} aufgenommen.",
    "\n\n> Thank you for your message. Your request has been registered under number {b}.",
    "\n\nAm 04.03. schrieb der Kundenservice:\n> Ihre Anfrage {b} ist bei uns eingegangen.",
    "\n\nOn 4 March Customer Service wrote:\n> We received your request {b}.",
)


def typos(text: str, rng: random.Random) -> str:
    """About one word in eight gets a slip: letters swapped, dropped, doubled or hit beside."""

    def slip(match: re.Match[str]) -> str:
        word = match.group()
        if rng.random() > 0.12:
            return word
        at = rng.randrange(1, len(word) - 1)
        kind = rng.randrange(4)
        if kind == 0:
            return word[:at] + word[at + 1] + word[at] + word[at + 2 :]
        if kind == 1:
            return word[:at] + word[at + 1 :]
        if kind == 2:
            return word[:at] + word[at] + word[at:]
        return word[:at] + rng.choice(_NEIGHBOURS.get(word[at].lower(), word[at])) + word[at + 1 :]

    return _WORD.sub(slip, text)


def no_umlauts(text: str, rng: random.Random) -> str:
    """ä as ae, or as a."""
    return text.translate(_UMLAUTS if rng.random() < 0.75 else _BARE)


def lower_case(text: str, _: random.Random) -> str:
    """No capitals."""
    return text.lower()


def upper_case(text: str, _: random.Random) -> str:
    """All capitals."""
    return text.upper()


def no_punctuation(text: str, _: random.Random) -> str:
    """No marks after words."""
    return _MARKS.sub("", text)


def recognition_errors(text: str, rng: random.Random) -> str:
    """As a speech recogniser writes: lower case, no marks, some words misheard, some fillers."""
    words = no_punctuation(text, rng).lower().split()
    heard: list[str] = []
    for word in words:
        if rng.random() < 0.03:
            heard.append(rng.choice(("ähm", "also", "uh", "um", "ja", "so")))
        swap = next((to for old, to in _MISHEARD if word == old), word)
        heard.append(swap if rng.random() < 0.5 else word)
    return " ".join(heard)


def with_signature(text: str, rng: random.Random) -> str:
    """A name, number or device line below."""
    return text + rng.choice(_SIGNATURES).format(
        name=rng.choice(_NAMES), a=rng.randrange(30, 99), b=rng.randrange(100_000, 9_999_999)
    )


def with_quoted_trail(text: str, rng: random.Random) -> str:
    """An automatic answer quoted below."""
    return text + rng.choice(_TRAILS).format(b=rng.randrange(100_000, 999_999))


AUGMENTATIONS: Final[Mapping[str, Augmentation]] = {
    "typos": typos,
    "no_umlauts": no_umlauts,
    "lower_case": lower_case,
    "upper_case": upper_case,
    "no_punctuation": no_punctuation,
    "recognition_errors": recognition_errors,
    "with_signature": with_signature,
    "with_quoted_trail": with_quoted_trail,
}


def augment(text: str, rng: random.Random, *, share: float) -> str:
    """One or two changes for a share of texts, the others as they are. Capitals throughout stay rare."""
    if rng.random() >= share or not text.strip():
        return text
    names = [name for name in AUGMENTATIONS if name != "upper_case" or rng.random() < 0.3]
    for name in rng.sample(names, 1 + (rng.random() < 0.3)):
        text = AUGMENTATIONS[name](text, rng)
    return text
