"""Languages of messages and of conversations."""

from datetime import UTC, datetime

import pytest

from services.ingest.language import LanguageDetector, of_conversation
from shared.domain.conversation import Message, Role

DETECTOR = LanguageDetector()


@pytest.mark.parametrize(
    ("text", "language"),
    [
        ("Guten Tag, wo bleibt meine Bestellung?", "de"),
        ("Where is my order? It should have been here on Friday.", "en"),
        ("Vielen Dank für die schnelle Antwort! https://shop.example/order/status", "de"),
        ("ok", None),
        ("4711", None),
        ("https://shop.example/where-is-my-order 12345", None),
        ("", None),
        ("😀" * 50, None),
    ],
)
def test_a_message_has_a_language_where_there_is_enough_of_it(text: str, language: str | None) -> None:
    """Links, addresses and numbers are no language."""
    assert DETECTOR.detect(text) == language


def test_only_known_languages_can_be_configured() -> None:
    """A typing error in the settings shows at the start."""
    with pytest.raises(ValueError, match="xx"):
        LanguageDetector(["de", "xx"])
    with pytest.raises(ValueError, match="none"):
        LanguageDetector([])
    assert LanguageDetector(["de"]).detect("Hello, where is my order?") == "de"


def message(role: Role, text: str, language: str | None) -> Message:
    """A message in a language."""
    return Message(id=text, role=role, at=datetime(2026, 3, 2, tzinfo=UTC), text=text, language=language)


def test_a_conversation_speaks_the_language_of_most_of_its_text() -> None:
    """Notes and templates do not count; the helpdesk's word is taken where nothing is told."""
    said = [
        message(Role.CUSTOMER, "Hi there, thanks", "en"),
        message(Role.AGENT, "Guten Tag, sehr gern geschehen", "de"),
        message(Role.NOTE, "customer speaks english, a long note about it", "en"),
    ]
    lengths = {one.id: len(one.text) for one in said}
    assert of_conversation(said, lengths=lengths, told="fr") == "de"
    assert of_conversation([message(Role.CUSTOMER, "ok", None)], lengths={}, told="fr") == "fr"
    assert of_conversation([], lengths={}) is None
