"""Times, cursors, quotes, and which table answers a question."""

from datetime import UTC, datetime, timedelta, timezone

import pytest

from services.metrics.filters import Filters, begin, end
from services.metrics.kpis.plan import BinsFrom, SumsFrom, parse_groups, parse_metrics, plan
from services.metrics.paging import decode_cursor, encode_cursor
from services.metrics.quotes import quoted
from shared.domain.conversation import Channel
from shared.domain.evidence import EvidenceSpan
from shared.domain.flag import FlagKind
from shared.domain.kpi import FcrDefinition, metrics
from shared.errors import Rejected

KNOWN = metrics(FcrDefinition.NO_REOPEN)
MARCH = datetime(2026, 3, 1, tzinfo=UTC)


def test_a_day_stands_for_all_of_it() -> None:
    """From its first moment to its last."""
    assert begin("2026-03-01") == MARCH
    assert end("2026-03-01") == MARCH + timedelta(days=1)
    assert begin("2026-03-01T02:00:00 02:00") == MARCH
    assert end("2026-03-01T00:00:00Z") == MARCH


@pytest.mark.parametrize("text", ["", "yesterday", "2026-13-01", "2026-02-30", "9999-12-31", "0000-00-00"])
def test_no_time_is_refused(text: str) -> None:
    """As the caller's mistake."""
    with pytest.raises(Rejected):
        begin(text)
    with pytest.raises(Rejected):
        end(text)


def test_a_cursor_comes_back_as_it_was() -> None:
    """To the microsecond, whatever the zone."""
    moment = datetime(2026, 3, 1, 9, 0, 0, 123456, tzinfo=timezone(timedelta(hours=2)))
    assert decode_cursor(encode_cursor((3, moment, "ä|c")), (int, datetime, str)) == (3, moment, "ä|c")


@pytest.mark.parametrize(
    "cursor", ["", "x", "äöü", "W10", "bnVsbA", encode_cursor((1, 2)), encode_cursor(("a", "b"))]
)
def test_a_foreign_cursor_is_refused(cursor: str) -> None:
    """Never taken for a place in the list."""
    with pytest.raises(Rejected):
        decode_cursor(cursor, (datetime, str))


def test_quotes_are_code_points() -> None:
    """Emojis count once; what does not fit gives nothing."""
    text = "😡 Ich kündige"
    spans = [EvidenceSpan(message_id="m1", start=a, end=b) for a, b in ((6, 13), (6, 99), (3, 2))]
    assert [evidence.quote for evidence in quoted(spans, {"m1": text})] == ["kündige", "", ""]
    assert quoted(spans, {})[0].quote == ""


@pytest.mark.parametrize(
    ("group_by", "filters", "sums", "bins"),
    [
        ("team,week", Filters(), SumsFrom.ROLLUP, BinsFrom.TEAM_DURATION),
        ("channel", Filters(language="de"), SumsFrom.ROLLUP, BinsFrom.CHANNEL_DURATION),
        ("team,channel", Filters(), SumsFrom.ROLLUP, BinsFrom.FACT),
        ("agent", Filters(team="Billing"), SumsFrom.AGENT_ROLLUP, BinsFrom.FACT),
        ("agent,channel", Filters(), SumsFrom.FACT, BinsFrom.FACT),
        ("tag", Filters(), SumsFrom.FACT, BinsFrom.FACT),
        ("", Filters(flag=FlagKind.CHURN), SumsFrom.FACT, BinsFrom.FACT),
        ("", Filters(channel=Channel.CHAT, opened_from=MARCH), SumsFrom.ROLLUP, BinsFrom.CHANNEL_DURATION),
        ("", Filters(opened_from=MARCH + timedelta(hours=1)), SumsFrom.FACT, BinsFrom.FACT),
        ("", Filters(min_score=0.0), SumsFrom.FACT, BinsFrom.FACT),
    ],
)
def test_the_smallest_table_that_knows_everything_answers(
    group_by: str, filters: Filters, sums: SumsFrom, bins: BinsFrom
) -> None:
    """The facts only where nothing else can."""
    asked = plan(
        tuple(parse_metrics("aqs,resolution_time.p90", KNOWN).values()), parse_groups(group_by), filters
    )
    assert (asked.sums_from, asked.bins_from) == (sums, bins)
