"""The data files hold what the annotation guide says; faults name file, line and id, never the text."""

import json
from collections import Counter
from collections.abc import Iterator, Mapping
from itertools import pairwise
from pathlib import Path
from typing import Annotated, Any, Literal, Self, TypeVar

from pydantic import (
    AwareDatetime,
    BaseModel,
    ConfigDict,
    Field,
    StrictBool,
    TypeAdapter,
    ValidationError,
    model_validator,
)

from shared.domain.conversation import Channel
from shared.domain.flag import FlagKind
from shared.domain.labels import MessageFlag, Resolved, Sentiment, Tone

T = TypeVar("T")
Text = Annotated[str, Field(min_length=1)]


class _Record(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class CustomerLabels(_Record):
    """Of a customer's message."""

    sentiment: Sentiment
    flags: Annotated[list[MessageFlag], Field(max_length=len(MessageFlag))]

    @model_validator(mode="after")
    def _each_once(self) -> Self:
        return _once(self, self.flags)


class AgentLabels(_Record):
    """Of an agent's message."""

    greeting: StrictBool
    closing: StrictBool
    further_help: StrictBool
    empathy: StrictBool
    solution: StrictBool
    follow_up: StrictBool
    clarifying: StrictBool
    tone: Tone


class Turn(_Record):
    """An earlier turn."""

    role: Literal["customer", "agent"]
    text: Text


class _Single(_Record):
    id: Text
    language: Literal["de", "en"]
    channel: Channel
    text: Text
    context: list[Turn] = []


class CustomerSingle(_Single):
    """A line of `messages/train.customer.*`."""

    role: Literal["customer"]
    labels: CustomerLabels


class AgentSingle(_Single):
    """A line of `messages/train.agent.*`."""

    role: Literal["agent"]
    labels: AgentLabels


class _Spoken(_Record):
    id: Text
    at: AwareDatetime
    text: Text


class CustomerSpoken(_Spoken):
    """In a conversation."""

    role: Literal["customer"]
    labels: CustomerLabels


class AgentSpoken(_Spoken):
    """In a conversation."""

    role: Literal["agent"]
    labels: AgentLabels


class OtherSpoken(_Spoken):
    """In a conversation; has no labels."""

    role: Literal["bot", "system", "note"]


class ConversationLabels(_Record):
    """Of the whole."""

    resolved: Resolved
    csat: Annotated[int, Field(ge=1, le=5, strict=True)]
    flags: list[FlagKind]

    @model_validator(mode="after")
    def _each_once(self) -> Self:
        return _once(self, self.flags)


class ConversationRecord(_Record):
    """A line of `conversations/*`."""

    id: Text
    language: Literal["de", "en"]
    channel: Channel
    industry: Text
    scenario: Text
    messages: Annotated[
        list[Annotated[CustomerSpoken | AgentSpoken | OtherSpoken, Field(discriminator="role")]],
        Field(min_length=1),
    ]
    labels: ConversationLabels

    @model_validator(mode="after")
    def _hangs_together(self) -> Self:
        if len({message.id for message in self.messages}) < len(self.messages):
            raise ValueError("two messages have one id")
        if any(later.at < earlier.at for earlier, later in pairwise(self.messages)):
            raise ValueError("a message is older than the one before it")
        raised = {str(f) for m in self.messages if isinstance(m, CustomerSpoken) for f in m.labels.flags}
        if raised != {*map(str, self.labels.flags)} - {FlagKind.AGENT_ABUSE, FlagKind.UNANSWERED}:
            raise ValueError("flags are not the union of the messages' flags")
        return self


class Relabel(_Record):
    """A label corrected after the file was written; `labels` replaces those of the same name."""

    id: Text
    labels: Annotated[dict[str, Any], Field(min_length=1)]
    reason: Text


_SINGLE: TypeAdapter[CustomerSingle | AgentSingle] = TypeAdapter(
    Annotated[CustomerSingle | AgentSingle, Field(discriminator="role")]
)
_CONVERSATION = TypeAdapter(ConversationRecord)
_RELABELS = TypeAdapter(list[Relabel])


def record_faults(folder: Path) -> list[str]:
    """Everything in the data files under `folder` that is not as the guide says; empty where all is."""
    faults: list[str] = []
    labels: list[tuple[str, CustomerLabels | AgentLabels]] = []
    for path in sorted((folder / "messages").glob("*.jsonl")):
        for place, single in _valid(path, _SINGLE, faults):
            if not {single.role, single.language} <= set(path.stem.split(".")):
                faults.append(f"{place}: {single.id}: role or language is not that of the file's name")
            labels.append((single.id, single.labels))
    for path in sorted((folder / "conversations").glob("*.jsonl")):
        for place, conversation in _valid(path, _CONVERSATION, faults):
            if conversation.language not in path.stem.split("."):
                faults.append(f"{place}: {conversation.id}: language is not that of the file's name")
            labels += [
                (f"{conversation.id}/{message.id}", message.labels)
                for message in conversation.messages
                if not isinstance(message, OtherSpoken)
            ]
    faults += _repeated([id_ for id_, _ in labels])
    return faults + _relabel_faults(folder / "relabels.json", dict(labels))


def relabels(folder: Path) -> list[Relabel]:
    """The corrected labels; empty where there is no such file. Raises ValidationError."""
    path = folder / "relabels.json"
    return _RELABELS.validate_json(path.read_bytes()) if path.exists() else []


def _valid(path: Path, kind: TypeAdapter[T], faults: list[str]) -> Iterator[tuple[str, T]]:
    with path.open(encoding="utf-8") as lines:
        for number, line in enumerate(lines, 1):
            place = f"{path.name}:{number}"
            try:
                yield place, kind.validate_json(line)
            except ValidationError as error:
                faults += [f"{place}: {told}" for told in _told(error)]


def _relabel_faults(path: Path, labels: Mapping[str, CustomerLabels | AgentLabels]) -> list[str]:
    try:
        corrected = relabels(path.parent)
    except ValidationError as error:
        return [f"{path.name}: {told}" for told in _told(error)]
    faults = [f"{path.name}: {fault}" for fault in _repeated([entry.id for entry in corrected])]
    for entry in corrected:
        known = labels.get(entry.id)
        if known is None:
            faults.append(f"{path.name}: {entry.id}: there is no such message")
            continue
        try:
            type(known).model_validate_json(json.dumps(known.model_dump(mode="json") | entry.labels))
        except ValidationError as error:
            faults += [f"{path.name}: {entry.id}: {told}" for told in _told(error)]
    return faults


def _told(error: ValidationError) -> list[str]:
    """Where and why, without what stood there."""
    return [
        f"{'.'.join(map(str, fault['loc'])) or 'record'}: {fault['msg']}"
        for fault in error.errors(include_input=False, include_url=False)
    ]


def _repeated(ids: list[str]) -> list[str]:
    return [f"{id_}: id stands {n} times" for id_, n in Counter(ids).items() if n > 1]


def _once(record: T, flags: list[Any]) -> T:
    if len(set(flags)) < len(flags):
        raise ValueError("a flag stands twice")
    return record
