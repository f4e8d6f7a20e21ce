"""Rates conversations: reads what the model has not read yet, then decides.

conversations | inputs | minus what is known | model | agents' poor tone: once more as anybody's | decide
"""

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from services.autoqa.decide import Decided, Judgement, decide
from services.autoqa.inference import Inference
from services.autoqa.inputs import input_hash, message_inputs
from services.autoqa.predictions import AgentPrediction, CustomerPrediction, MessageInput
from services.autoqa.readings import Reading
from services.autoqa.transcript import AbuseCheck
from shared.domain.conversation import Conversation
from shared.domain.labels import MessageFlag, Tone
from shared.telemetry import metrics

__all__ = ["Known", "Rated", "Rater"]

Known = Mapping[tuple[str, str], Reading]
"""Readings of this model revision by (conversation id, message id)."""

_Key = tuple[str, str]


@dataclass(frozen=True, slots=True, kw_only=True)
class Rated:
    """A conversation with its review. `fresh` names the messages whose reading was not known before."""

    conversation: Conversation
    decided: Decided
    readings: Mapping[str, Reading]
    fresh: frozenset[str]


class Rater:
    """The model and the rules, joined."""

    def __init__(self, *, inference: Inference, judgement: Judgement) -> None:
        self._inference = inference
        self.judgement = judgement

    async def rate(
        self,
        conversations: Sequence[Conversation],
        *,
        known: Known,
        now: datetime,
        untimed: frozenset[str] = frozenset(),
    ) -> list[Rated]:
        """One result a conversation, in order; their ids must differ.

        Each message goes through the model at most once, an agent's a second time where its tone may be
        poor. The times of conversations in `untimed` are not judged.
        """
        inputs, hashes = await asyncio.to_thread(_prepare, conversations)
        readings = {
            key: known[key] for key in inputs if key in known and known[key].input_hash == hashes[key]
        }
        metrics.MESSAGES_CACHED.inc(len(readings))
        fresh = [key for key in inputs if key not in readings]
        predictions = await self._inference.predict([inputs[key] for key in fresh])
        for key, prediction in zip(fresh, predictions, strict=True):
            readings[key] = Reading(input_hash=hashes[key], prediction=prediction)
        checked = await self._check_abuse(inputs, readings)
        changed = [*fresh, *checked]
        return await asyncio.to_thread(self._decide, conversations, readings, changed, now, untimed)

    async def _check_abuse(
        self, inputs: Mapping[_Key, MessageInput], readings: dict[_Key, Reading]
    ) -> list[_Key]:
        """The model knows abuse from customers' messages only, so an agent's is read as one of those."""
        threshold = self.judgement.policy.abuse_check_from
        doubtful = [
            key
            for key, reading in readings.items()
            if isinstance(reading.prediction, AgentPrediction)
            and reading.abuse is None
            and reading.prediction.tone[Tone.POOR] >= threshold
        ]
        inverted = [replace(inputs[key], role="customer", context=()) for key in doubtful]
        for key, prediction in zip(doubtful, await self._inference.predict(inverted), strict=True):
            if isinstance(prediction, CustomerPrediction):
                abuse = AbuseCheck(
                    probability=prediction.flags[MessageFlag.ABUSE],
                    evidence=prediction.flag_evidence[MessageFlag.ABUSE],
                )
                readings[key] = replace(readings[key], abuse=abuse)
        return doubtful

    def _decide(
        self,
        conversations: Sequence[Conversation],
        readings: Mapping[_Key, Reading],
        changed: Sequence[_Key],
        now: datetime,
        untimed: frozenset[str],
    ) -> list[Rated]:
        by_conversation: dict[str, dict[str, Reading]] = {c.id: {} for c in conversations}
        for (conversation_id, message_id), reading in readings.items():
            by_conversation[conversation_id][message_id] = reading
        fresh: dict[str, set[str]] = {conversation.id: set() for conversation in conversations}
        for conversation_id, message_id in changed:
            fresh[conversation_id].add(message_id)
        return [
            Rated(
                conversation=conversation,
                decided=decide(
                    conversation,
                    by_conversation[conversation.id],
                    self.judgement,
                    now=now,
                    is_timed=conversation.id not in untimed,
                ),
                readings=by_conversation[conversation.id],
                fresh=frozenset(fresh[conversation.id]),
            )
            for conversation in conversations
        ]


def _prepare(conversations: Sequence[Conversation]) -> tuple[dict[_Key, MessageInput], dict[_Key, bytes]]:
    inputs = {
        (conversation.id, message_id): message
        for conversation in conversations
        for message_id, message in message_inputs(conversation).items()
    }
    return inputs, {key: input_hash(message) for key, message in inputs.items()}
