from __future__ import annotations

import math

from hypothesis import given
from hypothesis import strategies as st

from dermseg.pages.scales import Axis, fit_axis, format_number


def test_places_are_shares_of_the_axis() -> None:
    axis = Axis(0.5, 1.0)
    assert [axis.share(value) for value in (0.5, 0.75, 1.0, 0.2, 3.0)] == [0, 0.5, 1, 0, 1]


@given(st.lists(st.floats(0, 1), min_size=1, max_size=20))
def test_an_axis_holds_its_values_and_has_ticks(values: list[float]) -> None:
    axis = fit_axis(values)
    assert 0 <= axis.low <= min(values) + 1e-9
    assert max(values) - 1e-9 <= axis.high <= 1
    assert len(axis.ticks()) >= 2


def test_an_open_axis_ends_at_a_round_number() -> None:
    assert fit_axis([0.0, 37.2], highest=math.inf).high == 40
    assert fit_axis([0.0, 0.0], highest=math.inf).high > 0


def test_without_values_the_whole_axis_is_shown() -> None:
    assert fit_axis([math.nan]) == Axis(0.0, 1.0)


def test_numbers_are_rounded_by_size() -> None:
    assert format_number(math.inf) == "inf"
    assert format_number(-0.12345, 2) == "-0.12"
