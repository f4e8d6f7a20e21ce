"""What the model said of one message, and how it is stored and shown."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from services.autoqa.predictions import AgentPrediction, CustomerPrediction, Prediction, Span
from services.autoqa.sentiment import sentiment_score
from services.autoqa.transcript import AbuseCheck
from shared.domain.labels import MessageFlag, Sentiment, Signal, Tone

__all__ = ["Reading", "reading_from_json", "reading_to_json"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Reading:
    """A message's prediction; `abuse` where an agent's tone asked for a second look.

    `input_hash` names what was read: another one means that the message or its context changed since.
    """

    input_hash: bytes
    prediction: Prediction
    abuse: AbuseCheck | None = None


def reading_to_json(reading: Reading) -> dict[str, Any]:
    """A customer's sentiment and flags, an agent's signals and tone; evidence as [start, end]."""
    prediction = reading.prediction
    if isinstance(prediction, CustomerPrediction):
        return _customer_json(prediction)
    shown = _agent_json(prediction)
    if reading.abuse is not None:
        shown["abuse"] = reading.abuse.probability
        shown["evidence"]["abuse"] = _pair(reading.abuse.evidence)
    return shown


def reading_from_json(input_hash: bytes, shown: Mapping[str, Any]) -> Reading:
    """Undo `reading_to_json`."""
    spans = {name: Span(start=pair[0], end=pair[1]) for name, pair in shown["evidence"].items()}
    if "sentiment" in shown:
        customer = CustomerPrediction(
            sentiment={label: shown["sentiment"]["probabilities"][label] for label in Sentiment},
            flags={flag: shown["flags"][flag] for flag in MessageFlag},
            sentiment_evidence=spans["sentiment"],
            flag_evidence={flag: spans[flag] for flag in MessageFlag},
        )
        return Reading(input_hash=input_hash, prediction=customer)
    agent = AgentPrediction(
        signals={signal: shown["signals"][signal] for signal in Signal},
        tone={label: shown["tone"]["probabilities"][label] for label in Tone},
        signal_evidence={signal: spans[signal] for signal in Signal},
        tone_evidence=spans["tone"],
    )
    abuse = None
    if "abuse" in shown:
        abuse = AbuseCheck(probability=shown["abuse"], evidence=spans["abuse"])
    return Reading(input_hash=input_hash, prediction=agent, abuse=abuse)


def _customer_json(prediction: CustomerPrediction) -> dict[str, Any]:
    evidence = {str(flag): _pair(prediction.flag_evidence[flag]) for flag in MessageFlag}
    return {
        "sentiment": {
            "label": _likeliest(prediction.sentiment),
            "score": sentiment_score(prediction.sentiment),
            "probabilities": {str(label): prediction.sentiment[label] for label in Sentiment},
        },
        "flags": {str(flag): prediction.flags[flag] for flag in MessageFlag},
        "evidence": {"sentiment": _pair(prediction.sentiment_evidence), **evidence},
    }


def _agent_json(prediction: AgentPrediction) -> dict[str, Any]:
    evidence = {str(signal): _pair(prediction.signal_evidence[signal]) for signal in Signal}
    return {
        "signals": {str(signal): prediction.signals[signal] for signal in Signal},
        "tone": {
            "label": _likeliest(prediction.tone),
            "probabilities": {str(label): prediction.tone[label] for label in Tone},
        },
        "evidence": {"tone": _pair(prediction.tone_evidence), **evidence},
    }


def _pair(span: Span) -> list[int]:
    return [span.start, span.end]


def _likeliest(probabilities: Mapping[Any, float]) -> str:
    return str(max(probabilities, key=lambda label: probabilities[label]))
