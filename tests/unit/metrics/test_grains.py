"""Days, weeks and months cover every range exactly once."""

from datetime import date, timedelta

from hypothesis import given
from hypothesis import strategies as st

from services.metrics.kpis.grains import Grain, spans

DAYS = st.dates(min_value=date(2023, 1, 1), max_value=date(2027, 12, 31))


@given(DAYS, DAYS, st.sampled_from(Grain))
def test_spans_cover_each_day_once(one: date, other: date, grain: Grain) -> None:
    """No more, no less, whatever the range."""
    first, before = sorted((one, other))
    covered: list[date] = []
    for span in spans(first, before, grain):
        assert span.first is not None
        assert span.before is not None
        assert span.grain.begin(span.first) == span.first
        day = span.first
        while day < span.before:
            after = span.grain.after(day)
            covered += [day + timedelta(days=number) for number in range((after - day).days)]
            day = after
    assert sorted(covered) == [first + timedelta(days=number) for number in range((before - first).days)]


def test_a_year_of_months_is_twelve_rows() -> None:
    """That is what they are for."""
    (span,) = spans(date(2025, 1, 1), date(2026, 1, 1), Grain.MONTH)
    assert (span.grain, span.first, span.before) == (Grain.MONTH, date(2025, 1, 1), date(2026, 1, 1))


def test_an_open_range_has_an_edge_on_one_side() -> None:
    """Or on none."""
    assert [span.grain for span in spans(None, None, Grain.WEEK)] == [Grain.WEEK]
    assert [span.grain for span in spans(date(2026, 3, 4), None, Grain.WEEK)] == [Grain.WEEK, Grain.DAY]
