"""Which round of reviews a new review belongs to. Pure.

A conversation's first review is round 1. While provisional it is written over as the conversation grows.
Once final it stays as history: when the conversation is reopened, the next round begins.
"""

from dataclasses import dataclass

from shared.domain.review import ReviewState

__all__ = ["LatestReview", "round_of"]


@dataclass(frozen=True, slots=True, kw_only=True)
class LatestReview:
    """The newest round that is stored. `reopen_count`: how often the ticket had been reopened by then."""

    round: int
    state: ReviewState
    reopen_count: int


def round_of(latest: LatestReview | None, *, state: ReviewState, reopen_count: int) -> int:
    """The round that a review in `state` is written to: the latest or the next."""
    if latest is None:
        return 1
    if latest.state is ReviewState.PROVISIONAL:
        return latest.round
    is_reopened = state is ReviewState.PROVISIONAL or reopen_count > latest.reopen_count
    return latest.round + 1 if is_reopened else latest.round
