"""Proof: where in which message the words stand."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class EvidenceSpan:
    """Half-open code points of one message; the quote is `text[start:end]`, never a stored copy."""

    message_id: str
    start: int
    end: int
