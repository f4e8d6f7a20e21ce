"""Learns the outcome heads from whole conversations: multinomial logistic and ridge regression.

The encoder has seen the training conversations' messages, so its predictions there are surer than on new
ones. The dev conversations are the honest test; cross-validation over all says how stable the fit is.
"""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray
from sklearn.linear_model import LogisticRegression, Ridge
from sklearn.model_selection import KFold

from services.autoqa.model.outcome import Outcome, OutcomeWeights, features, predict_outcome
from services.autoqa.predictions import MessageModel, Prediction
from services.autoqa.training.data import SEED, LabelledConversation
from services.autoqa.training.metrics import score
from shared.domain.conversation import Role
from shared.domain.labels import Resolved

Turns = list[tuple[Role, Prediction]]
Floats = NDArray[np.float64]

_INVERSE_STRENGTH: Final = 0.1
_RIDGE: Final = 30.0
_MIN_SCALE: Final = 0.05


@dataclass(frozen=True, slots=True, kw_only=True)
class OutcomeScores:
    """`n` conversations. The csat baseline answers the mean, the resolved baseline the commonest."""

    n: int
    resolved_accuracy: float
    resolved_macro_f1: float
    resolved_baseline_accuracy: float
    csat_mean_error: float
    csat_within_one_ratio: float
    csat_correlation: float
    csat_baseline_mean_error: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Guess:
    """The likeliest of `Resolved`, and the expected score 1..5, of one conversation."""

    resolved: str
    csat: float


def turns_of(conversations: Sequence[LabelledConversation], model: MessageModel) -> list[Turns]:
    """Message predictions of each conversation."""
    messages = [example.message for c in conversations for example in c.examples]
    predictions = iter(model.predict(messages))
    return [[(Role(e.message.role), next(predictions)) for e in c.examples] for c in conversations]


def fit_outcome(turns: Sequence[Turns], conversations: Sequence[LabelledConversation]) -> OutcomeWeights:
    """The coefficients for standardised features."""
    rows = [features(t) for t in turns]
    names = list(rows[0])
    table = np.array([[row[name] for name in names] for row in rows])
    mean, scale = table.mean(0), np.maximum(table.std(0), _MIN_SCALE)
    table = (table - mean) / scale
    classifier = LogisticRegression(C=_INVERSE_STRENGTH, max_iter=2000)
    classifier.fit(table, [c.resolved for c in conversations])
    ridge = Ridge(alpha=_RIDGE).fit(table, [c.csat for c in conversations])
    answers = [str(answer) for answer in classifier.classes_]

    def named(values: Floats) -> dict[str, float]:
        return {name: round(float(value), 5) for name, value in zip(names, values, strict=True)}

    return OutcomeWeights(
        mean=named(mean),
        scale=named(scale),
        resolved={a: named(row) for a, row in zip(answers, classifier.coef_, strict=True)},
        resolved_bias={a: round(float(b), 5) for a, b in zip(answers, classifier.intercept_, strict=True)},
        csat=named(ridge.coef_),
        csat_bias=round(float(ridge.intercept_), 5),
    )


def guesses(weights: OutcomeWeights, turns: Sequence[Turns]) -> list[Guess]:
    """What the heads say of each conversation."""
    return [_guess(predict_outcome(t, weights)) for t in turns]


def cross_validated(
    turns: Sequence[Turns], conversations: Sequence[LabelledConversation], folds: int = 10
) -> list[Guess]:
    """Every conversation guessed by coefficients fitted without its fold."""
    found: dict[int, Guess] = {}
    for fit, test in KFold(folds, shuffle=True, random_state=SEED % 2**32).split(np.arange(len(turns))):
        weights = fit_outcome([turns[i] for i in fit], [conversations[i] for i in fit])
        found |= dict(zip(test.tolist(), guesses(weights, [turns[i] for i in test]), strict=True))
    return [found[i] for i in range(len(turns))]


def save_outcome(weights: OutcomeWeights, path: Path) -> None:
    """JSON, one coefficient a line, so that a change can be read."""
    stored: Mapping[str, Any] = {name: getattr(weights, name) for name in OutcomeWeights.__slots__}
    path.write_text(json.dumps(stored, indent=1, sort_keys=True) + "\n", encoding="utf-8")


def outcome_scores(found: Sequence[Guess], conversations: Sequence[LabelledConversation]) -> OutcomeScores:
    """Compares guesses with the labels; at least one conversation."""
    true = np.array([c.resolved for c in conversations])
    guessed = np.array([guess.resolved for guess in found])
    csat = np.array([guess.csat for guess in found])
    given = np.array([float(c.csat) for c in conversations])
    correlation = np.corrcoef(csat, given)[0, 1] if csat.std() > 0 and given.std() > 0 else 0.0
    return OutcomeScores(
        n=len(conversations),
        resolved_accuracy=float((guessed == true).mean()),
        resolved_macro_f1=float(np.mean([score(guessed == r.value, true == r.value).f1 for r in Resolved])),
        resolved_baseline_accuracy=float(max((true == r.value).mean() for r in Resolved)),
        csat_mean_error=float(np.abs(csat - given).mean()),
        csat_within_one_ratio=float((np.abs(csat - given) <= 1).mean()),
        csat_correlation=float(correlation),
        csat_baseline_mean_error=float(np.abs(given.mean() - given).mean()),
    )


def _guess(outcome: Outcome) -> Guess:
    resolved = max(outcome.resolved, key=lambda answer: outcome.resolved[answer])
    return Guess(resolved=resolved.value, csat=outcome.csat)
