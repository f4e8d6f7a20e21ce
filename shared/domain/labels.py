"""What the model may say of a message, by the annotation guide; nothing here knows how it is found."""

from enum import StrEnum


class Sentiment(StrEnum):
    """The feeling a customer's message expresses towards company, product or service."""

    NEGATIVE = "negative"
    NEUTRAL = "neutral"
    POSITIVE = "positive"


class MessageFlag(StrEnum):
    """A risk that shows in a single customer message."""

    CHURN = "churn"
    ESCALATION = "escalation"
    LEGAL = "legal"
    ABUSE = "abuse"
    PUBLICITY = "publicity"
    PAYMENT_DISPUTE = "payment_dispute"
    DATA_PROTECTION = "data_protection"
    VULNERABILITY = "vulnerability"
    REPEAT_CONTACT = "repeat_contact"


class Signal(StrEnum):
    """A thing an agent's message does."""

    GREETING = "greeting"
    CLOSING = "closing"
    FURTHER_HELP = "further_help"
    EMPATHY = "empathy"
    SOLUTION = "solution"
    FOLLOW_UP = "follow_up"
    CLARIFYING = "clarifying"


class Tone(StrEnum):
    """How an agent's message sounds."""

    GOOD = "good"
    ACCEPTABLE = "acceptable"
    POOR = "poor"


class Resolved(StrEnum):
    """Whether the customer's main problem is solved or answered by the end."""

    YES = "yes"
    NO = "no"
    UNCLEAR = "unclear"
