"""A flag: a risk found in a conversation, independent of scorecards."""

from dataclasses import dataclass
from enum import StrEnum

from shared.domain.evidence import EvidenceSpan


class FlagKind(StrEnum):
    """The union of the messages' flags and the two that only a conversation can show."""

    CHURN = "churn"
    ESCALATION = "escalation"
    LEGAL = "legal"
    ABUSE = "abuse"
    PUBLICITY = "publicity"
    PAYMENT_DISPUTE = "payment_dispute"
    DATA_PROTECTION = "data_protection"
    VULNERABILITY = "vulnerability"
    REPEAT_CONTACT = "repeat_contact"
    UNANSWERED = "unanswered"
    AGENT_ABUSE = "agent_abuse"


class Severity(StrEnum):
    """How soon a person should look."""

    LOW = "low"
    MEDIUM = "medium"
    HIGH = "high"
    CRITICAL = "critical"

    @property
    def rank(self) -> int:
        """0 for low up to 3 for critical; orders the queue."""
        return list(Severity).index(self)


@dataclass(frozen=True, slots=True, kw_only=True)
class Flag:
    """One risk with its proof. `confidence` is a calibrated probability 0..1."""

    kind: FlagKind
    severity: Severity
    confidence: float
    evidence: tuple[EvidenceSpan, ...]
