"""Flags of a conversation."""

from datetime import timedelta

import pytest

from services.autoqa.flags import SEVERITIES, flags_of, unanswered_at
from services.autoqa.need import needs_answer
from services.autoqa.policy import Policy
from shared.domain.conversation import Channel
from shared.domain.evidence import EvidenceSpan
from shared.domain.flag import FlagKind, Severity
from shared.domain.labels import MessageFlag
from tests.unit.autoqa.talk import START, talk

POLICY = Policy()
LATER = START + timedelta(days=3)
ANSWERED = "agent: done [solution] [closing]"


def test_flags_of_messages_are_joined() -> None:
    """One a kind, with the highest confidence and the words of all."""
    transcript = talk("customer: [churn=0.6]", "agent: ok", "customer: really [churn=0.9]", ANSWERED)
    (flag,) = flags_of(transcript, POLICY, now=LATER)
    assert (flag.kind, flag.severity, flag.confidence) == (FlagKind.CHURN, Severity.HIGH, 0.9)
    assert flag.evidence == (
        EvidenceSpan(message_id="m1", start=0, end=11),
        EvidenceSpan(message_id="m3", start=7, end=18),
    )


def test_thresholds_are_settings() -> None:
    """For all flags, and for single ones."""
    transcript = talk("customer: [churn=0.4] [legal=0.4]", ANSWERED)
    assert flags_of(transcript, POLICY, now=LATER) == ()
    policy = Policy(flag_thresholds={MessageFlag.LEGAL: 0.3})
    assert [flag.kind for flag in flags_of(transcript, policy, now=LATER)] == [FlagKind.LEGAL]


def test_every_kind_has_a_severity() -> None:
    """People at risk come first."""
    assert set(SEVERITIES) == set(FlagKind)
    assert SEVERITIES[FlagKind.VULNERABILITY] is Severity.CRITICAL


def test_a_question_that_stays_open_is_unanswered() -> None:
    """In a finished conversation at once, with the customer's message as evidence."""
    transcript = talk("customer: hi", ANSWERED, "customer: And what about the second parcel?")
    (flag,) = flags_of(transcript, POLICY, now=START)
    assert flag.kind is FlagKind.UNANSWERED
    assert flag.evidence == (EvidenceSpan(message_id="m3", start=0, end=33),)


@pytest.mark.parametrize(
    "lines",
    [
        ("customer: where?", ANSWERED),
        ("customer: where?", ANSWERED, "customer: thanks [positive]"),
        ("agent: hello",),
        ("customer: where is it? gone", "agent: gone"),
    ],
)
def test_what_was_answered_is_not_unanswered(lines: tuple[str, ...]) -> None:
    """An answer, a mere thanks, nothing asked; an answer that was deleted since is one, too."""
    transcript = talk(*lines, deleted=(2,) if lines[-1] == "agent: gone" else ())
    assert flags_of(transcript, POLICY, now=LATER) == ()
    assert unanswered_at(transcript, POLICY) is None


def test_a_live_customer_is_unanswered_after_the_channels_wait() -> None:
    """Not before; `unanswered_at` tells when."""
    transcript = talk("customer: where is my order? it is late", channel=Channel.CHAT, is_final=False)
    assert unanswered_at(transcript, POLICY) == START + timedelta(minutes=5)
    assert flags_of(transcript, POLICY, now=START + timedelta(minutes=4)) == ()
    assert len(flags_of(transcript, POLICY, now=START + timedelta(minutes=5))) == 1


def test_a_bots_receipt_is_no_answer() -> None:
    """A demand that only a bot has answered stays open."""
    assert needs_answer(talk("customer: give me my money back? [payment_dispute]", "bot: received")) > 0.9


def test_an_agent_is_abusive_by_tone_and_words() -> None:
    """Both must speak for it."""
    lines = ("customer: hi", "agent: idiot [poor=0.9] [solution]")
    (flag,) = flags_of(talk(*lines, abuse={"m2": 0.8}), POLICY, now=LATER)
    assert (flag.kind, flag.severity, flag.confidence) == (FlagKind.AGENT_ABUSE, Severity.CRITICAL, 0.72)
    assert flag.evidence == (EvidenceSpan(message_id="m2", start=0, end=3),)
    assert flags_of(talk(*lines, abuse={"m2": 0.4}), POLICY, now=LATER) == ()
    assert flags_of(talk(*lines), POLICY, now=LATER) == ()
