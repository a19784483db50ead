"""What the page of a comparison draws besides intervals."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np
from markupsafe import Markup
from numpy.typing import NDArray

from dermseg.evaluation.intervals import Interval
from dermseg.evaluation.report import Axis

__all__ = ["axis_over", "draw_sorted"]

_MARGIN = 0.05
_MAX_POINTS = 240


def axis_over(intervals: Iterable[Interval], *, with_zero: bool = False) -> Axis:
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
