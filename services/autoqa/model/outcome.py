"""How a conversation ended: resolved or not, and the satisfaction score the customer would likely give.

Both are linear in a few features of the message predictions, with coefficients learned from labelled
conversations (training/outcome.py) and stored as JSON; nothing is set by hand:

    resolved = softmax(W x + b)       csat = clip(w x + b, 1, 5)      x = (features - mean) / scale
"""

import json
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any, Final

from services.autoqa.model.files import OUTCOME, WEIGHTS_FOLDER
from services.autoqa.predictions import AgentPrediction, CustomerPrediction, Prediction
from shared.domain.conversation import Role
from shared.domain.labels import MessageFlag, Resolved, Sentiment, Signal, Tone

CSAT_RANGE: Final = (1.0, 5.0)


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """`resolved` gives each answer's probability; `csat` is the expected survey score, 1 to 5."""

    resolved: Mapping[Resolved, float]
    csat: float


@dataclass(frozen=True, slots=True, kw_only=True)
class OutcomeWeights:
    """Coefficients by feature name, as `outcome.json` stores them."""

    mean: Mapping[str, float]
    scale: Mapping[str, float]
    resolved: Mapping[str, Mapping[str, float]]
    resolved_bias: Mapping[str, float]
    csat: Mapping[str, float]
    csat_bias: float

    @classmethod
    def load(cls, path: Path) -> "OutcomeWeights":
        """Reads the JSON file; fields it does not know are notes and are passed over."""
        stored: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
        return cls(**{name: stored[name] for name in cls.__slots__})


@cache
def shipped_weights() -> OutcomeWeights:
    """The coefficients that ship with the repository."""
    return OutcomeWeights.load(WEIGHTS_FOLDER / OUTCOME)


def predict_outcome(
    turns: Sequence[tuple[Role, Prediction]], weights: OutcomeWeights | None = None
) -> Outcome:
    """The outcome of the customer's and agents' messages in order; bots count as agents.

    Where one side never spoke, its features are 0: no solution was given, no feeling was shown.
    """
    weights = weights or shipped_weights()
    values = {
        name: (value - weights.mean[name]) / weights.scale[name] for name, value in features(turns).items()
    }

    def linear(coefficients: Mapping[str, float], bias: float) -> float:
        return bias + sum(coefficients[name] * value for name, value in values.items())

    scores = {answer: linear(weights.resolved[answer], weights.resolved_bias[answer]) for answer in Resolved}
    top = max(scores.values())
    powers = {answer: math.exp(score - top) for answer, score in scores.items()}
    total = sum(powers.values())
    low, high = CSAT_RANGE
    return Outcome(
        resolved={answer: round(power / total, 4) for answer, power in powers.items()},
        csat=round(min(high, max(low, linear(weights.csat, weights.csat_bias))), 3),
    )


def features(turns: Sequence[tuple[Role, Prediction]]) -> dict[str, float]:
    """What the coefficients are about; all between 0 and 1 but the logarithm of the length."""
    customers = [p for _, p in turns if isinstance(p, CustomerPrediction)]
    agents = [p for _, p in turns if isinstance(p, AgentPrediction)]
    answered = bool(turns) and isinstance(turns[-1][1], AgentPrediction)
    values = {"turns_log": math.log1p(len(turns)), "agent_last": float(answered)}
    values |= _customer_features(customers)
    values |= _agent_features(agents)
    return values


def _customer_features(customers: Sequence[CustomerPrediction]) -> dict[str, float]:
    def feeling(at: int, label: Sentiment) -> float:
        return customers[at].sentiment[label] if customers else 0.0

    values = {
        "end_negative": feeling(-1, Sentiment.NEGATIVE),
        "end_positive": feeling(-1, Sentiment.POSITIVE),
        "start_negative": feeling(0, Sentiment.NEGATIVE),
        "mean_negative": _mean([p.sentiment[Sentiment.NEGATIVE] for p in customers]),
        "most_positive": _most([p.sentiment[Sentiment.POSITIVE] for p in customers]),
    }
    for flag in MessageFlag:
        values[f"flag_{flag}"] = _most([p.flags[flag] for p in customers])
    values["end_flag"] = max(customers[-1].flags.values()) if customers else 0.0
    return values


def _agent_features(agents: Sequence[AgentPrediction]) -> dict[str, float]:
    values = {
        "mean_good": _mean([p.tone[Tone.GOOD] for p in agents]),
        "most_poor": _most([p.tone[Tone.POOR] for p in agents]),
    }
    for signal in Signal:
        values[f"any_{signal}"] = _most([p.signals[signal] for p in agents])
    for signal in (Signal.SOLUTION, Signal.FOLLOW_UP, Signal.CLARIFYING, Signal.CLOSING):
        values[f"end_{signal}"] = agents[-1].signals[signal] if agents else 0.0
    return values


def _mean(values: Sequence[float]) -> float:
    return sum(values) / len(values) if values else 0.0


def _most(values: Sequence[float]) -> float:
    return max(values, default=0.0)
