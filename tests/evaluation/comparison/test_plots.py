from __future__ import annotations

import re
from xml.etree import ElementTree as ET

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from dermseg.evaluation import Interval
from dermseg.evaluation.comparison.plots import Axis, draw_axis, draw_interval, draw_sorted


def test_an_axis_shows_all_intervals_and_zero() -> None:
    axis = Axis.over([Interval(0.2, 0.1, 0.3), Interval(0.4, 0.3, 0.5)], with_zero=True)
    assert axis.low == pytest.approx(-0.02)
    assert axis.high == pytest.approx(0.52)
    assert axis.place(axis.low) == 0
    assert axis.place(axis.high) == 100
    assert Axis.over([Interval(0.2, 0.1, 0.3)]).low > 0.09


def test_an_axis_of_a_single_value_has_a_width() -> None:
    axis = Axis.over([Interval(0.5, 0.5, 0.5)])
    assert axis.place(0.5) == 50
    assert len(axis.ticks()) >= 2


@given(st.floats(-100, 100), st.floats(1e-4, 100))
def test_ticks_are_few_and_lie_within_the_axis(low: float, width: float) -> None:
    axis = Axis(low, low + width)
    ticks = axis.ticks()
    assert 2 <= len(ticks) <= 6
    assert all(axis.low - 1e-9 <= tick <= axis.high + 1e-9 for tick in ticks)


def test_an_interval_is_drawn_where_its_ends_are() -> None:
    drawing = ET.fromstring(draw_interval(Axis(0, 2), Interval(1.0, 0.5, 1.5), zero=True))  # noqa: S314
    zero, whisker = drawing.findall("line")
    assert (whisker.get("x1"), whisker.get("x2")) == ("25.0%", "75.0%")
    assert zero.get("x1") == "0.0%"
    (dot,) = drawing.findall("circle")
    assert dot.get("cx") == "50.0%"


def test_ticks_are_labelled_with_as_many_decimals_as_they_need() -> None:
    drawing = ET.fromstring(draw_axis(Axis(-0.05, 0.11)))  # noqa: S314
    assert [text.text for text in drawing.findall("text")] == ["-0.05", "0.00", "0.05", "0.10"]


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
