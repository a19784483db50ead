"""Small plots beside numbers, as inline SVG that fills its cell's width."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Protocol

import numpy as np
from markupsafe import Markup
from numpy.typing import NDArray

from dermseg.pages.scales import Axis

__all__ = ["Estimate", "axis_cell", "axis_over", "draw_sorted", "interval_cell"]

_MARGIN = 0.05
_MAX_POINTS = 240


class Estimate(Protocol):
    """A value with its interval."""

    @property
    def value(self) -> float:
        """The value."""

    @property
    def low(self) -> float:
        """Lower end of the interval."""

    @property
    def high(self) -> float:
        """Upper end of the interval."""


def interval_cell(
    interval: Estimate, axis: Axis, *, reference: float | None = None, weak: bool = False
) -> Markup:
    """Draw a value with its interval, to fill the width of a table's cell.

    It is hidden from screen readers: the numbers must stand in the same row.

    Args:
        interval: What to draw.
        axis: The same for the whole column, see `axis_cell`.
        reference: A value to compare with, drawn as a dashed line.
        weak: Draw the interval paler, because it rests on few images.
    """
    low, value, high = (
        100 * axis.share(end) for end in (interval.low, interval.value, interval.high)
    )
    parts = [Markup('<line class="grid-line" x1="0" x2="100%" y1="12" y2="12"/>')]
    if reference is not None:
        parts.append(
            Markup('<line class="reference" x1="{0:.2f}%" x2="{0:.2f}%" y1="-3" y2="27"/>').format(
                100 * axis.share(reference)
            )
        )
    parts.append(
        Markup('<line class="whisker{}" x1="{:.2f}%" x2="{:.2f}%" y1="12" y2="12"/>').format(
            " weak" if weak else "", low, high
        )
    )
    parts.append(Markup('<circle class="dot" cx="{:.2f}%" cy="12" r="5"/>').format(value))
    return Markup('<svg height="24" aria-hidden="true" focusable="false">{}</svg>').format(
        Markup("").join(parts)
    )


def axis_cell(axis: Axis, *, num_ticks: int = 3) -> Markup:
    """Draw the numbers of the axis of a column of `interval_cell`, for the table's head."""
    ticks = axis.ticks(num_ticks)
    parts = []
    for tick in ticks:
        share = axis.share(tick)
        anchor = "end" if share > 0.9 else "middle" if share > 0.1 else ""
        if tick not in (ticks[0], ticks[-1]):
            anchor += " inner"  # hidden where the page is narrow
        parts.append(
            Markup('<text x="{:.2f}%" y="12" class="{}">{}</text>').format(
                100 * share, anchor, f"{tick:g}"
            )
        )
    return Markup('<svg height="16" aria-hidden="true" focusable="false">{}</svg>').format(
        Markup("").join(parts)
    )


def axis_over(intervals: Iterable[Estimate], *, with_zero: bool = False) -> Axis:
    """Return an axis that shows all intervals, and zero if asked, with a margin.

    It is as short as they allow: differences are small beside the range of a score.
    """
    ends = [end for interval in intervals for end in (interval.low, interval.high)]
    low, high = min(ends + [0.0] * with_zero), max(ends + [0.0] * with_zero)
    margin = _MARGIN * (high - low) or 0.01
    return Axis(low - margin, high + margin)


def draw_sorted(differences: NDArray[np.float64], *, reach: float) -> Markup:
    """Draw the differences of all images side by side, largest first, around a line at zero.

    It is hidden from screen readers: the counts must stand beside it.

    Args:
        differences: First minus second in favour of the first, (N,) finite; of more than 240
            images, 240 quantiles are drawn.
        reach: Value at the top, above 0; its negative is at the bottom.
    """
    values = np.sort(differences)[::-1]
    if values.size > _MAX_POINTS:
        values = np.quantile(differences, np.linspace(1, 0, _MAX_POINTS))
    bars = [
        Markup('<path class="{}" d="{}"/>').format(name, _steps(part / reach))
        for name, part in (("win", np.maximum(values, 0)), ("loss", np.minimum(values, 0)))
        if part.any()
    ]
    return Markup(
        '<svg viewBox="0 0 100 100" preserveAspectRatio="none" aria-hidden="true">{}'
        '<line class="zero" x1="0" x2="100" y1="50" y2="50"/></svg>'
    ).format(Markup("").join(bars))


def _steps(heights: NDArray[np.float64]) -> str:
    """A bar for each height in [-1, 1], without gaps between them."""
    width = 100 / len(heights)
    points = [
        f"{edge * width:.2f} {50 - 50 * height:.2f}"
        for position, height in enumerate(heights)
        for edge in (position, position + 1)
    ]
    return f"M0 50L{'L'.join(points)}L100 50Z"
