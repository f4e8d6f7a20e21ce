"""The shipped model in its default runtime."""

import random
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor

import pytest

from services.autoqa.model import predict_outcome
from services.autoqa.predictions import (
    AgentPrediction,
    CustomerPrediction,
    EarlierTurn,
    MessageInput,
    MessageModel,
    Prediction,
)
from shared.domain.conversation import Channel, Role
from shared.domain.labels import MessageFlag, Resolved, Sentiment, Signal, Tone

THREAT = """Guten Tag,

vielen Dank für die Auskunft 👋🏽.
Ich habe das jetzt meinem Anwalt übergeben.

MfG
K. Ühlein"""


def customer(text: str, *context: EarlierTurn) -> MessageInput:
    return MessageInput(role="customer", channel=Channel.EMAIL, text=text, context=context)


def agent(text: str) -> MessageInput:
    return MessageInput(role="agent", channel=Channel.CHAT, text=text)


MESSAGES = [
    customer(THREAT),
    customer("wo bleibt mein paket"),
    customer("That was quick, you made my day!"),
    agent("Guten Tag Frau Weber, wie lautet bitte Ihre Kundennummer?"),
    agent(
        "Hi Tom, I'm so sorry you had to wait twice. Your refund went out today. Anything else? Best, Anna"
    ),
    customer("ja bitte", EarlierTurn(role="agent", text="Soll ich Ihren Vertrag zum Monatsende kündigen?")),
    customer("Ok. " * 400),
    customer(""),
]


def numbers(prediction: Prediction) -> dict[str, float]:
    """All probabilities by name."""
    if isinstance(prediction, CustomerPrediction):
        return dict([*prediction.sentiment.items(), *prediction.flags.items()])
    return dict([*prediction.signals.items(), *prediction.tone.items()])


def test_clear_messages_are_read_as_a_person_would(model: MessageModel) -> None:
    """One clear case a head, in both languages."""
    threat, plain, praise, question, apology, *_ = model.predict(MESSAGES)
    assert isinstance(threat, CustomerPrediction)
    assert isinstance(plain, CustomerPrediction)
    assert isinstance(praise, CustomerPrediction)
    assert isinstance(question, AgentPrediction)
    assert isinstance(apology, AgentPrediction)
    assert threat.flags[MessageFlag.LEGAL] > 0.5
    assert max(plain.flags.values()) < 0.5
    assert praise.sentiment[Sentiment.POSITIVE] > 0.5
    assert question.signals[Signal.GREETING] > 0.5
    assert question.signals[Signal.CLARIFYING] > 0.5
    assert apology.signals[Signal.EMPATHY] > 0.5
    assert apology.tone[Tone.GOOD] > 0.5


def test_the_evidence_of_a_threat_is_its_sentence(model: MessageModel) -> None:
    """Code points, with umlauts and emoji around."""
    (threat,) = model.predict([customer(THREAT)])
    assert isinstance(threat, CustomerPrediction)
    span = threat.flag_evidence[MessageFlag.LEGAL]
    assert THREAT[span.start : span.end].startswith("Ich habe das jetzt meinem Anwalt")


def test_an_answer_does_not_depend_on_the_batch(model: MessageModel) -> None:
    """Alone, shuffled, repeated: the same probabilities to a tenth of a percent."""
    together = model.predict(MESSAGES)
    order = list(range(len(MESSAGES))) * 3
    random.Random(1).shuffle(order)
    shuffled = model.predict([MESSAGES[i] for i in order])
    for i, prediction in zip(order, shuffled, strict=True):
        assert numbers(prediction) == pytest.approx(numbers(together[i]), abs=1e-3)
    for message, prediction in zip(MESSAGES, together, strict=True):
        assert numbers(model.predict([message])[0]) == pytest.approx(numbers(prediction), abs=1e-3)


def test_threads_may_call_at_the_same_time(model: MessageModel) -> None:
    """Four callers get what one gets."""
    expected = model.predict(MESSAGES)
    with ThreadPoolExecutor(4) as pool:
        results = list(pool.map(model.predict, [MESSAGES] * 8))
    assert all(numbers(a) == numbers(b) for r in results for a, b in zip(r, expected, strict=True))


def test_a_megabyte_and_nothing_at_all_get_answers(model: MessageModel) -> None:
    """Evidence stays inside the text."""
    texts = ["", " \n", "Wo ist es? " * 100_000, "x" * 1_000_000, "\x00\ud7ff\ud800\U0010ffff"]
    for text, prediction in zip(texts, model.predict([customer(t) for t in texts]), strict=True):
        assert isinstance(prediction, CustomerPrediction)
        spans = [prediction.sentiment_evidence, *prediction.flag_evidence.values()]
        assert all(0 <= span.start <= span.end <= len(text) for span in spans)


def test_no_messages_give_no_predictions(model: MessageModel) -> None:
    """An empty list is fine."""
    assert model.predict([]) == []
    assert model.token_counts([]) == []


def test_token_counts_tell_what_a_message_costs(model: MessageModel) -> None:
    """Context included; a megabyte is bounded."""
    short, with_context, huge = model.token_counts(
        [customer("ja bitte"), MESSAGES[5], customer("Wo ist es? " * 100_000)]
    )
    assert short < with_context < huge < 8 * 330


def test_the_shipped_outcome_heads_answer_without_one_side(model: MessageModel) -> None:
    """An unanswered complaint is not resolved and leaves a customer unhappy."""
    (complaint, praise) = model.predict(
        [customer("Das ist jetzt die dritte Mail ohne Antwort, ich bin stinksauer!"), MESSAGES[2]]
    )
    (answer,) = model.predict([agent("Guten Tag, Ihr Paket kommt morgen. Viele Grüße, Anna")])
    ignored = predict_outcome([(Role.CUSTOMER, complaint)])
    helped = predict_outcome([(Role.CUSTOMER, praise), (Role.AGENT, answer), (Role.CUSTOMER, praise)])
    assert ignored.resolved[Resolved.NO] > 0.5
    assert ignored.csat < helped.csat
    assert 1 <= predict_outcome([(Role.AGENT, answer)]).csat <= 5


def test_serving_does_not_import_torch() -> None:
    """The image of autoqa has none."""
    code = "import sys, services.autoqa.model; sys.exit('torch' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0  # noqa: S603
