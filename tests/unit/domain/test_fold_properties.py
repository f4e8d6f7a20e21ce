"""The fold forgets the order and the number of arrivals."""

import json
from dataclasses import replace
from datetime import datetime

from hypothesis import given
from hypothesis import strategies as st

from shared.domain.fold import EMPTY, MessageState, State, conversation, fold, merge
from shared.domain.ticket_event import EventKind, TicketEvent
from tests.unit.domain.generated import histories

History = list[tuple[TicketEvent, datetime]]
Folded = tuple[State, dict[str, MessageState]]


def folded(history: History, start: Folded = (EMPTY, {})) -> Folded:
    """One event after the other, as the service does it."""
    state, messages = start[0], dict(start[1])
    for event, received_at in history:
        state, changed = fold(state, messages, event, received_at=received_at)
        messages.update(changed)
    return state, messages


@given(histories, st.data())
def test_any_order_and_any_repetition_give_the_same_conversation(
    history: History, data: st.DataObject
) -> None:
    """Registers, messages and the conversation that people see."""
    repeated = data.draw(st.lists(st.sampled_from(history), max_size=5)) if history else []
    shuffled = data.draw(st.permutations(history + repeated))
    assert folded(shuffled) == folded(history)
    assert conversation(*folded(shuffled)) == conversation(*folded(history))


@given(histories, histories, histories)
def test_partial_folds_join_in_any_grouping(first: History, second: History, third: History) -> None:
    """Merging is commutative and associative, and is the same as folding all."""

    def joined(left: Folded, right: Folded) -> Folded:
        state, changed = merge(*left, *right)
        return state, {**left[1], **changed}

    a, b, c = folded(first), folded(second), folded(third)
    assert joined(a, b) == joined(b, a)
    assert joined(joined(a, b), c) == joined(a, joined(b, c))
    assert joined(joined(a, b), c) == folded(first + second + third)
    assert joined(a, a) == a


@given(histories)
def test_only_changed_messages_are_given_back(history: History) -> None:
    """Folding a known history again changes nothing."""
    state, messages = folded(history)
    for event, received_at in history:
        assert fold(state, messages, event, received_at=received_at) == (state, {})


@given(histories)
def test_state_and_messages_survive_their_json(history: History) -> None:
    """What is stored and read again folds on as if it had never left memory."""
    state, messages = folded(history)
    assert State.from_json(json.loads(json.dumps(state.to_json()))) == state
    for message in messages.values():
        assert MessageState.from_json(json.loads(json.dumps(message.to_json()))) == message
        columns = json.loads(json.dumps(message.stamps_json()))
        again = MessageState.of_columns(columns, text=message.text, quoted_text=message.quoted_text)
        assert again == message


@given(histories, histories)
def test_a_deleted_conversation_keeps_no_text_whatever_comes_later(before: History, after: History) -> None:
    """Deletion is absorbing: subject, comments, customer, texts and authors stay gone."""
    deletions = [pair for pair in before + after if pair[0].kind is EventKind.CONVERSATION_DELETED]
    seen = conversation(*folded(before + after))
    assert seen.deleted == bool(deletions)
    if deletions:
        assert (seen.subject, seen.customer_id) == (None, None)
        assert all(answer.comment is None for answer in seen.surveys.values())
        assert all((m.text, m.author_id, m.deleted) == ("", None, True) for m in seen.messages)


@given(histories)
def test_texts_that_no_event_names_need_not_be_read(history: History) -> None:
    """Folding with their marks alone ends at the same state, and people see the same messages."""
    state, stored = EMPTY, dict[str, MessageState]()
    for event, received_at in history:
        named = {message["id"] for message in event.messages}
        known = {
            key: message
            if key in named
            else MessageState.unread(json.loads(json.dumps(message.stamps_json())))
            for key, message in stored.items()
        }
        state, changed = fold(state, known, event, received_at=received_at)
        assert all(message.mark is None for message in changed.values())
        stored.update(changed)
        seen = conversation(state, known | changed)
        whole = conversation(state, stored)
        assert [message.id for message in seen.messages] == [message.id for message in whole.messages]
        assert replace(seen, messages=()) == replace(whole, messages=())
        lengths = {key: message.text_length for key, message in (known | changed).items()}
        assert lengths == {key: len(message.text) for key, message in stored.items()}
    assert (state, stored) == folded(history)


@given(histories)
def test_a_deleted_message_keeps_no_text_whatever_comes_later(history: History) -> None:
    """Redaction is absorbing too."""
    gone = {
        message["id"]
        for event, _ in history
        if event.kind is not EventKind.PING
        for message in event.messages
        if message.get("deleted") or event.kind is EventKind.MESSAGE_DELETED
    }
    _, messages = folded(history)
    for key, message in messages.items():
        if key in gone:
            assert (message.text, message.quoted_text, message.deleted) == ("", None, True)


@given(histories)
def test_messages_stand_in_the_order_of_time_and_id(history: History) -> None:
    """So that evidence and turns do not depend on arrival."""
    shown = conversation(*folded(history)).messages
    assert [(m.at, m.id) for m in shown] == sorted((m.at, m.id) for m in shown)
