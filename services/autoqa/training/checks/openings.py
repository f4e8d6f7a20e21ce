"""How often the messages of a file begin alike: a sign of templates."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from services.autoqa.training.checks.duplicates import normalised
from services.autoqa.training.data import Example

WORDS: Final = 4
"""Words of an opening."""
REPEATED: Final = 3
"""Groups that begin alike, from which an opening counts as repeated."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Openings:
    """Of one file. A group counts once, since its members share words by design."""

    file: str
    openings: int
    repeated_ratio: float
    commonest: str
    times: int


def repeated_openings(examples: Sequence[Example]) -> list[Openings]:
    """A row a file, most repetitive first; messages of fewer words have no opening."""
    begun: dict[str, set[tuple[str, str]]] = {}
    for example in examples:
        words = normalised(example.message.text).split()[:WORDS]
        if len(words) == WORDS:
            begun.setdefault(example.file, set()).add((example.group, " ".join(words)))
    rows = [_row(file, Counter(opening for _, opening in found)) for file, found in begun.items()]
    return sorted(rows, key=lambda row: (-row.repeated_ratio, row.file))


def _row(file: str, counts: Counter[str]) -> Openings:
    times, commonest = min((-n, opening) for opening, n in counts.items())
    repeated = sum(n for n in counts.values() if n >= REPEATED)
    return Openings(
        file=file,
        openings=counts.total(),
        repeated_ratio=repeated / counts.total(),
        commonest=commonest,
        times=-times,
    )
