"""The risks of a conversation: its messages' flags joined, and the two that only the whole can show."""

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Final

from services.autoqa.need import needs_answer
from services.autoqa.policy import Policy
from services.autoqa.transcript import CustomerMessage, Transcript, span_of, whole
from shared.domain.conversation import Role
from shared.domain.evidence import EvidenceSpan
from shared.domain.flag import Flag, FlagKind, Severity
from shared.domain.labels import MessageFlag, Tone

__all__ = ["SEVERITIES", "flags_of", "unanswered_at"]

SEVERITIES: Final[Mapping[FlagKind, Severity]] = {
    FlagKind.VULNERABILITY: Severity.CRITICAL,
    FlagKind.AGENT_ABUSE: Severity.CRITICAL,
    FlagKind.LEGAL: Severity.HIGH,
    FlagKind.DATA_PROTECTION: Severity.HIGH,
    FlagKind.CHURN: Severity.HIGH,
    FlagKind.UNANSWERED: Severity.HIGH,
    FlagKind.ESCALATION: Severity.MEDIUM,
    FlagKind.PUBLICITY: Severity.MEDIUM,
    FlagKind.PAYMENT_DISPUTE: Severity.MEDIUM,
    FlagKind.ABUSE: Severity.MEDIUM,
    FlagKind.REPEAT_CONTACT: Severity.LOW,
}
"""How soon a person should look, by kind: people at risk first, then the law and lost customers."""


_MOST_SPANS: Final = 20
"""Of one flag; more prove nothing more, and a record must stay small."""


def flags_of(transcript: Transcript, policy: Policy, *, now: datetime) -> tuple[Flag, ...]:
    """At most one flag a kind, in the order of `FlagKind`, with all its evidence."""
    found = [
        *(_message_flag(transcript, kind, policy) for kind in MessageFlag),
        _unanswered(transcript, policy, now),
        _agent_abuse(transcript, policy),
    ]
    return tuple(flag for flag in found if flag is not None)


def unanswered_at(transcript: Transcript, policy: Policy) -> datetime | None:
    """When the last words of the customer will have waited too long; None where they need no answer."""
    last = _last_customer(transcript)
    if last is None or needs_answer(transcript) < policy.unanswered_threshold:
        return None
    return last.message.at + policy.next_response.of(transcript.channel)


def _message_flag(transcript: Transcript, kind: MessageFlag, policy: Policy) -> Flag | None:
    threshold = policy.threshold(kind)
    raised = [turn for turn in transcript.customers if turn.prediction.flags[kind] >= threshold]
    if not raised:
        return None
    return _flag(
        FlagKind(kind),
        max(turn.prediction.flags[kind] for turn in raised),
        tuple(span_of(turn.message, turn.prediction.flag_evidence[kind]) for turn in raised),
    )


def _unanswered(transcript: Transcript, policy: Policy, now: datetime) -> Flag | None:
    """In a finished conversation at once, else after the customer has waited for the channel's time."""
    need = needs_answer(transcript)
    last = _last_customer(transcript)
    if last is None or need < policy.unanswered_threshold:
        return None
    wait: timedelta = policy.next_response.of(transcript.channel)
    if not transcript.is_final and now < last.message.at + wait:
        return None
    return _flag(FlagKind.UNANSWERED, need, whole([last.message]))


def _agent_abuse(transcript: Transcript, policy: Policy) -> Flag | None:
    """An agent's words that are both poor in tone and, read as anybody's, abusive."""
    abusive = [
        (turn.abuse.probability * turn.prediction.tone[Tone.POOR], turn, turn.abuse)
        for turn in transcript.agents
        if turn.abuse is not None
    ]
    raised = [found for found in abusive if found[0] >= policy.agent_abuse_threshold]
    if not raised:
        return None
    spans = tuple(span_of(turn.message, check.evidence) for _, turn, check in raised)
    return _flag(FlagKind.AGENT_ABUSE, max(found[0] for found in raised), spans)


def _last_customer(transcript: Transcript) -> CustomerMessage | None:
    spoken = [turn for turn in transcript.turns if turn.role is Role.CUSTOMER]
    return next((turn for turn in reversed(spoken) if isinstance(turn, CustomerMessage)), None)


def _flag(kind: FlagKind, confidence: float, evidence: tuple[EvidenceSpan, ...]) -> Flag:
    return Flag(
        kind=kind, severity=SEVERITIES[kind], confidence=round(confidence, 4), evidence=evidence[:_MOST_SPANS]
    )
