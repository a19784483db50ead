"""Axes: where a value lies, where the ticks are, and how numbers are written."""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass

__all__ = ["Axis", "fit_axis", "format_number"]


@dataclass(frozen=True)
class Axis:
    """A linear axis.

    Attributes:
        low: Its left or lower end.
        high: Its right or upper end, above ``low``.
    """

    low: float
    high: float

    def share(self, value: float) -> float:
        """Return where a value lies, in [0, 1] from low to high; values outside are at the ends."""
        return min(1.0, max(0.0, (value - self.low) / (self.high - self.low)))

    def ticks(self, num_about: int = 5) -> list[float]:
        """Return round numbers on the axis, about so many.

        Example:
            >>> Axis(0, 1).ticks(), Axis(3, 171).ticks(4)
            ([0.0, 0.2, 0.4, 0.6, 0.8, 1.0], [50.0, 100.0, 150.0])
        """
        step = _round_step((self.high - self.low) / num_about)
        first = math.ceil(self.low / step - 1e-9)
        last = math.floor(self.high / step + 1e-9)
        return [round(number * step, 10) for number in range(first, last + 1)]


def fit_axis(values: Iterable[float], *, lowest: float = 0.0, highest: float = 1.0) -> Axis:
    """Return an axis within limits that holds all values and begins and ends at round numbers.

    Args:
        values: NaN is left out.
        lowest: The axis does not begin below it.
        highest: The axis does not end above it; may be infinite.

    Example:
        >>> fit_axis([0.62, 0.9])
        Axis(low=0.6, high=0.9)
    """
    known = [value for value in values if not math.isnan(value)]
    if not known:
        return Axis(lowest, highest)
    spread = max(known) - min(known)
    narrowest = (highest - lowest) / 20 if math.isfinite(highest) else 1.0
    step = _round_step(max(spread, narrowest) / 4)
    low = max(lowest, math.floor(min(known) / step + 1e-9) * step)
    high = min(highest, math.ceil(max(known) / step - 1e-9) * step)
    if high - low < step / 2:
        low, high = max(lowest, low - step), min(highest, high + step)
    return Axis(round(low, 10), round(high, 10))


def format_number(value: float, num_decimals: int | None = None) -> str:
    """Write a number for people; with as many decimals as its size asks for, if none are given.

    Example:
        >>> format_number(0.81234), format_number(12.345), format_number(1234.5)
        ('0.812', '12.3', '1,234')
        >>> format_number(0.5, 4), format_number(float("nan"))
        ('0.5000', 'not defined')
    """
    if math.isnan(value):
        return "not defined"
    if num_decimals is None:
        size = abs(value)
        num_decimals = 3 if size < 2 else 1 if size < 1000 else 0
    return f"{value:,.{num_decimals}f}"


def _round_step(step: float) -> float:
    """The next of 1, 2, 5, 10 times a power of ten that is not below ``step``."""
    power = 10.0 ** math.floor(math.log10(step))
    return next(power * factor for factor in (1, 2, 5, 10) if power * factor >= step * (1 - 1e-9))
