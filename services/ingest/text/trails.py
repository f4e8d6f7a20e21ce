"""T2 on lines: where the trail of earlier mails begins."""

import re

__all__ = ["trail_begins_at"]

_LONGEST_INTRODUCTION = 500
_DASHED = frozenset(
    {
        "original message",
        "original appointment",
        "original-nachricht",
        "originalnachricht",
        "ursprüngliche nachricht",
        "ursprünglicher termin",
        "forwarded message",
        "forwarded by",
        "weitergeleitete nachricht",
        "weitergeleitete mail",
        "weitergeleitet von",
    }
)
_FORWARDED = frozenset({"begin forwarded message:", "anfang der weitergeleiteten nachricht:"})
_SENDER = re.compile(r"\*?(?:From|Von):")
_SENT = re.compile(r"\*?(?:Sent|Gesendet|Date|Datum):")
_WITHIN = 4


def trail_begins_at(lines: list[str]) -> int | None:
    """The first line of the quoted trail, None where there is none."""
    return next((at for at in range(len(lines)) if _begins(lines, at)), None)


def _begins(lines: list[str], at: int) -> bool:
    line = lines[at].lstrip()
    if not line:
        return False
    return (
        lines[at].startswith(">")
        or _is_introduction(line, lines[at + 1] if at + 1 < len(lines) else "")
        or _is_separator(line)
        or _is_header(line, lines[at + 1 : at + 1 + _WITHIN])
        or 0 <= line.find("##-") < line.rfind("-##")
    )


def _is_introduction(line: str, following: str) -> bool:
    """`On … wrote:` or `Am … schrieb …:`, in one line or in two."""
    if not line.startswith(("On ", "Am ")) or len(line) > _LONGEST_INTRODUCTION:
        return False
    return _introduces(line) or (
        0 < len(following) <= _LONGEST_INTRODUCTION
        and not line.endswith((".", ":", "!", "?"))
        and _introduces(f"{line} {following.strip()}")
    )


def _introduces(line: str) -> bool:
    if not line.endswith(":"):
        return False
    if line.startswith("On "):
        return line.endswith((" wrote:", ">wrote:")) and not line.endswith(" I wrote:")
    # "Am Montag schrieb ich Ihnen:" is the writer's own sentence.
    wrote = " schrieb " in line[:-1] + " " and " schrieb ich " not in line
    return wrote or line.endswith(" geschrieben:")


def _is_separator(line: str) -> bool:
    if line.startswith("--") and line.endswith("-"):
        return line.strip("- ").casefold() in _DASHED
    return line.casefold() in _FORWARDED


def _is_header(line: str, following: list[str]) -> bool:
    return _SENDER.match(line) is not None and any(_SENT.match(other.lstrip()) for other in following)
