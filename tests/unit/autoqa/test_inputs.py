"""What the model is given."""

from services.autoqa.inputs import input_hash, message_inputs
from services.autoqa.predictions import EarlierTurn
from shared.domain.conversation import Channel
from tests.unit.autoqa.talk import conversation


def test_the_context_is_what_the_customer_has_seen() -> None:
    """Bots count as agents; notes, system messages, blank and deleted ones are left out."""
    of = conversation(
        "customer: one", "bot: two", "note: three", "agent:  ", "agent: gone", "agent: four", deleted=(5,)
    )
    inputs = message_inputs(of)
    assert list(inputs) == ["m1", "m6"]
    assert inputs["m1"].context == ()
    assert inputs["m6"].context == (
        EarlierTurn(role="customer", text="one"),
        EarlierTurn(role="agent", text="two"),
    )


def test_later_messages_leave_earlier_inputs_alone() -> None:
    """So each message is read once, however long the conversation grows."""
    lines = [f"{role}: text {number}" for number in range(20) for role in ("customer", "agent")]
    short, long = message_inputs(conversation(*lines[:20])), message_inputs(conversation(*lines))
    assert {of: input_hash(message) for of, message in short.items()} == {
        of: input_hash(message) for of, message in long.items() if of in short
    }


def test_the_hash_names_all_that_is_read() -> None:
    """Text, role, channel, context and language."""
    hashes = {
        input_hash(message_inputs(of)["m2"])
        for of in (
            conversation("customer: a", "agent: b"),
            conversation("customer: a", "customer: b"),
            conversation("customer: c", "agent: b"),
            conversation("agent: a", "agent: b"),
            conversation("customer: a", "agent: b", channel=Channel.CHAT),
            conversation("customer: a", "agent: bb"),
            conversation("customer: a", "agent: b", languages={1: "de"}),
        )
    }
    assert len(hashes) == 7


def test_a_message_too_short_to_tell_is_in_the_language_of_the_one_before() -> None:
    """Never in that of a later one, which may come when it has been read."""
    lines = ["customer: ok", "agent: Guten Tag", "customer: ok", "agent: Good morning", "customer: ok"]
    inputs = message_inputs(conversation(*lines, languages={2: "de", 4: "en"}))
    assert [message.language for message in inputs.values()] == [None, "de", "de", "en", "en"]


def test_context_is_bounded() -> None:
    """Megabytes before a message are not carried along."""
    inputs = message_inputs(conversation(*["customer: " + "x" * 100_000] * 30, "agent: hi"))
    assert sum(len(turn.text) for turn in inputs["m31"].context) <= 16 * 512
