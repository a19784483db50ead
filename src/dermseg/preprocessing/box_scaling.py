"""The same part of a picture at another size."""

from __future__ import annotations

from dermseg.preprocessing.field_of_view import Box
from dermseg.types import Size

__all__ = ["scale_box"]


def scale_box(box: Box, size: Size, other: Size) -> Box:
    """Find the part of a picture at another size, to the nearest pixel and at least one large.

    Args:
        box: In the picture at ``size``.
        size: (height, width).
        other: (height, width) at which the part is wanted.

    Example:
        >>> scale_box(Box(5, 10, 20, 30), (100, 100), (50, 200))
        Box(top=2, left=20, height=10, width=60)
    """
    top, height = _scaled(box.top, box.height, size[0], other[0])
    left, width = _scaled(box.left, box.width, size[1], other[1])
    return Box(top, left, height, width)


def _scaled(start: int, length: int, side: int, other: int) -> tuple[int, int]:
    end = round((start + length) * other / side)
    start = min(round(start * other / side), other - 1)
    return start, max(1, end - start)
