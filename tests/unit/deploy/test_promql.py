"""The reader of PromQL that the checks of rules and dashboards rest on."""

import pytest

from tests.unit.deploy.promql import exported, references, unknown


def test_series_labels_and_grouping_are_told_apart_from_functions() -> None:
    """Functions, aggregators, durations and words of the language are no series."""
    named = references(
        'histogram_quantile(0.95, sum by (le, job) (rate(a_bucket{x=~"b|c", y!="d"}[5m]))) > 5 '
        "and on (z) (e unless e offset 15m) or vector(0)"
    )
    assert named.series == {"a_bucket": {"x", "y"}, "e": set()}
    assert named.grouping == {"le", "job", "z"}


def test_every_kind_of_our_metrics_is_known_by_its_exported_names() -> None:
    """Counters end in _total, histograms have three series."""
    known = exported()
    assert known["pruefstein_dead_letters_total"] == {"topic", "reason"}
    assert known["pruefstein_batch_seconds_bucket"] == {"topic", "le"}
    assert known["pruefstein_consumer_lag_records"] == {"topic", "partition"}


@pytest.mark.parametrize(
    "expression",
    [
        "pruefstein_dead_letters",
        'pruefstein_dead_letters_total{vendor="zendesk"}',
        "sum by (vendor) (pruefstein_dead_letters_total)",
    ],
)
def test_a_wrong_name_label_or_grouping_is_found(expression: str) -> None:
    """Each would show an empty panel for ever."""
    assert unknown(expression)
