"""Counterfactual texts are as right as the ones that they are made from."""

import random

import pytest

from services.autoqa.predictions import EarlierTurn, MessageInput
from services.autoqa.training.evaluation.fairness import load_pairs, swapped
from services.autoqa.training.evaluation.swaps import ORIGINS, informal, other_gender, with_names_of

RNG = random.Random(1)


def test_a_name_is_replaced_wherever_it_stands() -> None:
    """By one of the origin; titles, genitives and the rest of the text stay."""
    text = with_names_of("turkish")("Guten Tag Frau Weber, Webers Paket ist da. Gruß, Sven", RNG)
    assert text is not None
    assert "Weber" not in text
    surname = text.split()[3].rstrip(",")
    assert surname in ORIGINS["turkish"].surnames
    assert f"{surname}s Paket" in text
    assert text.split()[-1] in ORIGINS["turkish"].men


def test_what_is_no_name_is_left_alone() -> None:
    """A title without a surname, a text without names."""
    for text in (
        "Sehr geehrte Damen und Herren, wo ist mein Paket?",
        "Frau Dr. kommt gleich",
        "No names here.",
    ):
        assert with_names_of("polish")(text, RNG) is None


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("Sehr geehrte Frau Kühn,", "Sehr geehrter Herr Kühn,"),
        ("Lieber Herr Amstad", "Liebe Frau Amstad"),
        ("Ich sprach mit Frau Obi.", "Ich sprach mit Herrn Obi."),
        ("Bitte an Herrn Obi.", "Bitte an Frau Obi."),
        ("Dear Mr Jones, thanks", "Dear Ms Jones, thanks"),
        ("Thanks Mrs. Jones", "Thanks Mr Jones"),
        ("Dear Sir,", "Dear Madam,"),
        ("Dear Sir or Madam,", None),
        ("meine Frau ist krank", None),
    ],
)
def test_the_address_changes_its_gender_and_its_adjective(text: str, expected: str | None) -> None:
    """Nothing where nobody is addressed."""
    assert other_gender(text, RNG) == expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("Können Sie mir helfen?", "Kannst du mir helfen?"),
        (
            "Wenn das so ist, haben Sie recht. Ihr Paket ist da.",
            "Wenn das so ist, hast du recht. Dein Paket ist da.",
        ),
        ("Bitte geben Sie uns Ihre Nummer.", "Bitte gib uns deine Nummer."),
        ("Ich rufe Sie an und helfe Ihnen.", "Ich rufe dich an und helfe dir."),
        ("Melden Sie sich gern.", "Melde dich gern."),
        ("Ich weiß, dass Sie gewartet haben.", None),
        ("Wo ist es?", None),
    ],
)
def test_sie_becomes_du_where_the_rules_are_sure(text: str, expected: str | None) -> None:
    """A Sie that is left makes the whole text unfit."""
    assert informal(text, RNG) == expected


def test_the_turns_before_are_swapped_alike() -> None:
    """The same person keeps the same new name."""
    message = MessageInput(
        role="customer",
        channel=None,
        text="Danke Frau Weber",
        context=(
            EarlierTurn(role="agent", text="Hier ist Frau Weber"),
            EarlierTurn(role="customer", text="ok"),
        ),
    )
    changed = swapped(message, with_names_of("polish"), "seed")
    assert changed is not None
    assert changed.text.split()[-1] == changed.context[0].text.split()[-1] != "Weber"
    assert changed.context[1].text == "ok"
    assert (
        swapped(MessageInput(role="customer", channel=None, text="ok"), with_names_of("polish"), "s") is None
    )


def test_there_are_forty_sentence_pairs_in_both_languages_and_roles() -> None:
    """Ten a kind and language, no text twice."""
    pairs = load_pairs()
    kinds = [(pair.kind, pair.language) for pair in pairs]
    assert {kind: kinds.count(kind) for kind in kinds} == {
        (kind, language): 10 for kind in ("dialect", "non_native") for language in ("de", "en")
    }
    assert {pair.role for pair in pairs} == {"customer", "agent"}
    assert len({text for pair in pairs for text in (pair.standard, pair.other)}) == 80
