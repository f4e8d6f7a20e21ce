"""Ids that follow from what they name."""

from hypothesis import given
from hypothesis import strategies as st

from shared.contracts import topics
from shared.ids import conversation_id


def test_the_same_conversation_always_gets_the_same_id() -> None:
    """The id may be stored by clients: it never changes between releases."""
    assert conversation_id("demo", "zendesk", "22129848", "5158") == "c74bd406-dab0-59b4-950c-23669daf6ae0"


@given(st.tuples(*[st.text(max_size=8)] * 4), st.tuples(*[st.text(max_size=8)] * 4))
def test_different_conversations_get_different_ids(
    left: tuple[str, str, str, str], right: tuple[str, str, str, str]
) -> None:
    """Also when a separator stands inside a part."""
    normal = [
        tuple(part or "-" if i == 2 else part for i, part in enumerate(parts)) for parts in (left, right)
    ]
    assert (conversation_id(*left) == conversation_id(*right)) == (normal[0] == normal[1])


def test_an_unknown_account_has_a_place_in_the_key() -> None:
    """Vendors without an account id still get four parts."""
    assert topics.conversation_key("demo", "zammad", None, "1081") == b"demo:zammad:-:1081"
