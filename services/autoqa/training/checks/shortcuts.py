"""Whether single words give a label away: a bag of words beside the encoder.

texts of a role and language | five folds by group | TF-IDF of words and word pairs | logistic regression
a label | decisions on messages that it has not learnt from | F1
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import f1_score
from sklearn.model_selection import GroupKFold

from services.autoqa.model.labels import FLAGS_AT, LABELS, SENTIMENT_AT, SIGNALS_AT, TONE_AT
from services.autoqa.training.checks.label_statistics import LANGUAGES
from services.autoqa.training.data import SEED, Example

CLEARLY: Final = 0.05
"""So much F1 the bag of words must stay below the encoder."""
FOLDS: Final = 5
_HARD: Final = re.compile(
    r"train\.customer\.(de\.[def]|en\.[cdf])|train\.agent\.(de\.d|en\.c)|train\..*\.(pairs\d?|plain)"
)
"""Understated or contextual labels, near misses, pairs, and ordinary messages that tempt to false alarms."""

Bools = NDArray[np.bool_]


@dataclass(frozen=True, slots=True, kw_only=True)
class Shortcut:
    """One label in one language. `encoder` is its F1 in the report, `measured` the bag's on the files there.

    `f1` is the bag's on all messages and `hard` on the hard part; None where there are none.
    """

    label: str
    language: str
    positives: int
    f1: float
    hard: float | None
    measured: float | None
    encoder: float | None

    @property
    def is_clear(self) -> bool:
        """Nothing to compare with counts as clear."""
        return self.encoder is None or self.measured is None or self.encoder - self.measured >= CLEARLY


@dataclass(frozen=True, slots=True, kw_only=True)
class FileShortcut:
    """One file of the hard part: F1 over all decisions of a head; `encoder` None where not in the report."""

    file: str
    head: str
    n: int
    f1: float
    encoder: float | None


def is_hard(file: str) -> bool:
    """Whether a data file (without its ending) belongs to the hard part."""
    return _HARD.fullmatch(file) is not None


def bag_of_words(examples: Sequence[Example]) -> Bools:
    """Decisions, a row a message and a column a label, each by a model that saw nothing of its group.

    False where a role has no such label, and where there are too few groups to fold.
    """
    decided = np.zeros((len(examples), len(LABELS)), dtype=np.bool_)
    for language in LANGUAGES:
        for heads in ((SENTIMENT_AT, FLAGS_AT), (SIGNALS_AT, TONE_AT)):
            owed = [
                i
                for i, example in enumerate(examples)
                if example.language == language and example.targets[heads[0].start] is not None
            ]
            if len({examples[i].group for i in owed}) >= FOLDS:
                decided[owed] = _cross_validated([examples[i] for i in owed], heads)
    return decided


def shortcuts(examples: Sequence[Example], decided: Bools, report: Mapping[str, Any]) -> list[Shortcut]:
    """A row a label and language; `report` is that of `evaluate`, or empty."""
    encoder = {(row["label"], row["language"]): row["f1"] for row in report.get("labels", ())}
    true = _true(examples)
    files = np.array([example.file for example in examples])
    languages = np.array([example.language for example in examples])
    hard = np.array([is_hard(file) for file in files])
    measured = np.isin(files, list(report.get("files", ())))
    rows: list[Shortcut] = []
    for i, label in enumerate(LABELS):
        owed = np.array([example.targets[i] is not None for example in examples])
        for language in LANGUAGES:
            here = owed & (languages == language)
            rows.append(
                Shortcut(
                    label=label,
                    language=language,
                    positives=int(true[here, i].sum()),
                    f1=_f1(true[here, i], decided[here, i]) or 0.0,
                    hard=_f1(true[here & hard, i], decided[here & hard, i]),
                    measured=_f1(true[here & measured, i], decided[here & measured, i]),
                    encoder=encoder.get((label, language)),
                )
            )
    return rows


def file_shortcuts(
    examples: Sequence[Example], decided: Bools, report: Mapping[str, Any]
) -> list[FileShortcut]:
    """A row a hard file: flags of customers, signals of agents, pooled as the report pools them."""
    true = _true(examples)
    rows: list[FileShortcut] = []
    for file in sorted({example.file for example in examples if is_hard(example.file)}):
        chosen = [i for i, example in enumerate(examples) if example.file == file]
        head, at = ("signals", SIGNALS_AT) if ".agent." in file else ("flags", FLAGS_AT)
        rows.append(
            FileShortcut(
                file=file,
                head=head,
                n=len(chosen),
                f1=_f1(true[chosen, at].ravel(), decided[chosen, at].ravel()) or 0.0,
                encoder=report.get("files", {}).get(file, {}).get(head),
            )
        )
    return rows


def _cross_validated(examples: Sequence[Example], heads: Sequence[slice]) -> Bools:
    texts = [example.message.text for example in examples]
    groups = [example.group for example in examples]
    true = _true(examples)
    decided = np.zeros_like(true)
    folds = GroupKFold(FOLDS, shuffle=True, random_state=SEED)
    for learn, judge in folds.split(texts, groups=groups):
        words = TfidfVectorizer(ngram_range=(1, 2), min_df=2, sublinear_tf=True)
        learnt = words.fit_transform([texts[i] for i in learn])
        judged = words.transform([texts[i] for i in judge])
        for at in heads:
            margins = np.column_stack(
                [_margins(learnt, true[learn, i], judged) for i in range(at.start, at.stop)]
            )
            choice = at in (SENTIMENT_AT, TONE_AT)
            decided[judge, at] = margins == margins.max(axis=1, keepdims=True) if choice else margins > 0
    return decided


def _margins(learnt: Any, true: Bools, judged: Any) -> NDArray[np.float64]:
    """Above 0 where the label is more likely true than not, rare labels weighed up."""
    if true.all() or not true.any():
        return np.full(judged.shape[0], 1.0 if true.all() else -1.0)
    model = LogisticRegression(C=10, class_weight="balanced", solver="liblinear", random_state=SEED)
    margins: NDArray[np.float64] = model.fit(learnt, true).decision_function(judged)
    return margins


def _true(examples: Sequence[Example]) -> Bools:
    return np.array([[bool(target) for target in example.targets] for example in examples], dtype=np.bool_)


def _f1(true: Bools, decided: Bools) -> float | None:
    """None without messages."""
    return float(f1_score(true, decided, zero_division=0.0)) if len(true) else None
