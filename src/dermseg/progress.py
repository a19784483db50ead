"""How far long work has come, for whatever program shows it.

The library draws nothing itself. What it has to say in words goes to the logger ``dermseg`` and the
loggers below it.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Protocol, TypeVar

__all__ = ["Display", "is_shown", "show_progress", "track"]

Item = TypeVar("Item")


class Display(Protocol):
    """Shows how many of a number of items have been passed on."""

    def __call__(self, items: Iterable[Item], total: int, what: str) -> Iterator[Item]:
        """Pass the items on, and show that.

        Args:
            items: What is worked on.
            total: How many they are.
            what: The work, in a word or two.
        """
        ...


_displays: list[Display] = []


def show_progress(display: Display | None) -> None:
    """Show the progress of all work in this process from now on; None shows nothing."""
    _displays[:] = [] if display is None else [display]


def is_shown() -> bool:
    """Whether there is a display; it may still find that it has no terminal."""
    return bool(_displays)


def track(items: Iterable[Item], total: int, what: str) -> Iterator[Item]:
    """Pass items on, and let the display show how far they are.

    Args:
        items: What is worked on.
        total: How many they are.
        what: The work, in a word or two.
    """
    return _displays[0](items, total, what) if _displays else iter(items)
