"""Promised and true shares."""

from xml.etree import ElementTree as ET

import numpy as np
import pytest

from services.autoqa.training.evaluation.reliability import calibration_error, equal_mass_bins
from services.autoqa.training.evaluation.reliability_svg import reliability_svg


def test_bins_hold_equally_many_from_the_least_probable_up() -> None:
    """Also where there are fewer answers than bins."""
    probabilities = np.linspace(0, 1, 30)
    bins = equal_mass_bins(probabilities, probabilities > 0.5)
    assert [one.n for one in bins] == [2] * 15
    assert [one.probability for one in bins] == sorted(one.probability for one in bins)
    assert len(equal_mass_bins(probabilities[:4], probabilities[:4] > 0)) == 4


def test_the_error_is_the_distance_between_promise_and_truth() -> None:
    """Nothing where every promise is kept, a half where all are sure and half are wrong."""
    half = np.array([True, False] * 30)
    assert calibration_error(equal_mass_bins(np.full(60, 0.5), half, bins=2)) == 0
    assert calibration_error(equal_mass_bins(np.ones(60), half, bins=2)) == pytest.approx(0.5)
    assert calibration_error([]) == 0


def test_the_plot_has_a_panel_a_head_and_a_line_a_language() -> None:
    """Well-formed, and no point outside its panel."""
    bins = equal_mass_bins(np.linspace(0, 1, 30), np.linspace(0, 1, 30) > 0.5)
    root = ET.fromstring(reliability_svg({h: {"de": bins, "en": bins} for h in ("flag", "tone")}))  # noqa: S314
    space = "{http://www.w3.org/2000/svg}"
    assert len(root.findall(f"{space}polyline")) == 4
    assert len(root.findall(f"{space}circle")) == 4 * len(bins)
    width = float(root.attrib["viewBox"].split()[2])
    assert all(0 <= float(c.attrib["cx"]) <= width for c in root.findall(f"{space}circle"))
