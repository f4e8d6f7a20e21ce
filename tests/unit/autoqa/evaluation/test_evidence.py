"""What is drawn for people to judge: answers that call for proof."""

from services.autoqa.predictions import AgentPrediction, CustomerPrediction, Span
from services.autoqa.training.evaluation.evidence import answers
from shared.domain.labels import MessageFlag, Sentiment, Signal, Tone

FIRST, SECOND = Span(start=0, end=9), Span(start=10, end=30)


def test_a_customers_feeling_and_raised_flags_are_drawn_with_their_sentences() -> None:
    """Flags that were not raised are not."""
    prediction = CustomerPrediction(
        sentiment={Sentiment.NEGATIVE: 0.9, Sentiment.NEUTRAL: 0.05, Sentiment.POSITIVE: 0.05},
        flags={flag: 0.8 if flag is MessageFlag.CHURN else 0.1 for flag in MessageFlag},
        sentiment_evidence=FIRST,
        flag_evidence=dict.fromkeys(MessageFlag, SECOND),
    )
    assert dict(answers(prediction)) == {"sentiment.negative": FIRST, "flag.churn": SECOND}


def test_what_is_neutral_or_merely_acceptable_needs_no_proof() -> None:
    """There are no words that decide it."""
    prediction = AgentPrediction(
        signals={signal: 0.7 if signal is Signal.GREETING else 0.2 for signal in Signal},
        tone={Tone.GOOD: 0.2, Tone.ACCEPTABLE: 0.7, Tone.POOR: 0.1},
        signal_evidence=dict.fromkeys(Signal, FIRST),
        tone_evidence=SECOND,
    )
    assert dict(answers(prediction)) == {"signal.greeting": FIRST}
