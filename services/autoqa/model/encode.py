"""From a message to token windows, the same for training and serving.

    <s> role channel: earlier turns </s> message </s>

The earlier turns keep their last tokens, about 64. A long message becomes several windows that start at
sentences; of a very long one only the head and the tail are read, so that work is bounded. A window knows
which sentence each of its message tokens came from: that turns token contributions into evidence.
"""

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from tokenizers import Encoding, Tokenizer

from services.autoqa.model.sentences import split_sentences
from services.autoqa.predictions import EarlierTurn, MessageInput, Span

CONTEXT_TOKENS: Final = 64
MESSAGE_TOKENS: Final = 256
"""Most message tokens of one window; 99.9 % of our own messages fit into one."""
MAX_WINDOWS: Final = 8
"""Windows of one message: the first half from its head, the rest from its tail."""
MAX_CHARS: Final = 4 * MESSAGE_TOKENS * MAX_WINDOWS
"""Code points that are tokenised at all; a German or English token spans about four."""
_CONTEXT_CHARS: Final = 8 * CONTEXT_TOKENS

_BOS: Final = 0
_EOS: Final = 2
_SPACE: Final = "▁"
_SURROGATES: Final = re.compile("[\ud800-\udfff]")


@dataclass(frozen=True, slots=True, kw_only=True)
class Window:
    """Token ids of one forward pass; the message's own tokens are `ids[first:last]`.

    `sentences[i]` is the index of the sentence that token `first + i` belongs to.
    """

    ids: tuple[int, ...]
    first: int
    last: int
    sentences: tuple[int, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class EncodedMessage:
    """The windows of a message (at least one) and its sentences (at least one, empty for an empty text)."""

    windows: tuple[Window, ...]
    sentences: tuple[Span, ...]

    @property
    def tokens(self) -> int:
        """What the message costs."""
        return sum(len(window.ids) for window in self.windows)


class Encoder:
    """Turns messages into windows. Thread-safe: the tokenizer holds no state between calls."""

    def __init__(self, tokenizer_file: Path) -> None:
        self._tokenizer = Tokenizer.from_file(str(tokenizer_file))
        self._tokenizer.no_padding()
        self._tokenizer.no_truncation()
        self._blank = self._ids(_SPACE)[0]

    def encode(self, message: MessageInput) -> EncodedMessage:
        """All windows of `message`. Bounded work for any length of text and context."""
        text = message.text
        prefix = self._prefix(message)
        pieces = _pieces(text)
        sentences = [span for start, end in pieces for span in split_sentences(text, start, end)]
        if not sentences:
            return self._blank_message(prefix, text)
        runs = [run for start, end in pieces for run in self._runs(text, start, end, sentences)]
        windows = tuple(_window(prefix, run) for run in _bounded(_pack(runs)))
        if not windows:
            return self._blank_message(prefix, text)
        return EncodedMessage(windows=windows, sentences=tuple(sentences))

    def _blank_message(self, prefix: list[int], text: str) -> EncodedMessage:
        whole = Span(start=0, end=len(text))
        return EncodedMessage(windows=(_window(prefix, [(self._blank, 0)]),), sentences=(whole,))

    def _prefix(self, message: MessageInput) -> list[int]:
        who = f"{message.role} {message.channel}:" if message.channel else f"{message.role}:"
        return [_BOS, *self._ids(who), *self._context(message.context), _EOS]

    def _context(self, turns: Sequence[EarlierTurn]) -> list[int]:
        ids: list[int] = []
        for turn in reversed(turns):
            ids = self._ids(f"{turn.role}: {turn.text[-_CONTEXT_CHARS:]}") + ids
            if len(ids) >= CONTEXT_TOKENS:
                break
        return ids[-CONTEXT_TOKENS:]

    def _ids(self, text: str) -> list[int]:
        return list(self._tokenize(text).ids)

    def _tokenize(self, text: str) -> Encoding:
        """A lone surrogate, which the tokenizer refuses, is read as a replacement character."""
        return self._tokenizer.encode(_SURROGATES.sub("\ufffd", text), add_special_tokens=False)

    def _runs(
        self, text: str, start: int, end: int, sentences: Sequence[Span]
    ) -> Iterable[list[tuple[int, int]]]:
        """(token id, sentence index) of `text[start:end]`, one list a sentence, tokenised in one go.

        A token belongs to the last sentence that starts at or before its first visible code point. Offsets
        only choose the sentence: whatever normalisation did to them, a span stays exact.
        """
        encoding = self._tokenize(text[start:end])
        index = next((i for i, s in enumerate(sentences) if s.end > start), len(sentences) - 1)
        run: list[tuple[int, int]] = []
        for token, (left, right) in zip(encoding.ids, encoding.offsets, strict=True):
            at = start + max(left, right - 1)
            following = index
            while following + 1 < len(sentences) and sentences[following + 1].start <= at:
                following += 1
            if following != index and run:
                yield run
                run = []
            index = following
            run.append((token, index))
        if run:
            yield run


def _pieces(text: str) -> list[tuple[int, int]]:
    """The whole text, or the head and the tail of a very long one."""
    if len(text) <= MAX_CHARS:
        return [(0, len(text))]
    half = MAX_CHARS // 2
    return [(0, half), (len(text) - half, len(text))]


def _pack(runs: Iterable[list[tuple[int, int]]]) -> list[list[tuple[int, int]]]:
    """Sentences gathered into windows of at most MESSAGE_TOKENS; an overlong sentence is cut."""
    windows: list[list[tuple[int, int]]] = [[]]
    for run in runs:
        if len(windows[-1]) + len(run) > MESSAGE_TOKENS and windows[-1]:
            windows.append([])
        windows[-1].extend(run)
        while len(windows[-1]) > MESSAGE_TOKENS:
            windows.append(windows[-1][MESSAGE_TOKENS:])
            del windows[-2][MESSAGE_TOKENS:]
    return [window for window in windows if window]


def _bounded(windows: list[list[tuple[int, int]]]) -> list[list[tuple[int, int]]]:
    if len(windows) <= MAX_WINDOWS:
        return windows
    half = MAX_WINDOWS // 2
    return windows[:half] + windows[-half:]


def _window(prefix: list[int], run: Sequence[tuple[int, int]]) -> Window:
    return Window(
        ids=(*prefix, *(token for token, _ in run), _EOS),
        first=len(prefix),
        last=len(prefix) + len(run),
        sentences=tuple(sentence for _, sentence in run),
    )
