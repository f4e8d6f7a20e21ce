"""The conversation heads apply stored coefficients, whoever spoke."""

import pytest

from services.autoqa.model.outcome import OutcomeWeights, features, predict_outcome
from services.autoqa.predictions import AgentPrediction, CustomerPrediction, Prediction, Span
from shared.domain.conversation import Role
from shared.domain.labels import MessageFlag, Resolved, Sentiment, Signal, Tone

SPAN = Span(start=0, end=1)


def customer(negative: float) -> tuple[Role, Prediction]:
    return Role.CUSTOMER, CustomerPrediction(
        sentiment={
            Sentiment.NEGATIVE: negative,
            Sentiment.NEUTRAL: 0.0,
            Sentiment.POSITIVE: 1 - negative,
        },
        flags=dict.fromkeys(MessageFlag, 0.0),
        sentiment_evidence=SPAN,
        flag_evidence=dict.fromkeys(MessageFlag, SPAN),
    )


def agent(tone: Tone) -> tuple[Role, Prediction]:
    return Role.AGENT, AgentPrediction(
        signals=dict.fromkeys(Signal, 0.5),
        tone={t: float(t is tone) for t in Tone},
        signal_evidence=dict.fromkeys(Signal, SPAN),
        tone_evidence=SPAN,
    )


def weights(**csat: float) -> OutcomeWeights:
    names = features([])
    zero = dict.fromkeys(names, 0.0)
    return OutcomeWeights(
        mean=zero,
        scale=dict.fromkeys(names, 1.0),
        resolved=dict.fromkeys(Resolved, zero),
        resolved_bias=dict.fromkeys(Resolved, 0.0),
        csat={**zero, **csat},
        csat_bias=3.0,
    )


@pytest.mark.parametrize(
    "turns",
    [[], [customer(0.9)], [agent(Tone.GOOD)], [customer(0.5), agent(Tone.POOR), customer(1.0)]],
    ids=["empty", "no agent", "no customer", "both"],
)
def test_any_conversation_gets_an_answer(turns: list[tuple[Role, Prediction]]) -> None:
    """Probabilities sum to one and the score stays on its scale."""
    outcome = predict_outcome(turns, weights(end_negative=-10.0))
    assert sum(outcome.resolved.values()) == pytest.approx(1, abs=1e-3)
    assert 1 <= outcome.csat <= 5


def test_the_last_customer_message_is_the_end() -> None:
    """`end_negative` reads the last, `start_negative` the first."""
    values = features([customer(0.2), agent(Tone.GOOD), customer(0.7)])
    assert (values["start_negative"], values["end_negative"]) == (0.2, 0.7)
    assert values["agent_last"] == 0.0


def test_the_score_is_clipped_to_the_scale() -> None:
    """A linear formula may leave 1..5, the answer may not."""
    assert predict_outcome([customer(1.0)], weights(end_negative=-10.0)).csat == 1.0
    assert predict_outcome([customer(0.0)], weights(end_positive=10.0)).csat == 5.0
