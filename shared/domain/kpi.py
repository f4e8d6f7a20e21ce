"""Business figures as pure functions over sums, so that a rollup and a recount give the same answer.

Every conversation contributes whole numbers of small units (MEASURES); adding and taking them away leaves no
residue. A formula sees only their sums. Percentiles come from a histogram of log-spaced bins.
"""

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from enum import StrEnum
from inspect import getdoc
from typing import Final, Literal

from shared.domain.flag import FlagKind
from shared.domain.scorecard import CategoryId

Sums = Mapping[str, int]
"""The sum of each measure over some conversations."""
Bins = Mapping[int, int]
"""How many durations fell into each bin of `duration_bin`."""
Duration = Literal["first_response", "resolution"]

SCORE_UNIT: Final = 100
"""`score_sum` and `csat_sum` count hundredths of percent and of a point."""
FINE_UNIT: Final = 10_000
"""`sentiment_shift_sum` and `predicted_csat_sum` count ten-thousandths."""
MILLISECONDS: Final = 1000

COUNTS: Final = (
    *("conversations", "finished", "finished_no_reopen", "finished_no_repeat", "finished_no_return"),
    *("finished_one_reply", "eligible", "reviewed", "scored"),
    *("csat_n", "csat_satisfied", "csat_finished", "nps_n", "nps_promoters", "nps_detractors", "ces_n"),
    *("first_response_n", "resolution_n", "sentiment_n", "sentiment_negative", "sentiment_positive"),
    "predicted_csat_n",
    *(f"rated_{category}" for category in CategoryId),
    *(f"passed_{category}" for category in CategoryId),
    *(f"flag_{kind}" for kind in FlagKind),
)
"""Measures to which a conversation gives 0 or 1."""
AMOUNTS: Final = (
    *("score_sum", "csat_sum", "ces_sum", "first_response_sum", "resolution_sum"),
    *("sentiment_shift_sum", "predicted_csat_sum"),
)
"""Measures to which a conversation gives any whole number."""
MEASURES: Final = COUNTS + AMOUNTS

SATISFIED_FROM: Final = 4
"""CSAT answers of 4 and 5 count as satisfied."""
SENTIMENT_EDGE: Final = 1 / 3
"""A sentiment of -1..1 is negative below -1/3, positive above 1/3, neutral between: thirds of the range."""
GROWTH: Final = 1.1
"""Each bin of durations ends at 1.1 times its beginning."""
PERCENTILE_ERROR: Final = math.sqrt(GROWTH) - 1
"""Largest relative error of a percentile from bins, for durations of a second and more: 4.9 %."""


class FcrDefinition(StrEnum):
    """What "resolved at the first contact" means; companies differ."""

    NO_REOPEN = "no_reopen"
    NO_REPEAT_CONTACT = "no_repeat_contact"
    NO_REOPEN_NO_REPEAT_CONTACT = "no_reopen_no_repeat_contact"
    ONE_REPLY = "one_reply"


@dataclass(frozen=True, slots=True, kw_only=True)
class Kpi:
    """A figure and `n`, how many conversations or answers stand behind it. None where there are none."""

    value: float | None
    n: int


@dataclass(frozen=True, slots=True, kw_only=True)
class SumMetric:
    """A figure that needs sums of `measures` only."""

    name: str
    unit: str
    measures: tuple[str, ...]
    formula: Callable[[Sums], Kpi]
    explanation: str


@dataclass(frozen=True, slots=True, kw_only=True)
class PercentileMetric:
    """A figure that needs the histogram of `duration`."""

    name: str
    unit: str
    duration: Duration
    formula: Callable[[Bins], Kpi]
    explanation: str


Metric = SumMetric | PercentileMetric


def duration_bin(seconds: float) -> int:
    """0 below one second, else 1 + floor(log(seconds) / log(GROWTH))."""
    return 0 if seconds < 1 else 1 + math.floor(math.log(seconds) / math.log(GROWTH))


def percentile(bins: Bins, quantile: float) -> Kpi:
    """The nearest-rank percentile in seconds: the geometric middle of the bin that holds it.

    The bin is exact, so the relative error is at most PERCENTILE_ERROR; below one second 0.5 is given.
    Source: nearest-rank method; log-spaced bins as in DDSketch (Masson et al., VLDB 2019).
    """
    total = sum(bins.values())
    if total == 0:
        return Kpi(value=None, n=0)
    rank = max(1, math.ceil(quantile * total))
    seen = 0
    for number in sorted(bins):
        seen += bins[number]
        if seen >= rank:
            return Kpi(value=0.5 if number == 0 else GROWTH ** (number - 0.5), n=total)
    raise AssertionError("the ranks end at the total")


def aqs(sums: Sums) -> Kpi:
    """Automatic quality score in percent: mean ReviewScore of automatic reviews, sum(score) / scored.

    n: scored conversations. Human reviews (IQS) never enter. Source: DESIGN, "Scoring".
    """
    return _mean(sums, "score_sum", "scored", unit=SCORE_UNIT)


def coverage(sums: Sums) -> Kpi:
    """Percent of conversations worth rating that have a score: scored / eligible.

    Eligible: neither merged, deleted nor spam, and a human agent wrote at least one message. n: eligible.
    Source: share of conversations reviewed, as in quality assurance reports (Zendesk QA, "review coverage").
    """
    return _percent(sums, "scored", "eligible")


def csat(sums: Sums) -> Kpi:
    """Customer satisfaction in percent: answers of 4 or 5 on the scale 1..5 / all answers.

    n: answers. Source: top-two-box CSAT, common practice (Zendesk, Intercom, HubSpot).
    """
    return _percent(sums, "csat_satisfied", "csat_n")


def csat_mean(sums: Sums) -> Kpi:
    """Mean answer on the scale 1..5: sum(answer) / answers. n: answers."""
    return _mean(sums, "csat_sum", "csat_n", unit=SCORE_UNIT)


def csat_response_rate(sums: Sums) -> Kpi:
    """Percent of finished conversations with a CSAT answer: answered and finished / finished.

    n: finished conversations. Helpdesks do not reliably tell how many surveys were sent, so all finished
    conversations count as asked.
    """
    return _percent(sums, "csat_finished", "finished")


def csat_predicted(sums: Sums) -> Kpi:
    """Mean predicted CSAT on the scale 1..5 over reviewed conversations: sum(prediction) / predictions."""
    return _mean(sums, "predicted_csat_sum", "predicted_csat_n", unit=FINE_UNIT)


def nps(sums: Sums) -> Kpi:
    """Net promoter score -100..100: percent of answers 9 and 10 minus percent of answers 0 to 6.

    n: answers on the scale 0..10. Source: Reichheld, "The One Number You Need to Grow", HBR 2003.
    """
    n = sums["nps_n"]
    return Kpi(value=100 * (sums["nps_promoters"] - sums["nps_detractors"]) / n if n else None, n=n)


def ces(sums: Sums) -> Kpi:
    """Customer effort score: mean answer on the scale 1..7, sum(answer) / answers. n: answers.

    Source: CES 2.0 (CEB, 2013).
    """
    return _mean(sums, "ces_sum", "ces_n", unit=SCORE_UNIT)


def first_response_time(sums: Sums) -> Kpi:
    """Mean seconds from the first customer message to the first human agent message after it.

    Bots, system messages, automatic replies and internal notes do not answer. Clock hours, not business
    hours. n: answered conversations. Source: "first reply time" of helpdesks, human replies only.
    """
    return _mean(sums, "first_response_sum", "first_response_n", unit=MILLISECONDS)


def first_response_time_median(bins: Bins) -> Kpi:
    """Median of `first_response_time`, from a histogram: at most 4.9 % off."""
    return percentile(bins, 0.5)


def first_response_time_p90(bins: Bins) -> Kpi:
    """90th percentile of `first_response_time`, from a histogram: at most 4.9 % off."""
    return percentile(bins, 0.9)


def resolution_time(sums: Sums) -> Kpi:
    """Mean seconds from opening to (the last) solving of finished conversations. n: those.

    Source: "full resolution time" of helpdesks.
    """
    return _mean(sums, "resolution_sum", "resolution_n", unit=MILLISECONDS)


def resolution_time_median(bins: Bins) -> Kpi:
    """Median of `resolution_time`, from a histogram: at most 4.9 % off."""
    return percentile(bins, 0.5)


def resolution_time_p90(bins: Bins) -> Kpi:
    """90th percentile of `resolution_time`, from a histogram: at most 4.9 % off."""
    return percentile(bins, 0.9)


def volume(sums: Sums) -> Kpi:
    """Conversations opened in the time, without merged, deleted and spam ones."""
    n = sums["conversations"]
    return Kpi(value=n, n=n)


def backlog(sums: Sums) -> Kpi:
    """Conversations opened in the time that are not finished now: volume - solved or closed. n: volume."""
    n = sums["conversations"]
    return Kpi(value=n - sums["finished"], n=n)


def solved_rate(sums: Sums) -> Kpi:
    """Percent of conversations opened in the time that are solved or closed now. n: volume."""
    return _percent(sums, "finished", "conversations")


def fcr_no_reopen(sums: Sums) -> Kpi:
    """First contact resolution in percent: finished and never reopened / finished. n: finished.

    Source: "one-touch and not reopened" family of definitions (SQM Group; Zendesk "reopens").
    """
    return _percent(sums, "finished_no_reopen", "finished")


def fcr_no_repeat_contact(sums: Sums) -> Kpi:
    """First contact resolution in percent: finished, the customer told of no earlier contact / finished."""
    return _percent(sums, "finished_no_repeat", "finished")


def fcr_no_reopen_no_repeat_contact(sums: Sums) -> Kpi:
    """First contact resolution in percent: finished, never reopened, no earlier contact told / finished."""
    return _percent(sums, "finished_no_return", "finished")


def fcr_one_reply(sums: Sums) -> Kpi:
    """First contact resolution in percent: finished with exactly one human agent message / finished.

    Source: "one-touch tickets" (Zendesk Explore).
    """
    return _percent(sums, "finished_one_reply", "finished")


def escalation_rate(sums: Sums) -> Kpi:
    """Percent of reviewed conversations in which the flag `escalation` was found. n: reviewed."""
    return _percent(sums, f"flag_{FlagKind.ESCALATION}", "reviewed")


def sentiment_negative(sums: Sums) -> Kpi:
    """Percent of conversations whose customer's last sentiment is below -1/3 on -1..1. n: with sentiment."""
    return _percent(sums, "sentiment_negative", "sentiment_n")


def sentiment_neutral(sums: Sums) -> Kpi:
    """Percent of conversations whose customer's last sentiment lies in -1/3..1/3. n: with sentiment."""
    n = sums["sentiment_n"]
    rest = n - sums["sentiment_negative"] - sums["sentiment_positive"]
    return Kpi(value=100 * rest / n if n else None, n=n)


def sentiment_positive(sums: Sums) -> Kpi:
    """Percent of conversations whose customer's last sentiment is above 1/3 on -1..1. n: with sentiment."""
    return _percent(sums, "sentiment_positive", "sentiment_n")


def sentiment_shift(sums: Sums) -> Kpi:
    """Mean of last minus first customer sentiment, -2..2; above 0 customers leave happier than they came."""
    return _mean(sums, "sentiment_shift_sum", "sentiment_n", unit=FINE_UNIT)


def pass_rate(sums: Sums, category: CategoryId) -> Kpi:
    """Percent of passed ratings of the category: passed / (passed + failed).

    `not_applicable` and `unsure` leave both sums. n: passed + failed.
    """
    return _percent(sums, f"passed_{category}", f"rated_{category}")


def flag_rate(sums: Sums, kind: FlagKind) -> Kpi:
    """Percent of reviewed conversations with the flag, whatever people made of it. n: reviewed."""
    return _percent(sums, f"flag_{kind}", "reviewed")


def _mean(sums: Sums, amount: str, count: str, *, unit: int) -> Kpi:
    n = sums[count]
    return Kpi(value=sums[amount] / unit / n if n else None, n=n)


def _percent(sums: Sums, part: str, whole: str) -> Kpi:
    n = sums[whole]
    return Kpi(value=100 * sums[part] / n if n else None, n=n)


def _sum_metric(name: str, unit: str, formula: Callable[[Sums], Kpi], *measures: str) -> SumMetric:
    return SumMetric(
        name=name, unit=unit, measures=measures, formula=formula, explanation=getdoc(formula) or ""
    )


def _percentile_metric(name: str, duration: Duration, formula: Callable[[Bins], Kpi]) -> PercentileMetric:
    return PercentileMetric(
        name=name, unit="seconds", duration=duration, formula=formula, explanation=getdoc(formula) or ""
    )


def _pass_rate(category: CategoryId) -> SumMetric:
    return SumMetric(
        name=f"pass_rate.{category}",
        unit="percent",
        measures=(f"passed_{category}", f"rated_{category}"),
        formula=lambda sums: pass_rate(sums, category),
        explanation=getdoc(pass_rate) or "",
    )


def custom_pass_rate(category_id: str) -> SumMetric:
    """The pass rate of a company's own category; its measures are kept apart from MEASURES."""
    rated, passed = f"rated:{category_id}", f"passed:{category_id}"
    return SumMetric(
        name=f"pass_rate.{category_id}",
        unit="percent",
        measures=(passed, rated),
        formula=lambda sums: _percent(sums, passed, rated),
        explanation=getdoc(pass_rate) or "",
    )


def _flag_rate(kind: FlagKind) -> SumMetric:
    return SumMetric(
        name=f"flag_rate.{kind}",
        unit="percent",
        measures=(f"flag_{kind}", "reviewed"),
        formula=lambda sums: flag_rate(sums, kind),
        explanation=getdoc(flag_rate) or "",
    )


_ALL: Final[tuple[Metric, ...]] = (
    _sum_metric("aqs", "percent", aqs, "score_sum", "scored"),
    *(_pass_rate(category) for category in CategoryId),
    _sum_metric("coverage", "percent", coverage, "scored", "eligible"),
    _sum_metric("csat", "percent", csat, "csat_satisfied", "csat_n"),
    _sum_metric("csat.mean", "points", csat_mean, "csat_sum", "csat_n"),
    _sum_metric("csat.response_rate", "percent", csat_response_rate, "csat_finished", "finished"),
    _sum_metric("csat.predicted", "points", csat_predicted, "predicted_csat_sum", "predicted_csat_n"),
    _sum_metric("nps", "points", nps, "nps_n", "nps_promoters", "nps_detractors"),
    _sum_metric("ces", "points", ces, "ces_sum", "ces_n"),
    _sum_metric(
        "first_response_time", "seconds", first_response_time, "first_response_sum", "first_response_n"
    ),
    _percentile_metric("first_response_time.median", "first_response", first_response_time_median),
    _percentile_metric("first_response_time.p90", "first_response", first_response_time_p90),
    _sum_metric("resolution_time", "seconds", resolution_time, "resolution_sum", "resolution_n"),
    _percentile_metric("resolution_time.median", "resolution", resolution_time_median),
    _percentile_metric("resolution_time.p90", "resolution", resolution_time_p90),
    _sum_metric("volume", "conversations", volume, "conversations"),
    _sum_metric("backlog", "conversations", backlog, "conversations", "finished"),
    _sum_metric("solved_rate", "percent", solved_rate, "finished", "conversations"),
    _sum_metric("fcr.no_reopen", "percent", fcr_no_reopen, "finished_no_reopen", "finished"),
    _sum_metric("fcr.no_repeat_contact", "percent", fcr_no_repeat_contact, "finished_no_repeat", "finished"),
    _sum_metric(
        "fcr.no_reopen_no_repeat_contact",
        "percent",
        fcr_no_reopen_no_repeat_contact,
        *("finished_no_return", "finished"),
    ),
    _sum_metric("fcr.one_reply", "percent", fcr_one_reply, "finished_one_reply", "finished"),
    _sum_metric("escalation_rate", "percent", escalation_rate, f"flag_{FlagKind.ESCALATION}", "reviewed"),
    _sum_metric("sentiment.negative", "percent", sentiment_negative, "sentiment_negative", "sentiment_n"),
    _sum_metric(
        "sentiment.neutral",
        "percent",
        sentiment_neutral,
        *("sentiment_negative", "sentiment_positive", "sentiment_n"),
    ),
    _sum_metric("sentiment.positive", "percent", sentiment_positive, "sentiment_positive", "sentiment_n"),
    _sum_metric("sentiment.shift", "points", sentiment_shift, "sentiment_shift_sum", "sentiment_n"),
    *(_flag_rate(kind) for kind in FlagKind),
)


def metrics(fcr: FcrDefinition) -> dict[str, Metric]:
    """Every metric by its name; `fcr` alone stands for the definition that the company chose."""
    named = {metric.name: metric for metric in _ALL}
    return {**named, "fcr": named[f"fcr.{fcr}"]}
