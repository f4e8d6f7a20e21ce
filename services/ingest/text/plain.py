"""The last step of T1, for plain text and for text from HTML alike."""

import re

from shared.contracts.plain_json import clean_text

__all__ = ["tidy"]

_EMPTY_LINES = re.compile(r"\n{3,}")
_REPLACED = {0xA0: " ", 0x200B: None}


def tidy(text: str) -> str:
    """No-break spaces become spaces, U+200B goes, one empty line at most, trimmed."""
    text = clean_text(text).replace("\r\n", "\n").replace("\r", "\n").translate(_REPLACED)
    lines = "\n".join(line.rstrip() for line in text.split("\n"))
    return _EMPTY_LINES.sub("\n\n", lines).strip()
