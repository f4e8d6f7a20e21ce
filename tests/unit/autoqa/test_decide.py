"""Reviews of whole conversations."""

from dataclasses import replace
from datetime import timedelta

from hypothesis import given
from hypothesis import strategies as st

from services.autoqa.categories.registry import Categories
from services.autoqa.decide import Decided, Judgement, decide
from services.autoqa.inputs import input_hash, message_inputs
from services.autoqa.policy import Policy
from services.autoqa.proofreading import Proofread
from services.autoqa.readings import Reading, reading_from_json, reading_to_json
from services.autoqa.rounds import LatestReview, round_of
from shared.domain.conversation import Channel, Conversation, Status
from shared.domain.labels import MessageFlag, Sentiment, Signal, Tone
from shared.domain.review import Outcome, ResolvedGuess, ReviewState, SentimentPath
from shared.domain.scorecard import DEFAULT_SCORECARD
from tests.stub_model import predict_one, stub_outcome
from tests.unit.autoqa.talk import START, conversation

JUDGEMENT = Judgement(
    categories=Categories(
        proofread=lambda text, _: Proofread(words=len(text.split()), errors=()), syllables=lambda *_: 1
    ),
    outcome=stub_outcome,
    scorecard=DEFAULT_SCORECARD,
    policy=Policy(),
    model_revision="stub-1",
)
FINAL, PROVISIONAL = ReviewState.FINAL, ReviewState.PROVISIONAL


def readings(of: Conversation) -> dict[str, Reading]:
    return {
        message_id: Reading(input_hash=input_hash(message), prediction=predict_one(message))
        for message_id, message in message_inputs(of).items()
    }


def decided(of: Conversation, *, hours: float = 1) -> Decided:
    return decide(of, readings(of), JUDGEMENT, now=START + timedelta(hours=hours))


def test_a_review_holds_everything() -> None:
    """Ratings in the scorecard's order, sentiment path, outcome, score."""
    review = decided(
        conversation(
            "customer: where is it? [negative=0.8]",
            "agent: [greeting] [empathy] [solution=0.75] [good] [closing]",
            "customer: thanks [positive]",
        )
    ).review
    assert [rating.category for rating in review.ratings] == [c.id for c in DEFAULT_SCORECARD.categories]
    assert review.sentiment == SentimentPath(start=-0.8, end=1.0, lowest=-0.8, trend=1.8)
    assert review.resolved == ResolvedGuess(label="yes", probability=0.75)  # type: ignore[arg-type]
    assert review.predicted_csat == 4.0
    assert review.score is not None
    assert review.score > 95
    assert (review.state, review.flags, review.model_revision) == (FINAL, (), "stub-1")


def test_a_review_is_final_once_solved_closed_or_idle() -> None:
    """72 hours without a word end a conversation that nobody closed."""
    lines = ("customer: hi", "agent: hello [greeting]")
    assert decided(conversation(*lines, status=Status.SOLVED)).review.state is FINAL
    going_on = conversation(*lines, status=Status.PENDING)
    assert decided(going_on, hours=72).review.state is PROVISIONAL
    assert decided(going_on, hours=73).review.state is FINAL


def test_a_provisional_review_knows_when_time_alone_changes_it() -> None:
    """First the unanswered flag, then the idle end, then never."""
    waiting = conversation("customer: where is it? late!", status=Status.OPEN, channel=Channel.CHAT)
    assert decided(waiting, hours=0).due_at == START + timedelta(minutes=5)
    assert decided(waiting, hours=1).due_at == START + timedelta(hours=72)
    assert decided(waiting, hours=72).due_at is None


def test_without_a_customer_there_is_no_outcome() -> None:
    """Nobody asked, nobody is satisfied; the rest is rated all the same."""
    review = decided(conversation("agent: [greeting]")).review
    assert (review.sentiment, review.predicted_csat, review.resolved) == (None, None, None)
    assert review.ratings[0].outcome is Outcome.PASSED


def test_nothing_to_rate_gives_no_score() -> None:
    """A conversation of a bot and a customer."""
    assert decided(conversation("customer: hi", "bot: hello [greeting]")).review.score is None


words = st.sampled_from(
    [
        "hello",
        "wo?",
        "[negative]",
        "😀",
        "Could you tell me your customer number?",
        "\n",
        *(f"[{name}=0.9]" for name in (*MessageFlag, *Signal, *Tone, *Sentiment)),
        *(f"[{name}=0.5]" for name in (*MessageFlag, *Signal)),
    ]
)
lines = st.builds(
    lambda role, parts: f"{role}: {' '.join(parts)}",
    st.sampled_from(["customer", "agent", "bot", "note", "system"]),
    st.lists(words, max_size=6),
)
conversations = st.builds(
    lambda said, deleted, status: conversation(*said, deleted=tuple(deleted), status=status),
    st.lists(lines, max_size=12),
    st.sets(st.integers(1, 12), max_size=2),
    st.sampled_from([Status.OPEN, Status.CLOSED]),
)


@given(conversations)
def test_every_quote_lies_inside_its_text(of: Conversation) -> None:
    """Of messages that customers and agents wrote; and whoever is judged is shown a proof."""
    review = decided(of).review
    texts = {m.id: m.text for m in of.messages if m.role in ("customer", "agent")}
    shown = [rating.evidence for rating in review.ratings] + [flag.evidence for flag in review.flags]
    for span in (span for evidence in shown for span in evidence):
        assert 0 <= span.start <= span.end <= len(texts[span.message_id])
    judged = (Outcome.PASSED, Outcome.FAILED, Outcome.UNSURE)
    assert all(rating.evidence for rating in review.ratings if rating.outcome in judged)
    assert all(flag.evidence for flag in review.flags)


@given(conversations)
def test_only_passed_and_failed_have_a_score(of: Conversation) -> None:
    """The others have a reason."""
    for rating in decided(of).review.ratings:
        assert (rating.score is not None) == (rating.outcome in (Outcome.PASSED, Outcome.FAILED))
        assert rating.score is not None or rating.reason
        assert 0 <= rating.confidence <= 1


@given(conversations, lines.filter(lambda line: line.startswith(("note", "system"))))
def test_notes_and_system_messages_change_nothing(of: Conversation, line: str) -> None:
    """Wherever they stand."""
    extra = conversation(line).messages[0]
    with_note = replace(of, messages=(*of.messages, replace(extra, id="note")))
    assert decided(with_note) == decided(of)


@given(conversations)
def test_readings_survive_their_storage(of: Conversation) -> None:
    """What comes from the cache gives the same review as what comes from the model."""
    fresh = readings(of)
    assert {
        of: reading_from_json(reading.input_hash, reading_to_json(reading)) for of, reading in fresh.items()
    } == fresh


def test_a_reopening_begins_the_next_round() -> None:
    """A provisional review is written over, a final one only while it stays closed."""

    def latest(state: ReviewState) -> LatestReview:
        return LatestReview(round=2, state=state, reopen_count=1)

    assert round_of(None, state=PROVISIONAL, reopen_count=0) == 1
    assert round_of(latest(PROVISIONAL), state=PROVISIONAL, reopen_count=1) == 2
    assert round_of(latest(PROVISIONAL), state=FINAL, reopen_count=2) == 2
    assert round_of(latest(FINAL), state=FINAL, reopen_count=1) == 2
    assert round_of(latest(FINAL), state=PROVISIONAL, reopen_count=1) == 3
    assert round_of(latest(FINAL), state=FINAL, reopen_count=2) == 3
