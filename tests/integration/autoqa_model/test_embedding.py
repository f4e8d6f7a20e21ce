"""Embeddings of the shipped model: what custom categories are trained on."""

import numpy as np
import pytest

from services.autoqa.custom.head import read_message
from services.autoqa.custom.training import train_head
from services.autoqa.embedding import DEPTHS, ReadingModel
from services.autoqa.model import load_model
from services.autoqa.predictions import MessageInput


def agent(text: str) -> MessageInput:
    return MessageInput(role="agent", channel=None, text=text)


YES = [
    "Als kleine Entschuldigung schreibe ich Ihnen 10 Euro gut.",
    "Wir schenken Ihnen einen Gutschein über 15 Euro für den nächsten Einkauf.",
    "Ich habe Ihnen wegen der Umstände einen Rabatt von 20 % eingerichtet.",
    "As an apology we have added a $10 credit to your account.",
    "Please accept a voucher for 5 pounds for the trouble.",
    "We will waive next month's fee to make up for it.",
]
NO = [
    "Ihr Paket kommt morgen zwischen 9 und 12 Uhr.",
    "Bitte starten Sie das Gerät neu und versuchen Sie es noch einmal.",
    "Wie lautet bitte Ihre Kundennummer?",
    "Your order has been shipped and will arrive on Tuesday.",
    "I have forwarded your request to our technicians.",
    "The invoice is attached to this message.",
]


@pytest.fixture
def reading(model: ReadingModel) -> ReadingModel:
    assert model.gives_states
    return model


def test_the_pass_that_embeds_predicts_the_same(reading: ReadingModel) -> None:
    """And a message's embedding does not depend on what else is in the batch."""
    messages = [agent(text) for text in (*YES, *NO, "Ok. " * 400, "")]
    together = reading.embed(messages)
    assert [prediction for prediction, _ in together] == reading.predict(messages)
    for message, (_, embedding) in zip(messages, together, strict=True):
        ((_, alone),) = reading.embed([message])
        assert embedding.sums.shape == (len(embedding.sentences), DEPTHS, 384)
        assert alone.features() == pytest.approx(embedding.features(), abs=1e-3)
        assert all(0 <= s.start <= s.end <= len(message.text) for s in embedding.sentences)


def test_a_dozen_examples_make_a_category_in_two_languages(reading: ReadingModel) -> None:
    """Found in messages that were not among them, with the sentence that says so."""
    read = reading.embed([agent(text) for text in (*YES, *NO)])
    features = np.stack([embedding.features() for _, embedding in read])
    made = train_head(features, np.arange(12) < 6)
    text = "Guten Tag Frau Weber. Als Ausgleich bekommen Sie von uns einen Gutschein über 20 Euro. Bis bald!"
    ((_, found), (_, other)) = reading.embed([agent(text), agent("Guten Tag, wo wohnen Sie bitte?")])
    shown = read_message(made.head, found, input_hash=b"")
    assert shown.probability > 0.5 > read_message(made.head, other, input_hash=b"").probability
    assert "Gutschein" in text[shown.evidence.start : shown.evidence.end]


def test_graph_and_reference_embed_alike(reading: ReadingModel) -> None:
    """Int8 moves the features a little, not to somewhere else."""
    pytest.importorskip("torch", reason="the reference runtime needs torch (extra 'train' or 'gpu')")
    reference = load_model("torch", threads=2)
    messages = [agent(text) for text in (*YES, *NO)]
    ours = np.stack([embedding.features() for _, embedding in reading.embed(messages)])
    theirs = np.stack([embedding.features() for _, embedding in reference.embed(messages)])
    assert np.sum(ours * theirs, axis=1).min() > 0.97
