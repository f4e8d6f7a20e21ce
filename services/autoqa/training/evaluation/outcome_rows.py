"""Resolved and satisfaction, by whole conversations."""

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from services.autoqa.model.files import OUTCOME
from services.autoqa.model.onnx_runtime import load_onnx_model
from services.autoqa.model.outcome import OutcomeWeights
from services.autoqa.training.data import LabelledConversation, load_conversations, split_conversations
from services.autoqa.training.evaluation.bootstrap import interval, resampled_f1, resampled_ratio
from services.autoqa.training.evaluation.targets import CSAT_WITHIN_ONE_RATIO, EVERY_LANGUAGE, RESOLVED_F1
from services.autoqa.training.outcome import Guess, cross_validated, guesses, outcome_scores, turns_of
from shared.domain.labels import Resolved

Floats = NDArray[np.float64]


@dataclass(frozen=True, slots=True, kw_only=True)
class OutcomeRow:
    """`how`: `held out` (neither encoder nor heads saw them) or `cross-validated` (the heads did not)."""

    how: str
    language: str
    scores: dict[str, float]
    resolved_interval: tuple[float, float]
    resolved_reached: bool
    within_one_interval: tuple[float, float]
    within_one_reached: bool


def outcome_rows(folder: Path, *, threads: int) -> list[OutcomeRow]:
    """The shipped heads on the held-out conversations; heads of ten folds on all of them."""
    model = load_onnx_model(folder, threads=threads)
    parts = split_conversations(load_conversations())
    dev_turns, train_turns = turns_of(parts["dev"], model), turns_of(parts["train"], model)
    held = guesses(OutcomeWeights.load(folder / OUTCOME), dev_turns)
    everything = parts["dev"] + parts["train"]
    folded = cross_validated(dev_turns + train_turns, everything)
    return [
        outcome_row(how, language, found, conversations)
        for how, found, conversations in (
            ("held out", held, parts["dev"]),
            ("cross-validated", folded, everything),
        )
        for language in EVERY_LANGUAGE
    ]


def outcome_row(
    how: str, language: str, found: Sequence[Guess], conversations: Sequence[LabelledConversation]
) -> OutcomeRow:
    """Of the conversations in `language`, or `all`."""
    chosen = [i for i, c in enumerate(conversations) if language in ("all", c.language)]
    guessed, labelled = [found[i] for i in chosen], [conversations[i] for i in chosen]
    scores = asdict(outcome_scores(guessed, labelled))
    each = np.arange(len(chosen))
    decided = np.array([[guess.resolved == answer.value for answer in Resolved] for guess in guessed])
    true = np.array([[c.resolved == answer.value for answer in Resolved] for c in labelled])
    near = np.array([abs(g.csat - c.csat) <= 1 for g, c in zip(guessed, labelled, strict=True)])
    return OutcomeRow(
        how=how,
        language=language,
        scores={name: round(value, 4) for name, value in scores.items()},
        resolved_interval=interval(resampled_f1(decided, true, each).mean(1)),
        resolved_reached=scores["resolved_macro_f1"] >= RESOLVED_F1,
        within_one_interval=interval(resampled_ratio(near, each)),
        within_one_reached=scores["csat_within_one_ratio"] >= CSAT_WITHIN_ONE_RATIO,
    )
