"""Conversations in short: `talk("customer: Help? [negative]", "agent: Hello [greeting]")`."""

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Final

from services.autoqa.inputs import message_inputs
from services.autoqa.predictions import Span
from services.autoqa.transcript import AbuseCheck, Transcript, transcript_of
from shared.domain.conversation import Channel, Conversation, Message, Role, Status
from tests.stub_model import predict_one

START: Final = datetime(2026, 3, 2, 9, 0, tzinfo=UTC)


def conversation(
    *lines: str,
    channel: Channel | None = Channel.EMAIL,
    language: str | None = "en",
    status: Status = Status.CLOSED,
    every: timedelta = timedelta(minutes=1),
    deleted: tuple[int, ...] = (),
    languages: Mapping[int, str] | None = None,
) -> Conversation:
    """One message a line, `role: text`, from START on; ids m1, m2, ..., by whose numbers others are told."""
    messages = []
    for number, line in enumerate(lines):
        role, _, text = line.partition(": ")
        is_deleted = number + 1 in deleted
        messages.append(
            Message(
                id=f"m{number + 1}",
                role=Role(role),
                at=START + number * every,
                text="" if is_deleted else text,
                deleted=is_deleted,
                language=(languages or {}).get(number + 1),
            )
        )
    return Conversation(
        id="c1",
        source="zendesk",
        external_id="1",
        messages=tuple(messages),
        channel=channel,
        language=language,
        status=status,
    )


def talk(
    *lines: str,
    channel: Channel | None = Channel.EMAIL,
    language: str | None = "en",
    every: timedelta = timedelta(minutes=1),
    deleted: tuple[int, ...] = (),
    is_final: bool = True,
    is_timed: bool = True,
    abuse: Mapping[str, float] | None = None,
) -> Transcript:
    """The transcript, read by the stub model."""
    talked = conversation(*lines, channel=channel, language=language, every=every, deleted=deleted)
    return transcript_of(
        talked,
        {of: predict_one(message) for of, message in message_inputs(talked).items()},
        is_final=is_final,
        is_timed=is_timed,
        abuse={
            of: AbuseCheck(probability=p, evidence=Span(start=0, end=3)) for of, p in (abuse or {}).items()
        },
    )
