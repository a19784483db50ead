from __future__ import annotations

import re
from xml.etree import ElementTree as ET

import numpy as np
import pytest

from dermseg.evaluation import Interval
from dermseg.pages.cells import axis_over, draw_sorted


def test_an_axis_shows_all_intervals_and_zero() -> None:
    axis = axis_over([Interval(0.2, 0.1, 0.3), Interval(0.4, 0.3, 0.5)], with_zero=True)
    assert axis.low == pytest.approx(-0.025)
    assert axis.high == pytest.approx(0.525)
    assert axis_over([Interval(0.2, 0.1, 0.3)]).low == pytest.approx(0.09)


def test_an_axis_of_small_differences_is_small() -> None:
    axis = axis_over([Interval(-0.001, -0.002, 0.0)], with_zero=True)
    assert axis.high - axis.low == pytest.approx(0.0022)


def test_an_axis_of_a_single_value_has_a_width() -> None:
    assert axis_over([Interval(0.5, 0.5, 0.5)]).share(0.5) == pytest.approx(0.5)


def test_differences_are_sorted_and_split_at_zero() -> None:
    drawing = ET.fromstring(draw_sorted(np.array([0.0, -0.5, 1.0, 0.5]), reach=1.0))  # noqa: S314
    win, loss = (path.get("d") or "" for path in drawing.findall("path"))
    assert _heights(win) == [50, 0, 0, 25, 25, 50, 50, 50, 50, 50]
    assert _heights(loss) == [50, 50, 50, 50, 50, 50, 50, 75, 75, 50]


def test_many_differences_are_drawn_as_quantiles() -> None:
    values = np.linspace(-1, 1, 5001)
    drawing = ET.fromstring(draw_sorted(values, reach=1.0))  # noqa: S314
    heights = _heights(drawing.findall("path")[0].get("d") or "")
    assert len(heights) == 2 * 240 + 2
    assert heights[1] == 0
    assert heights[1:] == sorted(heights[1:])


def _heights(path: str) -> list[float]:
    return [float(point.split()[1]) for point in re.split("[ML]", path.rstrip("Z"))[1:]]
