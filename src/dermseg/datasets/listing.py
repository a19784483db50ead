"""Naming some of many things in a message."""

from __future__ import annotations

from collections.abc import Sequence

__all__ = ["list_some"]

_NUM_SHOWN = 5


def list_some(names: Sequence[str]) -> str:
    """Join the first five names, and say how many more there are.

    Example:
        >>> list_some(["a", "b"])
        'a, b'
        >>> list_some(list("abcdefg"))
        'a, b, c, d, e and 2 more'
    """
    num_more = len(names) - _NUM_SHOWN
    return ", ".join(names[:_NUM_SHOWN]) + (f" and {num_more} more" if num_more > 0 else "")
