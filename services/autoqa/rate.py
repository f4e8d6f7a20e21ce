"""Rates conversations: reads what the model has not read yet, then decides.

conversations | inputs | minus what is known | model | custom heads | agents' poor tone: once more | decide
"""

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime

from services.autoqa.custom.category import NO_CUSTOM, Custom, CustomCategory, Readings
from services.autoqa.custom.head import CategoryReading, read_message
from services.autoqa.decide import Decided, Judgement, decide
from services.autoqa.embedding import Embedding
from services.autoqa.inference import Inference
from services.autoqa.inputs import input_hash, message_inputs
from services.autoqa.predictions import AgentPrediction, CustomerPrediction, MessageInput
from services.autoqa.readings import Reading
from services.autoqa.transcript import AbuseCheck
from shared.domain.conversation import Conversation
from shared.domain.labels import MessageFlag, Tone
from shared.telemetry import metrics

__all__ = ["CustomWork", "Known", "Rated", "Rater"]

Known = Mapping[tuple[str, str], Reading]
"""Readings of this model revision by (conversation id, message id)."""

_Key = tuple[str, str]


@dataclass(frozen=True, slots=True, kw_only=True)
class Rated:
    """A conversation with its review. `fresh` names the messages whose reading was not known before.

    The same of custom categories, by message and category.
    """

    conversation: Conversation
    decided: Decided
    readings: Mapping[str, Reading]
    fresh: frozenset[str]
    category_readings: Readings
    fresh_categories: frozenset[tuple[str, str]]


@dataclass(frozen=True, slots=True, kw_only=True)
class CustomWork:
    """What a tenant added, and what its heads said of messages before, by (conversation id, message id)."""

    custom: Custom = NO_CUSTOM
    known: Mapping[_Key, Mapping[str, CategoryReading]] = field(default_factory=dict)


@dataclass(slots=True, kw_only=True)
class _Read:
    """All readings of some conversations, and which of them are new."""

    readings: dict[_Key, Reading]
    fresh: set[_Key] = field(default_factory=set)
    category_readings: dict[_Key, dict[str, CategoryReading]] = field(default_factory=dict)
    fresh_categories: set[tuple[_Key, str]] = field(default_factory=set)


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
        work: CustomWork = CustomWork(),
    ) -> list[Rated]:
        """One result a conversation, in order; their ids must differ.

        Each message goes through the model at most once, an agent's a second time where its tone may be
        poor; custom categories are read in the same pass, and again only where a reading of them is missing.
        The times of conversations in `untimed` are not judged.
        """
        inputs, hashes = await asyncio.to_thread(_prepare, conversations)
        read = _Read(
            readings={
                key: known[key] for key in inputs if key in known and known[key].input_hash == hashes[key]
            }
        )
        metrics.MESSAGES_CACHED.inc(len(read.readings))
        read.fresh = {key for key in inputs if key not in read.readings}
        missing = _known_categories(read, inputs, hashes, work)
        plain = [key for key in inputs if key in read.fresh and key not in missing]
        told, embedded = await asyncio.gather(
            self._inference.predict([inputs[key] for key in plain]),
            self._inference.embed([inputs[key] for key in missing]),
        )
        predictions = [*told, *(prediction for prediction, _ in embedded)]
        for key, prediction in zip((*plain, *missing), predictions, strict=True):
            if key in read.fresh:
                read.readings[key] = Reading(input_hash=hashes[key], prediction=prediction)
        embeddings = {key: found for key, (_, found) in zip(missing, embedded, strict=True)}
        await asyncio.to_thread(_apply_heads, read, missing, embeddings, hashes)
        read.fresh.update(await self._check_abuse(inputs, read.readings))
        return await asyncio.to_thread(self._decide, conversations, read, now, untimed, work.custom)

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
        read: _Read,
        now: datetime,
        untimed: frozenset[str],
        custom: Custom,
    ) -> list[Rated]:
        readings: dict[str, dict[str, Reading]] = {c.id: {} for c in conversations}
        for (conversation_id, message_id), reading in read.readings.items():
            readings[conversation_id][message_id] = reading
        categories: dict[str, dict[str, Mapping[str, CategoryReading]]] = {c.id: {} for c in conversations}
        for (conversation_id, message_id), by_category in read.category_readings.items():
            categories[conversation_id][message_id] = by_category
        fresh: dict[str, set[str]] = {c.id: set() for c in conversations}
        for conversation_id, message_id in read.fresh:
            fresh[conversation_id].add(message_id)
        fresh_categories: dict[str, set[tuple[str, str]]] = {c.id: set() for c in conversations}
        for (conversation_id, message_id), category_id in read.fresh_categories:
            fresh_categories[conversation_id].add((message_id, category_id))
        return [
            Rated(
                conversation=conversation,
                decided=decide(
                    conversation,
                    readings[conversation.id],
                    self.judgement,
                    now=now,
                    is_timed=conversation.id not in untimed,
                    custom=custom,
                    custom_readings=categories[conversation.id],
                ),
                readings=readings[conversation.id],
                fresh=frozenset(fresh[conversation.id]),
                category_readings=categories[conversation.id],
                fresh_categories=frozenset(fresh_categories[conversation.id]),
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


def _known_categories(
    read: _Read, inputs: Mapping[_Key, MessageInput], hashes: Mapping[_Key, bytes], work: CustomWork
) -> dict[_Key, list[CustomCategory]]:
    """Takes over what is known; the answer is what is not, by message."""
    missing: dict[_Key, list[CustomCategory]] = {}
    heads = {role: work.custom.heads(role) for role in ("customer", "agent")}
    for key, message in inputs.items():
        before = work.known.get(key, {})
        for category in heads[message.role]:
            reading = before.get(category.id)
            if reading is not None and reading.input_hash == hashes[key]:
                read.category_readings.setdefault(key, {})[category.id] = reading
            else:
                missing.setdefault(key, []).append(category)
    return missing


def _apply_heads(
    read: _Read,
    missing: Mapping[_Key, Sequence[CustomCategory]],
    embeddings: Mapping[_Key, Embedding],
    hashes: Mapping[_Key, bytes],
) -> None:
    for key, categories in missing.items():
        for category in categories:
            if category.head is not None:
                reading = read_message(category.head, embeddings[key], input_hash=hashes[key])
                read.category_readings.setdefault(key, {})[category.id] = reading
                read.fresh_categories.add((key, category.id))
