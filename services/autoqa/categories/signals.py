"""Looking for one signal in several agent messages."""

from collections.abc import Sequence

from services.autoqa.transcript import AgentMessage, Transcript, Turn, span_of
from shared.domain.evidence import EvidenceSpan
from shared.domain.labels import Signal

__all__ = ["first_turn", "last_turn", "strongest"]


def strongest(messages: Sequence[AgentMessage], signal: Signal) -> tuple[float, tuple[EvidenceSpan, ...]]:
    """The highest probability of `signal`, and its sentence in every message that likely shows it."""
    highest = max(message.prediction.signals[signal] for message in messages)
    floor = min(0.5, highest)
    shown = [message for message in messages if message.prediction.signals[signal] >= floor]
    return highest, tuple(span_of(m.message, m.prediction.signal_evidence[signal]) for m in shown[:5])


def first_turn(transcript: Transcript) -> tuple[AgentMessage, ...]:
    """The first message of an agent with those that follow at once: in chats a greeting comes in pieces."""
    return _run(transcript.turns)


def last_turn(transcript: Transcript) -> tuple[AgentMessage, ...]:
    """The last message of an agent with those right before it."""
    return tuple(reversed(_run(transcript.turns[::-1])))


def _run(turns: Sequence[Turn]) -> tuple[AgentMessage, ...]:
    run: list[AgentMessage] = []
    for turn in turns:
        if isinstance(turn, AgentMessage):
            run.append(turn)
        elif run:
            break
    return tuple(run)
