"""What the model is meant to reach on conversations it has not seen, each language apart."""

from collections.abc import Mapping
from typing import Final

from services.autoqa.model.labels import FLAGS, LABELS

LABEL_F1: Final[Mapping[str, float]] = {
    "signal.greeting": 0.97,
    "signal.closing": 0.93,
    "signal.empathy": 0.88,
    "signal.solution": 0.92,
    "signal.follow_up": 0.87,
    "signal.clarifying": 0.87,
    "signal.further_help": 0.87,
    **{f"flag.{flag}": 0.80 for flag in FLAGS},
}
"""F1 of single labels; those of sentiment and tone are judged together."""
HEAD_F1: Final[Mapping[str, float]] = {"flag": 0.87, "sentiment": 0.85, "tone": 0.80}
"""Mean F1 over a head's labels."""
RESOLVED_F1: Final = 0.75
CSAT_WITHIN_ONE_RATIO: Final = 0.90
CALIBRATION_ERROR: Final = 0.05
"""At most, a head."""
RIGHT_RATIO: Final = 0.95
"""Of the answers above the confidence floor."""
COVERAGE_RATIO: Final = 0.80
"""Of the answers that are above the floor."""
EVIDENCE_RATIO: Final = 0.90
"""Of the spans of a sample that overlap the decisive words."""

HEADS: Final = tuple(dict.fromkeys(label.split(".")[0] for label in LABELS))
"""Sentiment, flag, signal, tone: in the order of the labels."""
EVERY_LANGUAGE: Final = ("de", "en", "all")
"""Rows of a table: German, English, both."""
