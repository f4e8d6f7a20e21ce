"""What a conversation adds to the KPIs."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from services.metrics.facts.contribution import deltas
from services.metrics.facts.fact import fact_of
from services.metrics.facts.sources import ConversationRow, MessageTimes, ReviewRow, Sources
from shared.domain.conversation import Status, SurveyKind
from shared.domain.flag import Flag, FlagKind, Severity
from shared.domain.kpi import COUNTS, MEASURES
from shared.domain.review import Outcome

OPENED = datetime(2026, 3, 1, 23, 30, tzinfo=UTC)


def sources(**other: Any) -> Sources:
    """A solved conversation with everything, unless told otherwise."""
    conversation = ConversationRow(
        id="c1",
        source="zendesk",
        external_id="1",
        channel="email",
        language="de",
        status=other.pop("status", Status.SOLVED),
        agent="Ines Roth",
        team="Billing",
        tags=(),
        opened_at=OPENED,
        solved_at=other.pop("solved_at", OPENED + timedelta(hours=1)),
        reopen_count=other.pop("reopen_count", 0),
        message_count=3,
        version=3,
    )
    review = ReviewRow(
        id="r1",
        version=3,
        state="final",
        scorecard_id="default",
        scorecard_version=1,
        model_revision="rev",
        score=81.25,
        outcomes={
            "greeting": Outcome.PASSED,
            "tone": Outcome.FAILED,
            "empathy": Outcome.NOT_APPLICABLE,
            "solution": Outcome.UNSURE,
            "of_our_own": Outcome.PASSED,
        },
        flags=tuple(
            Flag(kind=kind, severity=Severity.LOW, confidence=0.9, evidence=())
            for kind in other.pop("flags", (FlagKind.CHURN,))
        ),
        sentiment_start=-0.8,
        sentiment_end=0.4,
        predicted_csat=4.1,
        scored_at=OPENED,
    )
    times = MessageTimes(
        asked_at=OPENED, answered_at=OPENED + timedelta(minutes=5), agent_messages=other.pop("replies", 1)
    )
    return replace(
        Sources(conversation=conversation, times=times, surveys={SurveyKind.CSAT: 4.0}, review=review),
        **other,
    )


def test_a_conversation_gives_whole_numbers() -> None:
    """Small units, so that sums leave no residue."""
    measures = fact_of(sources()).measures
    assert set(measures) <= set(MEASURES)
    assert all(type(amount) is int for amount in measures.values())
    assert all(measures[name] == 1 for name in measures if name in COUNTS)
    assert (measures["score_sum"], measures["csat_sum"], measures["first_response_sum"]) == (
        8125,
        400,
        300_000,
    )
    assert measures["sentiment_shift_sum"] == 12_000


def test_only_passed_and_failed_ratings_count() -> None:
    """Not applicable and unsure leave both sums; a category of the company's own is not in the rollups."""
    measures = fact_of(sources()).measures
    rated = {name for name in measures if name.startswith(("rated_", "passed_"))}
    assert rated == {"rated_greeting", "passed_greeting", "rated_tone"}


@pytest.mark.parametrize("status", [Status.DELETED, Status.MERGED, Status.SPAM])
def test_what_is_not_worth_rating_adds_nothing(status: Status) -> None:
    """Neither measures, nor durations, nor flags."""
    fact = fact_of(sources(status=status))
    assert (dict(fact.measures), fact.first_response_bin, fact.resolution_bin, fact.flags) == (
        {},
        None,
        None,
        (),
    )


@pytest.mark.parametrize(
    ("other", "definitions"),
    [
        ({}, {"no_reopen", "no_repeat", "no_return", "one_reply"}),
        ({"reopen_count": 1}, {"no_repeat", "one_reply"}),
        ({"flags": (FlagKind.REPEAT_CONTACT,)}, {"no_reopen", "one_reply"}),
        ({"replies": 2}, {"no_reopen", "no_repeat", "no_return"}),
        ({"status": Status.OPEN}, set()),
    ],
)
def test_first_contact_resolution_by_every_definition(other: dict[str, Any], definitions: set[str]) -> None:
    """The operator chooses later which one counts."""
    measures = fact_of(sources(**other)).measures
    assert {
        name.removeprefix("finished_") for name in measures if name.startswith("finished_")
    } == definitions


def test_a_clock_that_runs_backwards_gives_no_duration() -> None:
    """Nor does a conversation without an answer."""
    fact = fact_of(sources(solved_at=OPENED - timedelta(hours=1), times=MessageTimes(asked_at=OPENED)))
    assert (fact.first_response_bin, fact.resolution_bin) == (None, None)
    assert "resolution_n" not in fact.measures


def test_long_names_are_clipped_between_characters() -> None:
    """400 bytes fit into an index; what is cut is whole characters, and shorter names stay as they are."""
    whole = sources()
    long = replace(
        whole.conversation,
        agent="ü" * 300,
        team="x" + "😀" * 200,
        language="d" * 500,
        tags=("ß" * 201, "kurz"),
    )
    fact = fact_of(replace(whole, conversation=long))
    assert fact.agent == "ü" * 200
    assert fact.team == "x" + "😀" * 99
    assert fact.language == "d" * 400
    assert fact.tags == ("ß" * 200, "kurz")
    exact = replace(whole.conversation, agent="ü" * 200)
    assert fact_of(replace(whole, conversation=exact)).agent == "ü" * 200


def test_the_day_is_that_of_opening_in_utc() -> None:
    """And decides the week and the month."""
    found = deltas([(None, fact_of(sources()))])
    assert {key[:2] for key in found.rollup} == {
        ("day", datetime(2026, 3, 1).date()),  # noqa: DTZ001 (a date)
        ("week", datetime(2026, 2, 23).date()),  # noqa: DTZ001 (a date)
        ("month", datetime(2026, 3, 1).date()),  # noqa: DTZ001 (a date)
    }


def test_the_same_fact_again_changes_nothing() -> None:
    """Differences cancel out."""
    fact = fact_of(sources())
    found = deltas([(fact, fact)])
    assert not any(any(sums.values()) for sums in found.rollup.values())
    assert not any(found.team_duration.values())


def test_a_moved_conversation_takes_its_figures_along() -> None:
    """What one team loses the other gains."""
    before = fact_of(sources())
    found = deltas([(before, replace(before, team="Sales"))])
    by_team = {key[2]: sums["conversations"] for key, sums in found.rollup.items() if key[0] == "day"}
    assert by_team == {"Billing": -1, "Sales": 1}
