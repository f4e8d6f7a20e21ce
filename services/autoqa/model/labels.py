"""The order of the model's outputs: one row of logits holds all heads, whoever speaks."""

from typing import Final

from shared.domain.labels import MessageFlag, Sentiment, Signal, Tone

SENTIMENTS: Final = tuple(Sentiment)
FLAGS: Final = tuple(MessageFlag)
SIGNALS: Final = tuple(Signal)
TONES: Final = tuple(Tone)

LABELS: Final[tuple[str, ...]] = (
    *(f"sentiment.{label}" for label in SENTIMENTS),
    *(f"flag.{label}" for label in FLAGS),
    *(f"signal.{label}" for label in SIGNALS),
    *(f"tone.{label}" for label in TONES),
)
"""Names of the logits, in order; stored with the weights, so that a mismatch is found at load."""

SENTIMENT_AT: Final = slice(0, len(SENTIMENTS))
FLAGS_AT: Final = slice(SENTIMENT_AT.stop, SENTIMENT_AT.stop + len(FLAGS))
SIGNALS_AT: Final = slice(FLAGS_AT.stop, FLAGS_AT.stop + len(SIGNALS))
TONE_AT: Final = slice(SIGNALS_AT.stop, SIGNALS_AT.stop + len(TONES))
