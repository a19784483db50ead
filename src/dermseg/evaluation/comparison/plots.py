"""Plots as inline SVG, which a page stretches to any width and colours by its style sheet."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from dermseg.evaluation.intervals import Interval

__all__ = ["Axis", "draw_axis", "draw_interval", "draw_sorted"]

_MARGIN = 0.04
_MAX_POINTS = 240


@dataclass(frozen=True)
class Axis:
    """From values to per cent of a plot's width.

    Attributes:
        low: Value at the left end.
        high: Value at the right end, larger than ``low``.
    """

    low: float
    high: float

    @classmethod
    def over(cls, intervals: Iterable[Interval], *, with_zero: bool = False) -> Axis:
        """Return an axis that shows all intervals, and zero if asked, with a margin."""
        ends = [end for interval in intervals for end in (interval.low, interval.high)]
        low, high = min(ends + [0.0] * with_zero), max(ends + [0.0] * with_zero)
        margin = _MARGIN * (high - low) or 0.01
        return cls(low - margin, high + margin)

    def place(self, value: float) -> float:
        """Return where a value lies, in per cent from the left."""
        return round(100 * (value - self.low) / (self.high - self.low), 3)

    def ticks(self) -> list[float]:
        """Return two to six round values within the axis.

        Example:
            >>> Axis(-0.013, 0.031).ticks()
            [-0.01, 0.0, 0.01, 0.02, 0.03]
        """
        rough = (self.high - self.low) / 5
        power = 10.0 ** math.floor(math.log10(rough))
        step = next(power * factor for factor in (1, 2, 5, 10) if power * factor >= rough)
        first, last = math.ceil(self.low / step), math.floor(self.high / step)
        return [round(number * step, 12) for number in range(first, last + 1)]


def draw_interval(axis: Axis, interval: Interval, *, zero: bool = False) -> str:
    """Draw a mean with its interval, 28 pixels high, and a line at zero if asked."""
    low, high, value = (axis.place(end) for end in (interval.low, interval.high, interval.value))
    line = f'<line class="zero" x1="{axis.place(0)}%" x2="{axis.place(0)}%" y1="0" y2="28"/>'
    return (
        f'<svg class="plot" height="28" aria-hidden="true">{line if zero else ""}'
        f'<line class="whisker" x1="{low}%" x2="{high}%" y1="14" y2="14"/>'
        f'<circle class="dot" cx="{value}%" cy="14" r="5"/></svg>'
    )


def draw_axis(axis: Axis) -> str:
    """Draw the ticks of an axis with their values, 24 pixels high."""
    ticks = axis.ticks()
    decimals = max((len(f"{tick:.6f}".rstrip("0").partition(".")[2]) for tick in ticks), default=0)
    marks = "".join(
        f'<line class="tick" x1="{place}%" x2="{place}%" y1="0" y2="5"/>'
        f'<text x="{place}%" y="18" text-anchor="{_anchor(place)}">{tick:.{decimals}f}</text>'
        for tick, place in ((tick, axis.place(tick)) for tick in ticks)
    )
    return f'<svg class="plot axis" height="24" aria-hidden="true">{marks}</svg>'


def draw_sorted(differences: NDArray[np.float64], *, reach: float) -> str:
    """Draw the differences of all images side by side, largest first, around a line at zero.

    Args:
        differences: First minus second in favour of the first, (N,) finite; of more than 240
            images, 240 quantiles are drawn.
        reach: Value at the top, above 0; its negative is at the bottom.
    """
    values = np.sort(differences)[::-1]
    if values.size > _MAX_POINTS:
        values = np.quantile(differences, np.linspace(1, 0, _MAX_POINTS))
    bars = []
    for name, part in (("win", np.maximum(values, 0)), ("loss", np.minimum(values, 0))):
        if part.any():
            bars.append(f'<path class="{name}" d="{_steps(part / reach)}"/>')
    return (
        '<svg class="sorted" viewBox="0 0 100 100" preserveAspectRatio="none" aria-hidden="true">'
        f'{"".join(bars)}<line class="zero" x1="0" x2="100" y1="50" y2="50"/></svg>'
    )


def _steps(heights: Sequence[float] | NDArray[np.float64]) -> str:
    """A bar for each height in [-1, 1], without gaps between them."""
    width = 100 / len(heights)
    points = [
        f"{edge * width:.2f} {50 - 50 * height:.2f}"
        for position, height in enumerate(heights)
        for edge in (position, position + 1)
    ]
    return f"M0 50L{'L'.join(points)}L100 50Z"


def _anchor(place: float) -> str:
    """Labels near an end stay within the plot."""
    return "start" if place < 6 else "end" if place > 94 else "middle"
