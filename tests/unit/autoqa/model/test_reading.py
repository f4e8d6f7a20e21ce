"""Windows joined and evidence chosen, on numbers written by hand."""

import numpy as np

from services.autoqa.model.confidence import Confidence
from services.autoqa.model.encode import EncodedMessage, Window
from services.autoqa.model.labels import LABELS
from services.autoqa.model.reading import read_message
from services.autoqa.predictions import CustomerPrediction, Span
from shared.domain.labels import MessageFlag, Sentiment

SENTENCES = (Span(start=0, end=10), Span(start=11, end=20), Span(start=21, end=30))
CHURN = LABELS.index("flag.churn")
NEGATIVE = LABELS.index("sentiment.negative")


def window(*sentences: int) -> Window:
    return Window(ids=(0, *sentences, 2), first=1, last=1 + len(sentences), sentences=sentences)


def read(
    windows: list[Window], logits: list[dict[int, float]], tokens: list[list[float]]
) -> CustomerPrediction:
    """Every label's contributions are the same; only the named logits differ from 0."""
    rows = [np.array([row.get(i, 0.0) for i in range(len(LABELS))], dtype=np.float32) for row in logits]
    parts = [np.repeat(np.array(values, dtype=np.float32)[:, None], len(LABELS), axis=1) for values in tokens]
    for part in parts:
        part[:, NEGATIVE] *= 2
    encoded = EncodedMessage(windows=tuple(windows), sentences=SENTENCES)
    prediction = read_message("customer", encoded, rows, parts, Confidence.untrained())
    assert isinstance(prediction, CustomerPrediction)
    return prediction


def test_evidence_is_the_sentence_with_the_largest_sum() -> None:
    """Two middling tokens of one sentence outweigh one strong token of another."""
    prediction = read([window(0, 0, 1, 2)], [{CHURN: 2.0, NEGATIVE: 1.0}], [[1.0, 1.0, 1.5, 0.1]])
    assert prediction.flag_evidence[MessageFlag.CHURN] == SENTENCES[0]
    assert prediction.sentiment_evidence == SENTENCES[0]


def test_a_flag_counts_as_in_its_strongest_window_and_sentiment_is_the_mean() -> None:
    """The second window has the flag; its sentence is the evidence."""
    prediction = read(
        [window(0, 1), window(2)],
        [{CHURN: -3.0, NEGATIVE: 4.0}, {CHURN: 3.0, NEGATIVE: -4.0}],
        [[5.0, 1.0], [0.5]],
    )
    assert prediction.flags[MessageFlag.CHURN] > 0.95
    assert prediction.flag_evidence[MessageFlag.CHURN] == SENTENCES[2]
    assert prediction.sentiment[Sentiment.NEGATIVE] == 0.3333
