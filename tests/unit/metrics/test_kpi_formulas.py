"""The formulas of KPIs over sums."""

import math
import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.domain.kpi import (
    MEASURES,
    PERCENTILE_ERROR,
    FcrDefinition,
    SumMetric,
    duration_bin,
    metrics,
    percentile,
)

KNOWN = metrics(FcrDefinition.NO_REOPEN)
SUMS = dict.fromkeys(MEASURES, 0) | {
    "conversations": 10,
    "finished": 8,
    "finished_no_reopen": 6,
    "finished_no_repeat": 7,
    "finished_no_return": 5,
    "finished_one_reply": 4,
    "eligible": 10,
    "reviewed": 8,
    "scored": 5,
    "score_sum": 40625,
    "csat_n": 4,
    "csat_satisfied": 3,
    "csat_finished": 2,
    "csat_sum": 1500,
    "nps_n": 4,
    "nps_promoters": 3,
    "nps_detractors": 1,
    "ces_n": 2,
    "ces_sum": 1100,
    "first_response_n": 2,
    "first_response_sum": 90_000,
    "resolution_n": 4,
    "resolution_sum": 8_000_000,
    "sentiment_n": 8,
    "sentiment_negative": 2,
    "sentiment_positive": 4,
    "sentiment_shift_sum": 20_000,
    "predicted_csat_n": 5,
    "predicted_csat_sum": 200_000,
    "rated_tone": 4,
    "passed_tone": 3,
    "flag_escalation": 2,
    "flag_churn": 4,
}
EXPECTED = {
    "aqs": (81.25, 5),
    "pass_rate.tone": (75, 4),
    "coverage": (50, 10),
    "csat": (75, 4),
    "csat.mean": (3.75, 4),
    "csat.response_rate": (25, 8),
    "csat.predicted": (4, 5),
    "nps": (50, 4),
    "ces": (5.5, 2),
    "first_response_time": (45, 2),
    "resolution_time": (2000, 4),
    "volume": (10, 10),
    "backlog": (2, 10),
    "solved_rate": (80, 10),
    "fcr": (75, 8),
    "fcr.no_repeat_contact": (87.5, 8),
    "fcr.no_reopen_no_repeat_contact": (62.5, 8),
    "fcr.one_reply": (50, 8),
    "escalation_rate": (25, 8),
    "sentiment.negative": (25, 8),
    "sentiment.neutral": (25, 8),
    "sentiment.positive": (50, 8),
    "sentiment.shift": (0.25, 8),
    "flag_rate.churn": (50, 8),
}


@pytest.mark.parametrize("name", EXPECTED)
def test_formulas_give_what_their_explanation_says(name: str) -> None:
    """Worked by hand, from the measures that the metric names and no others."""
    metric = KNOWN[name]
    assert isinstance(metric, SumMetric)
    kpi = metric.formula({measure: SUMS[measure] for measure in metric.measures})
    assert (kpi.value, kpi.n) == EXPECTED[name]


@pytest.mark.parametrize("name", KNOWN)
def test_nothing_gives_no_figure(name: str) -> None:
    """Never a division by zero, never an invented zero, counts aside."""
    metric = KNOWN[name]
    kpi = metric.formula(dict.fromkeys(MEASURES, 0)) if isinstance(metric, SumMetric) else metric.formula({})
    assert kpi.n == 0
    assert kpi.value == (0 if name in ("volume", "backlog") else None)


@pytest.mark.parametrize("name", KNOWN)
def test_every_metric_explains_itself(name: str) -> None:
    """Formula and meaning go to the API's description."""
    assert len(KNOWN[name].explanation) > 30


@pytest.mark.parametrize("definition", FcrDefinition)
def test_fcr_means_what_the_operator_chose(definition: FcrDefinition) -> None:
    """All definitions stay available under their own names."""
    known = metrics(definition)
    assert known["fcr"] is known[f"fcr.{definition}"]


@given(st.lists(st.floats(min_value=1, max_value=3e7), min_size=1), st.sampled_from([0.5, 0.9, 0.99]))
def test_percentiles_are_off_by_less_than_is_said(durations: list[float], quantile: float) -> None:
    """Against the nearest-rank percentile of the durations themselves."""
    bins: dict[int, int] = {}
    for duration in durations:
        bins[duration_bin(duration)] = bins.get(duration_bin(duration), 0) + 1
    exact = sorted(durations)[math.ceil(quantile * len(durations)) - 1]
    found = percentile(bins, quantile).value
    assert found is not None
    assert abs(found - exact) / exact <= PERCENTILE_ERROR + 1e-9


def test_bins_grow_with_durations() -> None:
    """No duration falls into the bin of a shorter one."""
    chance = random.Random(1)
    durations = sorted(chance.uniform(0, 1e5) for _ in range(1000))
    numbers = [duration_bin(duration) for duration in durations]
    assert numbers == sorted(numbers)
    assert duration_bin(0) == 0
