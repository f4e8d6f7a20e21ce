"""The filters as query parameters."""

from typing import Annotated

from fastapi import Query

from services.metrics.filters import Filters, begin, end
from shared.domain.conversation import Channel, Status
from shared.domain.flag import FlagKind
from shared.errors import Rejected

_Text = Annotated[str | None, Query(max_length=500)]


def filters(
    *,
    opened_from: Annotated[
        str | None,
        Query(
            alias="from",
            description="Opened at or after: a day in UTC or an ISO 8601 instant.",
            examples=["2026-03-01", "2026-03-01T08:00:00Z"],
        ),
    ] = None,
    opened_before: Annotated[
        str | None,
        Query(
            alias="to",
            description="Opened before an instant, or until the end of a day in UTC.",
            examples=["2026-03-31"],
        ),
    ] = None,
    source: Annotated[_Text, Query(description="Helpdesk vendor.", examples=["zendesk"])] = None,
    agent: Annotated[_Text, Query(description="Name of the agent.", examples=["Ines Roth"])] = None,
    team: Annotated[_Text, Query(description="Name of the team.", examples=["Billing"])] = None,
    channel: Annotated[Channel | None, Query(description="How it came.")] = None,
    language: Annotated[_Text, Query(description="ISO 639-1 code.", examples=["de"])] = None,
    tag: Annotated[_Text, Query(description="Has this tag.", examples=["refund"])] = None,
    status: Annotated[Status | None, Query(description="Where it stands at the helpdesk.")] = None,
    flag: Annotated[FlagKind | None, Query(description="Its review found this risk.")] = None,
    min_score: Annotated[
        float | None, Query(ge=0, le=100, description="Score in percent, at least.", examples=[0])
    ] = None,
    max_score: Annotated[
        float | None, Query(ge=0, le=100, description="Score in percent, at most.", examples=[60])
    ] = None,
) -> Filters:
    """Raises `Rejected` for a time that is none, and for text that no database can hold."""
    if any(text is not None and "\x00" in text for text in (source, agent, team, language, tag)):
        raise Rejected("a filter holds a NUL character", reason="invalid_filter")
    return Filters(
        opened_from=begin(opened_from) if opened_from is not None else None,
        opened_before=end(opened_before) if opened_before is not None else None,
        source=source,
        agent=agent,
        team=team,
        channel=channel,
        language=language,
        tag=tag,
        status=status,
        flag=flag,
        min_score=min_score,
        max_score=max_score,
    )
