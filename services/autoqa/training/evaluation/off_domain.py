"""Foreign sets: another domain, other authors, other guides. Read here only; none of their texts ships."""

import gzip
import json
import random
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray
from sklearn.metrics import average_precision_score

from services.autoqa.model.labels import LABELS, SENTIMENT_AT, SENTIMENTS
from services.autoqa.predictions import MessageInput
from services.autoqa.training.data import SEED
from services.autoqa.training.evaluation.message_logits import MessageLogits
from services.autoqa.training.evaluation.reliability import calibration_error, equal_mass_bins
from services.autoqa.training.metrics import score
from shared.domain.conversation import Channel

Floats = NDArray[np.float64]

MOST: Final = 800
"""Rows of one set."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ForeignSet:
    """`offence`: a file whose label OFFENSE is set beside our flag abuse; else its label is a sentiment."""

    name: str
    file: str
    licence_class: str
    what: str
    offence: bool = False


SETS: Final = (
    ForeignSet(
        name="germeval2017_db",
        file="germeval2017_db/dev.jsonl.gz",
        licence_class="B",
        what="posts and news about Deutsche Bahn; a post about a delay is often labelled neutral there",
    ),
    ForeignSet(
        name="xlmt_sentiment",
        file="xlmt_sentiment/dev.jsonl.gz",
        licence_class="B",
        what="tweets on anything",
    ),
    ForeignSet(
        name="airline_tweets",
        file="airline_tweets/dev.jsonl.gz",
        licence_class="B",
        what="customers' tweets to airlines; a factual complaint is negative there, neutral in our guide",
    ),
    ForeignSet(
        name="germeval2018_offense",
        file="germeval2018_offense/train.jsonl.gz",
        licence_class="A",
        what="political tweets; offence there is any insult to third parties and profanity, our flag abuse "
        "is an insult or threat to the people who serve",
        offence=True,
    ),
)


def off_domain_rows(folder: Path, reader: MessageLogits) -> list[dict[str, Any]]:
    """A row a set and language; of a set that is not there, why."""
    rows: list[dict[str, Any]] = []
    for one in SETS:
        about = {"set": one.name, "class": one.licence_class, "what": one.what}
        path = folder / one.file
        if not path.exists():
            rows.append({**about, "skipped": f"{one.file} is not in the folder of foreign sets"})
            continue
        records = seeded_sample(load_records(path))
        probabilities = reader.probabilities([_message(r) for r in records], about=one.name)
        for language in sorted({record["lang"] for record in records}):
            chosen = [i for i, record in enumerate(records) if record["lang"] == language]
            labels = [records[i]["label"] for i in chosen]
            scores = offence_scores if one.offence else sentiment_scores
            rows.append({**about, "language": language, **scores(probabilities[chosen], labels)})
    return rows


def load_records(path: Path) -> list[Mapping[str, Any]]:
    """All records of a gzip file, in order."""
    with gzip.open(path, "rt", encoding="utf-8") as lines:
        return [json.loads(line) for line in lines]


def seeded_sample(records: Sequence[Mapping[str, Any]], most: int = MOST) -> list[Mapping[str, Any]]:
    """At most `most`, the same each time."""
    return random.Random(SEED).sample(list(records), min(most, len(records)))  # noqa: S311


def sentiment_scores(probabilities: Floats, labels: Sequence[str]) -> dict[str, Any]:
    """Accuracy, macro F1 and ECE of the likeliest."""
    chosen = probabilities[:, SENTIMENT_AT].argmax(1)
    true = np.array([[str(s) for s in SENTIMENTS].index(label) for label in labels])
    bins = equal_mass_bins(probabilities[:, SENTIMENT_AT].max(1), chosen == true)
    f1 = [score(chosen == c, true == c).f1 for c in range(len(SENTIMENTS))]
    return {
        "task": "sentiment",
        "n": len(labels),
        "accuracy": round(float((chosen == true).mean()), 4),
        "f1": round(float(np.mean(f1)), 4),
        "calibration_error": round(calibration_error(bins), 4),
    }


def offence_scores(probabilities: Floats, labels: Sequence[str]) -> dict[str, Any]:
    """Our flag abuse beside their offence: precision, recall, F1 at one half, average precision."""
    abuse = probabilities[:, LABELS.index("flag.abuse")]
    true = np.array([label == "OFFENSE" for label in labels])
    scores = score(abuse >= 0.5, true)
    return {
        "task": "offence",
        "n": scores.n,
        "positives": scores.positives,
        "precision": round(scores.precision, 4),
        "recall": round(scores.recall, 4),
        "f1": round(scores.f1, 4),
        "average_precision": round(float(average_precision_score(true, abuse)), 4) if true.any() else 0.0,
    }


def _message(record: Mapping[str, Any]) -> MessageInput:
    return MessageInput(role="customer", channel=Channel.SOCIAL, text=record["text"], language=record["lang"])
