"""Messages that stand in the data more than once, word for word or nearly."""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
from sklearn.feature_extraction.text import CountVectorizer

from services.autoqa.training.data import Example

SIMILAR: Final = 0.6
"""Share of common letter groups (Jaccard) from which two messages count as near-duplicates."""
LETTERS: Final = 5
"""Length of those letter groups."""
MIN_LENGTH: Final = 20
"""Letters of a normalised message; shorter ones ("danke dir") are alike by nature."""
_ROWS: Final = 256


@dataclass(frozen=True, slots=True, kw_only=True)
class NearDuplicate:
    """Two messages of different groups; `similarity` from SIMILAR to 1."""

    first: Example
    second: Example
    similarity: float


def normalised(text: str) -> str:
    """Words in lower case, without marks: what is left when only the typing differs."""
    return " ".join(re.findall(r"\w+", text.lower()))


def contradictions(examples: Sequence[Example]) -> list[tuple[Example, ...]]:
    """Messages with the same role, words and earlier turns, but different labels."""
    same: dict[tuple[str, ...], list[Example]] = {}
    for example in examples:
        message = example.message
        turns = (f"{turn.role}: {normalised(turn.text)}" for turn in message.context)
        same.setdefault((message.role, normalised(message.text), *turns), []).append(example)
    return [tuple(alike) for alike in same.values() if len({one.targets for one in alike}) > 1]


def near_duplicates(examples: Sequence[Example], *, similar: float = SIMILAR) -> list[NearDuplicate]:
    """Most similar first, each language apart; members of a group share words by design and are left out."""
    found: list[NearDuplicate] = []
    for language in sorted({example.language for example in examples}):
        long = [
            example
            for example in examples
            if example.language == language and len(normalised(example.message.text)) >= MIN_LENGTH
        ]
        for i, j, similarity in _similar_pairs([example.message.text for example in long], similar):
            if long[i].group != long[j].group:
                found.append(NearDuplicate(first=long[i], second=long[j], similarity=similarity))
    return sorted(found, key=lambda pair: (-pair.similarity, pair.first.id, pair.second.id))


def _similar_pairs(texts: Sequence[str], similar: float) -> Iterator[tuple[int, int, float]]:
    """Exact: each text is compared with all whose size lets them be as similar as that."""
    if not texts:
        return
    counter = CountVectorizer(
        analyzer="char",
        ngram_range=(LETTERS, LETTERS),
        preprocessor=normalised,
        binary=True,
        dtype=np.float32,
    )
    grams = counter.fit_transform(texts)
    sizes = np.asarray(grams.sum(axis=1)).ravel()
    order = np.argsort(sizes, kind="stable")
    grams, sizes = grams[order], sizes[order]
    for start in range(0, len(order), _ROWS):
        stop = min(len(order), start + _ROWS)
        end = int(np.searchsorted(sizes, sizes[stop - 1] / similar, side="right"))
        common = (grams[start:stop] @ grams[start:end].T).tocoo()
        jaccard = common.data / (sizes[start + common.row] + sizes[start + common.col] - common.data)
        kept = (jaccard >= similar) & (common.col > common.row)
        for row, column, value in zip(common.row[kept], common.col[kept], jaccard[kept], strict=True):
            first, second = sorted((int(order[start + row]), int(order[start + column])))
            yield first, second, float(value)
