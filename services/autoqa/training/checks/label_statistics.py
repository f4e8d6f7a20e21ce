"""How often labels hold, and which of them come together."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations
from typing import Final

import numpy as np
from numpy.typing import NDArray

from services.autoqa.model.labels import FLAGS_AT, LABELS, SENTIMENT_AT, SENTIMENTS, SIGNALS_AT
from services.autoqa.training.data import Example, true_labels

CORRELATED: Final = 0.3
"""Correlation (phi), of either sign, from which two labels are told together."""
LANGUAGES: Final = ("de", "en")


@dataclass(frozen=True, slots=True, kw_only=True)
class Correlation:
    """Two labels of one role; phi by language, -1 to 1, 0 where a label never or always holds."""

    first: str
    second: str
    by_language: Mapping[str, float]


@dataclass(frozen=True, slots=True, kw_only=True)
class FlagFeelings:
    """Of the `n` messages with a flag, how many have which sentiment; the shares add up to 1."""

    flag: str
    n: int
    shares: Mapping[str, float]


def positives(examples: Sequence[Example]) -> dict[str, dict[str, int]]:
    """Messages for which a label holds: label, then language."""
    counts = {
        language: Counter(
            label for example in examples if example.language == language for label in true_labels(example)
        )
        for language in LANGUAGES
    }
    return {label: {language: counts[language][label] for language in LANGUAGES} for label in LABELS}


def correlations(examples: Sequence[Example]) -> list[Correlation]:
    """Pairs that correlate in a language, strongest first; the exclusive choices of one head are left out."""
    targets = {language: _targets(examples, language) for language in LANGUAGES}
    found: list[Correlation] = []
    for i, j in combinations(range(len(LABELS)), 2):
        if _exclusive(i, j) or _customers(i) != _customers(j):
            continue
        phi = {language: _phi(targets[language][:, i], targets[language][:, j]) for language in LANGUAGES}
        if max(map(abs, phi.values())) > CORRELATED:
            found.append(Correlation(first=LABELS[i], second=LABELS[j], by_language=phi))
    return sorted(found, key=lambda one: -max(map(abs, one.by_language.values())))


def feelings_by_flag(examples: Sequence[Example]) -> list[FlagFeelings]:
    """Whether a flag could be guessed from the sentiment, or the other way round."""
    rows: list[FlagFeelings] = []
    for i in range(FLAGS_AT.start, FLAGS_AT.stop):
        counts = Counter(
            LABELS[SENTIMENT_AT.start + k]
            for example in examples
            if example.targets[i]
            for k in range(len(SENTIMENTS))
            if example.targets[SENTIMENT_AT.start + k]
        )
        shares = {str(s): counts[f"sentiment.{s}"] / max(1, counts.total()) for s in SENTIMENTS}
        rows.append(FlagFeelings(flag=LABELS[i], n=counts.total(), shares=shares))
    return rows


def _targets(examples: Sequence[Example], language: str) -> NDArray[np.float64]:
    rows = [
        [np.nan if target is None else target for target in example.targets]
        for example in examples
        if example.language == language
    ]
    return np.array(rows, dtype=np.float64).reshape(-1, len(LABELS))


def _phi(first: NDArray[np.float64], second: NDArray[np.float64]) -> float:
    owed = ~np.isnan(first) & ~np.isnan(second)
    a, b = first[owed], second[owed]
    if not len(a) or a.std() == 0 or b.std() == 0:
        return 0.0
    return float(np.corrcoef(a, b)[0, 1])


def _exclusive(i: int, j: int) -> bool:
    heads = {LABELS[i].partition(".")[0], LABELS[j].partition(".")[0]}
    return heads in ({"sentiment"}, {"tone"})


def _customers(i: int) -> bool:
    return i < SIGNALS_AT.start
