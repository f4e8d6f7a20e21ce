"""What the fold makes of the stories that helpdesks tell."""

from datetime import UTC, datetime, timedelta
from typing import Any, cast

import pytest

from shared.domain.conversation import Role, Status, SurveyKind
from shared.domain.fold import EMPTY, FoldedConversation, MessageState, conversation, fold
from shared.domain.ticket_event import ConversationFacts, EventKind, MessageFacts, TicketEvent

START = datetime(2026, 3, 2, 8, 0, tzinfo=UTC)


def at(minutes: int) -> datetime:
    """So many minutes after the start."""
    return START + timedelta(minutes=minutes)


def told(
    minutes: int | None,
    *messages: MessageFacts,
    kind: EventKind = EventKind.CONVERSATION_UPDATED,
    **facts: Any,
) -> TicketEvent:
    """An event at that minute, None for a helpdesk that gives no time."""
    return TicketEvent(
        source="generic",
        account_id=None,
        delivery_id=None,
        kind=kind,
        source_event=None,
        occurred_at=None if minutes is None else at(minutes),
        conversation=cast(ConversationFacts, {"id": "7", **facts}),
        messages=messages,
    )


def said(message_id: str, role: Role, minutes: int, text: str = "Hallo", **more: Any) -> MessageFacts:
    """A message as an event tells it."""
    return cast(MessageFacts, {"id": message_id, "role": role, "at": at(minutes), "text": text, **more})


def after(*events: TicketEvent, received: int = 500) -> FoldedConversation:
    """The conversation after those events."""
    state, messages = EMPTY, dict[str, MessageState]()
    for event in events:
        state, changed = fold(state, messages, event, received_at=at(received))
        messages |= changed
    return conversation(state, messages)


def test_an_absent_fact_never_overwrites_and_null_does() -> None:
    """Absent says nothing; null says that it is empty."""
    seen = after(told(1, subject="Rechnung", priority="high"), told(2, subject=None))
    assert (seen.subject, seen.priority) == (None, "high")


def test_an_older_update_that_comes_late_does_not_overwrite() -> None:
    """State follows `updated_at`, not arrival."""
    seen = after(told(9, tags=["neu"], updated_at=at(9)), told(10, tags=["alt"], updated_at=at(3)))
    assert seen.tags == ("neu",)


def test_an_edit_replaces_the_text_and_a_late_original_does_not_bring_it_back() -> None:
    """Messages have registers of their own."""
    original, edit = told(1, said("m", Role.AGENT, 1, "v1")), told(2, said("m", Role.AGENT, 1, "v2"))
    assert after(edit, original).messages[0].text == after(original, edit).messages[0].text == "v2"


def test_a_deletion_that_comes_before_its_message_holds() -> None:
    """The text never shows, the message stays in its place."""
    seen = after(
        told(5, {"id": "m", "deleted": True}, kind=EventKind.MESSAGE_DELETED),
        told(1, said("m", Role.CUSTOMER, 1, "geheim", quoted_text="auch geheim")),
    )
    assert [(m.id, m.text, m.deleted) for m in seen.messages] == [("m", "", True)]


def test_a_message_of_unknown_role_waits_for_its_event() -> None:
    """A redaction alone tells no role."""
    assert after(told(5, {"id": "m", "deleted": True})).messages == ()


def test_solved_at_is_the_beginning_of_the_present_solved_period() -> None:
    """Closing happens days after solving and changes nothing; reopening does."""
    solved, closed = told(10, status=Status.SOLVED), told(99, status=Status.CLOSED)
    reopened, again = told(20, status=Status.OPEN), told(30, status=Status.SOLVED)
    assert after(closed, solved).solved_at == at(10)
    assert after(reopened, solved).solved_at is None
    assert after(again, solved, reopened, closed).solved_at == at(30)


def test_reopenings_are_counted_in_the_order_of_time() -> None:
    """Arrival in reverse, and every event twice."""
    events = [
        told(i, status=status)
        for i, status in enumerate([Status.OPEN, Status.SOLVED, Status.OPEN, Status.PENDING, Status.CLOSED])
    ]
    assert after(*reversed(events), *events, told(9, status=Status.NEW)).reopens == 2


def test_a_visit_to_the_bin_is_no_reopening() -> None:
    """Soft deletion and undeletion say nothing of the work."""
    seen = after(told(1, status=Status.SOLVED), told(2, status=Status.DELETED), told(3, status=Status.SOLVED))
    assert (seen.reopens, seen.solved_at) == (0, at(1))


def test_the_helpdesks_own_solved_at_is_taken_while_it_is_of_this_period() -> None:
    """An old one, from before a reopening, is not."""
    own = told(10, status=Status.SOLVED, solved_at=at(8))
    assert after(own).solved_at == at(8)
    assert after(own, told(20, status=Status.OPEN), told(30, status=Status.SOLVED)).solved_at == at(30)


def test_the_first_reply_is_a_humans_and_follows_the_customer() -> None:
    """Bots, automatic mails and notes do not count; the helpdesk's own word does."""
    seen = after(
        told(0, said("m0", Role.AGENT, 0), said("m1", Role.CUSTOMER, 1), said("m2", Role.BOT, 2)),
        told(9, said("m3", Role.SYSTEM, 3), said("m4", Role.NOTE, 4), said("m5", Role.AGENT, 5)),
    )
    assert seen.first_reply_at == at(5)
    assert after(told(1, said("m1", Role.CUSTOMER, 1)), told(9, first_reply_at=at(7))).first_reply_at == at(7)


def test_a_description_steps_back_once_it_came_as_a_message() -> None:
    """Zendesk sends the first message twice, once without an id."""
    described = told(1, said("desc-7", Role.CUSTOMER, 1, "Hallo,\n\nwo?"))
    assert [m.id for m in after(described).messages] == ["desc-7"]
    comment = told(2, said("c1", Role.CUSTOMER, 1, "Hallo, wo?"))
    assert [m.id for m in after(comment, described).messages] == ["c1"]


def test_the_assignees_name_is_found_by_id() -> None:
    """Many events tell ids only; another event or a message knows the name."""
    unnamed = told(9, assignee={"id": "a"}, team={"id": "t"})
    named = told(1, assignee={"id": "a", "name": "Anna"}, team={"id": "t", "name": "Versand"})
    assert (after(named, unnamed).agent, after(named, unnamed).team) == ("Anna", "Versand")
    wrote = told(1, said("m", Role.AGENT, 1, author={"id": "a", "name": "Anna W."}))
    assert after(unnamed, wrote).agent == "Anna W."
    assert (after(unnamed).agent, after(unnamed).team) == ("a", "t")


def test_nobodys_name_sticks_to_another_id() -> None:
    """A new assignee without a name is not shown under the old one's."""
    assert after(told(1, assignee={"id": "a", "name": "Anna"}), told(2, assignee={"id": "b"})).agent == "b"


def test_an_answer_is_stamped_by_when_it_was_given() -> None:
    """A later event repeats the old answer; the newer one stays."""
    new = told(5, csat={"score": 2.0, "at": at(5)})
    old = told(9, csat={"score": 5.0, "at": at(2), "comment": "gut"})
    assert after(new, old).surveys[SurveyKind.CSAT].score == 2.0


def test_events_without_any_time_are_stamped_by_their_intake() -> None:
    """Freshdesk tells no times at all."""
    seen = after(
        told(None, {"id": "m", "role": Role.CUSTOMER, "text": "Hallo"}, status=Status.OPEN), received=42
    )
    assert (seen.opened_at, seen.messages[0].at) == (at(42), at(42))


def test_the_earliest_creation_wins() -> None:
    """Without any, the first message opens the conversation."""
    assert after(told(5, created_at=at(1)), told(6, created_at=at(3))).opened_at == at(1)
    assert after(told(5, said("m", Role.CUSTOMER, 2))).opened_at == at(2)


def test_a_merged_conversation_is_merged_unless_its_own_status_says_more() -> None:
    """Help Scout tells of merges on the side that goes on."""
    assert after(told(1, kind=EventKind.CONVERSATION_MERGED, merged_into="8")).status is Status.MERGED
    goes_on = told(1, kind=EventKind.CONVERSATION_MERGED, status=Status.OPEN)
    assert after(goes_on).status is Status.OPEN


def test_an_unknown_status_counts_as_open() -> None:
    """Custom states exist; their raw word is kept."""
    seen = after(told(1, status=Status.SOLVED), told(2, status=None, status_raw="Rückfrage"))
    assert (seen.status, seen.status_raw, seen.reopens) == (Status.OPEN, "Rückfrage", 1)


def test_a_ping_changes_nothing() -> None:
    """It is about the connection."""
    assert fold(EMPTY, {}, told(1, kind=EventKind.PING), received_at=at(1)) == (EMPTY, {})


@pytest.mark.parametrize("order", [1, -1])
def test_thousands_of_updates_stay_bounded(order: int) -> None:
    """The oldest statuses are forgotten, the same ones in any order."""
    state, messages = EMPTY, dict[str, MessageState]()
    events = [
        told(i, status=[Status.OPEN, Status.SOLVED][i % 2], assignee={"id": str(i), "name": "x"})
        for i in range(1000)
    ]
    for event in events[::order]:
        state, _ = fold(state, messages, event, received_at=at(0))
    assert (len(state.statuses), len(state.names)) == (256, 64)
    assert conversation(state, messages).solved_at == at(999)
    assert "person:999" in state.names
