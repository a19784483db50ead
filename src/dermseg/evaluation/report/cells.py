"""Plots that fill a table's cell, one row below the other on one axis, as inline SVG."""

from __future__ import annotations

from markupsafe import Markup

from dermseg.evaluation.intervals import Interval
from dermseg.evaluation.report.scales import Axis

__all__ = ["axis_cell", "interval_cell"]


def interval_cell(
    interval: Interval, axis: Axis, *, reference: float | None = None, weak: bool = False
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
