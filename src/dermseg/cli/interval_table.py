"""Figures with their intervals, in lines of text."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from dermseg.evaluation import Interval

__all__ = ["interval_lines"]


def interval_lines(figures: Mapping[str, Interval | None]) -> Iterator[str]:
    """Yield a line for each figure, with a dash where it is undefined."""
    width = max(map(len, figures), default=0)
    for name, interval in figures.items():
        value = "-"
        if interval is not None:
            value = f"{interval.value:.4f}  [{interval.low:.4f}, {interval.high:.4f}]"
        yield f"{name:>{width}}  {value}"
