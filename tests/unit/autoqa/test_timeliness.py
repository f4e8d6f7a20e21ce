"""Timeliness: measured waits against the channel's limits."""

from datetime import timedelta

import pytest

from services.autoqa.categories.timeliness import rate_timeliness
from services.autoqa.policy import Policy
from services.autoqa.transcript import Transcript
from shared.domain.conversation import Channel
from shared.domain.review import Outcome
from tests.unit.autoqa.talk import talk

POLICY = Policy()


def test_in_time_passes() -> None:
    """Question and answer of the longest wait are the evidence."""
    rating = rate_timeliness(talk("customer: a", "agent: b", channel=Channel.CHAT), POLICY)
    assert (rating.outcome, rating.score, rating.confidence) == (Outcome.PASSED, 1.0, 1.0)
    assert [span.message_id for span in rating.evidence] == ["m1", "m2"]


def test_a_late_answer_fails_by_degrees() -> None:
    """Twice the limit is half the score, three times is none; a bot's word ends no wait."""
    five, ten = timedelta(minutes=5), timedelta(minutes=10)
    assert (
        rate_timeliness(talk("customer: a", "agent: b", channel=Channel.CHAT, every=five), POLICY).score == 1
    )
    late = rate_timeliness(talk("customer: a", "agent: b", channel=Channel.CHAT, every=ten), POLICY)
    assert (late.outcome, late.score, late.reason) == (Outcome.FAILED, 0.5, "late_first_response")
    bot = talk("customer: a", "bot: wait", "bot: wait", "agent: b", channel=Channel.CHAT, every=five)
    assert rate_timeliness(bot, POLICY).score == 0.0


def test_later_waits_count_from_the_first_unanswered_message() -> None:
    """A customer who writes again has waited since the first time."""
    lines = ("customer: a", "agent: b", "customer: c", "customer: d", "customer: e", "agent: f")
    rating = rate_timeliness(talk(*lines, channel=Channel.CHAT, every=timedelta(minutes=4)), POLICY)
    assert (rating.outcome, rating.reason) == (Outcome.FAILED, "late_response")
    assert [span.message_id for span in rating.evidence] == ["m3", "m6"]


@pytest.mark.parametrize(
    ("transcript", "reason"),
    [
        (talk("customer: a", "agent: b", is_timed=False), "times_unknown"),
        (talk("customer: a", "agent: b", channel=Channel.PHONE), "phone_call"),
        (talk("agent: b", "customer: a"), "no_agent_answer"),
    ],
)
def test_no_wait_no_judgement(transcript: Transcript, reason: str) -> None:
    """Calls, unknown times, and answers that never came."""
    rating = rate_timeliness(transcript, POLICY)
    assert (rating.outcome, rating.reason) == (Outcome.NOT_APPLICABLE, reason)
