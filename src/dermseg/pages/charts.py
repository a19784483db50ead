"""Charts as inline SVG: crisp at any size, and coloured by the page's style sheet.

Every text that enters a chart is escaped here.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from markupsafe import Markup

from dermseg.pages.scales import Axis, format_number

__all__ = ["Curve", "curve_chart", "histogram", "reliability_chart", "scatter_chart"]

_WIDTH, _HEIGHT = 400, 290
_LEFT, _RIGHT, _TOP, _BOTTOM = 52, 12, 22, 46
_UNIT = Axis(0, 1)


@dataclass(frozen=True)
class Curve:
    """A line of a chart.

    Attributes:
        points: (x, y) from left to right.
        label: What it is, for the legend and for screen readers.
        second: Drawn in the second colour, dashed.
    """

    points: Sequence[tuple[float, float]]
    label: str
    second: bool = False


def histogram(
    counts: Sequence[int],
    axis: Axis,
    *,
    label: str,
    description: str,
    mean: float | None = None,
    guide: tuple[float, str] | None = None,
    overflow: bool = False,
) -> Markup:
    """Draw a histogram with bins of equal width.

    Args:
        counts: Images per bin, from left to right.
        axis: From the first bin's lower end to the last bin's upper end.
        label: Label of the horizontal axis.
        description: Description of the whole chart, for screen readers.
        mean: Marked by a line, if given.
        guide: Another value to mark, and what it is.
        overflow: The last bin also holds everything above; its tick says so.
    """
    frame = _Frame(axis, Axis(0, _top(max(counts, default=0))))
    width = frame.width / max(1, len(counts))
    parts = [frame.y_grid(frame.y.ticks(4)), frame.x_ticks(axis.ticks(5), overflow=overflow)]
    for number, count in enumerate(counts):
        if count:
            top = frame.at_y(count)
            parts.append(
                Markup(
                    '<rect class="bar" x="{:.1f}" y="{:.1f}" width="{:.1f}" height="{:.1f}"/>'
                ).format(_LEFT + number * width + 1, top, max(1.0, width - 2), frame.bottom - top)
            )
    if guide is not None:
        x = frame.at_x(guide[0])
        parts.append(_line("guide", x, _TOP, x, frame.bottom))
        parts.append(_text(x - 5, _TOP + 10, guide[1], "end"))
    if mean is not None:
        x = frame.at_x(mean)
        parts.append(_line("mean", x, _TOP - 4, x, frame.bottom))
        side = "end" if axis.share(mean) > 0.5 else ""
        text = f"mean {format_number(mean)}"
        parts.append(_text(x + (-6 if side else 6), _TOP - 8, text, f"mean-label {side}"))
    return frame.chart(parts, x_label=label, y_label="images", description=description)


def curve_chart(
    curves: Sequence[Curve],
    *,
    x_label: str,
    y_label: str,
    description: str,
    diagonal: bool = False,
) -> Markup:
    """Draw lines over the unit square.

    Args:
        curves: One or more; a legend is drawn for more than one.
        x_label: Label of the horizontal axis.
        y_label: Label of the vertical axis.
        description: Description of the whole chart, for screen readers.
        diagonal: Draw the line from (0, 0) to (1, 1).
    """
    frame = _Frame(_UNIT, _UNIT)
    parts = [frame.y_grid(_UNIT.ticks()), frame.x_ticks(_UNIT.ticks())]
    if diagonal:
        parts.append(_line("guide", frame.at_x(0), frame.at_y(0), frame.at_x(1), frame.at_y(1)))
    if len(curves) == 1:
        points = curves[0].points
        closed = [(points[0][0], 0.0), *points, (points[-1][0], 0.0)]
        parts.append(Markup('<polygon class="area" points="{}"/>').format(frame.points(closed)))
    parts += [frame.curve(curve) for curve in curves]
    if len(curves) > 1:
        parts.append(_legend(curves))
    return frame.chart(parts, x_label=x_label, y_label=y_label, description=description)


def reliability_chart(
    curves: Sequence[Curve], shares: Sequence[float], *, description: str
) -> Markup:
    """Draw how often it is lesion against the probability of lesion.

    Args:
        curves: (mean probability, share of lesion) of the bins that hold pixels.
        shares: Share of the pixels in each bin, drawn as pale bars from the bottom.
        description: Description of the whole chart, for screen readers.
    """
    frame = _Frame(_UNIT, _UNIT)
    parts = [frame.y_grid(_UNIT.ticks()), frame.x_ticks(_UNIT.ticks())]
    width = frame.width / len(shares)
    for number, share in enumerate(shares):
        top = frame.at_y(share)
        parts.append(
            Markup(
                '<rect class="bar pale" x="{:.1f}" y="{:.1f}" width="{:.1f}" height="{:.1f}"/>'
            ).format(_LEFT + number * width + 1, top, width - 2, frame.bottom - top)
        )
    parts.append(_line("guide", frame.at_x(0), frame.at_y(0), frame.at_x(1), frame.at_y(1)))
    for curve in curves:
        parts.append(frame.curve(curve))
        parts += [_dot(frame.at_x(x), frame.at_y(y), second=curve.second) for x, y in curve.points]
    parts.append(_legend(curves))
    return frame.chart(
        parts,
        x_label="probability of lesion",
        y_label="share that is lesion",
        description=description,
    )


def scatter_chart(
    points: Sequence[tuple[float, float]],
    rings: Sequence[bool],
    *,
    x_label: str,
    y_label: str,
    description: str,
    guide: float,
) -> Markup:
    """Draw dots over the unit square, and its diagonal.

    Args:
        points: (x, y) of each dot.
        rings: Which of them are drawn as rings.
        x_label: Label of the horizontal axis.
        y_label: Label of the vertical axis.
        description: Description of the whole chart, for screen readers.
        guide: Height of a line to compare with.
    """
    frame = _Frame(_UNIT, _UNIT)
    left, right, height = frame.at_x(0), frame.at_x(1), frame.at_y(guide)
    parts = [frame.y_grid(_UNIT.ticks()), frame.x_ticks(_UNIT.ticks())]
    parts.append(_line("guide", left, frame.at_y(0), right, frame.at_y(1)))
    parts.append(_line("guide", left, height, right, height))
    parts.append(_text(left + 5, height - 5, f"{guide:g}", ""))
    parts += [
        Markup('<circle class="{}" cx="{:.1f}" cy="{:.1f}" r="3"/>').format(
            "ring" if is_ring else "dot", frame.at_x(x), frame.at_y(y)
        )
        for (x, y), is_ring in zip(points, rings, strict=True)
    ]
    return frame.chart(parts, x_label=x_label, y_label=y_label, description=description)


class _Frame:
    """Maps values to places in a chart, and draws what surrounds the data."""

    def __init__(self, x: Axis, y: Axis) -> None:
        self.x = x
        self.y = y
        self.width = _WIDTH - _LEFT - _RIGHT
        self.bottom = _HEIGHT - _BOTTOM

    def at_x(self, value: float) -> float:
        return _LEFT + self.width * self.x.share(value)

    def at_y(self, value: float) -> float:
        return self.bottom - (self.bottom - _TOP) * self.y.share(value)

    def points(self, points: Iterable[tuple[float, float]]) -> str:
        return " ".join(f"{self.at_x(x):.1f},{self.at_y(y):.1f}" for x, y in points)

    def curve(self, curve: Curve) -> Markup:
        return Markup('<polyline class="curve{}" points="{}"/>').format(
            " second" if curve.second else "", self.points(curve.points)
        )

    def y_grid(self, ticks: Iterable[float]) -> Markup:
        parts = []
        for tick in ticks:
            y = self.at_y(tick)
            parts.append(_line("grid-line", _LEFT, y, _WIDTH - _RIGHT, y))
            parts.append(_text(_LEFT - 8, y + 4, f"{tick:g}", "end"))
        return Markup("").join(parts)

    def x_ticks(self, ticks: Sequence[float], *, overflow: bool = False) -> Markup:
        parts = []
        for tick in ticks:
            more = "+" if overflow and tick == ticks[-1] else ""
            parts.append(_text(self.at_x(tick), self.bottom + 18, f"{tick:g}{more}", "middle"))
        return Markup("").join(parts)

    def chart(
        self, parts: Iterable[Markup], *, x_label: str, y_label: str, description: str
    ) -> Markup:
        axis = _line("axis", _LEFT, self.bottom, _WIDTH - _RIGHT, self.bottom)
        label = _text(_LEFT + self.width / 2, _HEIGHT - 8, x_label, "middle label")
        side = Markup(
            '<text class="middle label" transform="translate(13 {:.0f}) rotate(-90)">{}</text>'
        ).format((self.bottom + _TOP) / 2, y_label)
        return Markup(
            '<svg class="chart" viewBox="0 0 {} {}" role="img" aria-label="{}">{}{}{}{}</svg>'
        ).format(_WIDTH, _HEIGHT, description, Markup("").join(parts), axis, label, side)


def _legend(curves: Sequence[Curve]) -> Markup:
    """Lines and labels in the lower right corner, where the curves of good models are not."""
    parts = []
    for number, curve in enumerate(curves):
        y = _HEIGHT - _BOTTOM - 14 - 19 * (len(curves) - 1 - number)
        second = " second" if curve.second else ""
        parts.append(_line(f"curve{second}", 226, y - 4, 254, y - 4))
        parts.append(_text(260, y, curve.label, "label"))
    return Markup("").join(parts)


def _line(name: str, x1: float, y1: float, x2: float, y2: float) -> Markup:
    return Markup('<line class="{}" x1="{:.1f}" y1="{:.1f}" x2="{:.1f}" y2="{:.1f}"/>').format(
        name, x1, y1, x2, y2
    )


def _text(x: float, y: float, text: str, name: str) -> Markup:
    return Markup('<text class="{}" x="{:.1f}" y="{:.1f}">{}</text>').format(name, x, y, text)


def _dot(x: float, y: float, *, second: bool) -> Markup:
    return Markup('<circle class="dot{}" cx="{:.1f}" cy="{:.1f}" r="4"/>').format(
        " second" if second else "", x, y
    )


def _top(count: int) -> float:
    """Return the end of an axis of counts, a little above the largest."""
    return max(1.0, count * 1.08)
