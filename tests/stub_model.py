"""A message model for tests: says what the words `[name]` or `[name=0.7]` in a text tell it to say.

"Hello [greeting] there [solution=0.7]" by an agent: greeting 1, solution 0.7, all else 0, tone good.
"""

import re
import threading
import zlib
from collections.abc import Mapping, Sequence
from typing import Final, TypeVar

import numpy as np

from services.autoqa.embedding import DEPTHS, Embedding
from services.autoqa.model.sentences import split_sentences
from services.autoqa.predictions import AgentPrediction, CustomerPrediction, MessageInput, Prediction, Span
from shared.domain.conversation import Role
from shared.domain.labels import MessageFlag, Resolved, Sentiment, Signal, Tone

_L = TypeVar("_L", Sentiment, Tone)
_WIDTH: Final = 64
_MARK: Final = re.compile(r"\[(\w+)(?:=([\d.]+))?\]")


class StubModel:
    """Counts what it was given; `revision` as told."""

    def __init__(self, revision: str = "stub-1", *, gives_states: bool = True) -> None:
        self._revision = revision
        self._gives_states = gives_states
        self._lock = threading.Lock()
        self.read: list[MessageInput] = []
        """Every message it read, in order."""
        self.passes = 0

    @property
    def revision(self) -> str:
        """As told."""
        return self._revision

    def token_counts(self, messages: Sequence[MessageInput]) -> list[int]:
        """One a word, with one for the end."""
        return [len(message.text.split()) + 1 for message in messages]

    @property
    def gives_states(self) -> bool:
        """As told."""
        return self._gives_states

    def embed(self, messages: Sequence[MessageInput]) -> list[tuple[Prediction, Embedding]]:
        """Words as directions: messages that share words are alike."""
        return list(zip(self.predict(messages), map(embed_one, messages), strict=True))

    def predict(self, messages: Sequence[MessageInput]) -> list[Prediction]:
        """From the marks in the texts."""
        with self._lock:
            self.read += messages
            self.passes += 1
        return [predict_one(message) for message in messages]


def embed_one(message: MessageInput) -> Embedding:
    """Each word of a sentence adds to one of 64 places, at every depth."""
    sentences = split_sentences(message.text) or [Span(start=0, end=len(message.text))]
    sums = np.zeros((len(sentences), DEPTHS, _WIDTH), dtype=np.float32)
    count = 0
    for number, sentence in enumerate(sentences):
        for word in re.findall(r"\w+", message.text[sentence.start : sentence.end].casefold()):
            sums[number, :, zlib.crc32(word.encode()) % _WIDTH] += 1
            count += 1
    return Embedding(sentences=tuple(sentences), sums=sums, tokens=max(count, 1))


def predict_one(message: MessageInput) -> Prediction:
    """From the marks in the text; evidence is the mark."""
    marks = {m.group(1): (float(m.group(2) or 1), _span(m)) for m in _MARK.finditer(message.text)}
    whole = Span(start=0, end=len(message.text))
    if message.role == "customer":
        return CustomerPrediction(
            sentiment=_choice({s: marks[s][0] for s in Sentiment if s in marks}, list(Sentiment), 1),
            flags={flag: marks[flag][0] if flag in marks else 0.0 for flag in MessageFlag},
            sentiment_evidence=next((marks[s][1] for s in Sentiment if s in marks), whole),
            flag_evidence={flag: marks[flag][1] if flag in marks else whole for flag in MessageFlag},
        )
    return AgentPrediction(
        signals={signal: marks[signal][0] if signal in marks else 0.0 for signal in Signal},
        tone=_choice({t: marks[t][0] for t in Tone if t in marks}, list(Tone), 0),
        signal_evidence={signal: marks[signal][1] if signal in marks else whole for signal in Signal},
        tone_evidence=next((marks[t][1] for t in Tone if t in marks), whole),
    )


def stub_outcome(
    turns: Sequence[tuple[Role, Prediction]],
) -> tuple[Mapping[Resolved, float], float]:
    """Resolved as far as a solution was given."""
    solved = max(
        (p.signals[Signal.SOLUTION] for _, p in turns if isinstance(p, AgentPrediction)), default=0.0
    )
    return {Resolved.YES: solved, Resolved.NO: 1 - solved, Resolved.UNCLEAR: 0.0}, 1 + 4 * solved


def _choice(told: Mapping[_L, float], labels: Sequence[_L], default: int) -> dict[_L, float]:
    rest = max(0.0, 1 - sum(told.values()))
    others = [label for label in labels if label not in told]
    home = labels[default] if labels[default] in others else (others[0] if others else None)
    return {label: told.get(label, rest if label == home else 0.0) for label in labels}


def _span(match: re.Match[str]) -> Span:
    return Span(start=match.start(), end=match.end())
