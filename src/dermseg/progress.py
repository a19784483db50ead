"""How far long work has come, for whatever program shows it.

The library draws nothing itself. What it has to say in words goes to the logger ``dermseg`` and the
loggers below it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from typing import Protocol, TypeVar

__all__ = ["Bar", "Display", "is_shown", "open_bar", "show_progress", "track"]

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


class Bar(Protocol):
    """Shows how far work is that is no stream of items."""

    def show(self, done: int, total: int, what: str, facts: str) -> None:
        """Draw the bar anew.

        Args:
            done: How much is done.
            total: How much there is to do.
            what: The work, in a word or two.
            facts: What else is known, such as the time left.
        """
        ...

    def hide(self) -> None:
        """Remove it, until it is drawn again."""
        ...


_displays: list[Display] = []
_bars: list[Callable[[], Bar]] = []


def show_progress(display: Display | None, bar: Callable[[], Bar] | None = None) -> None:
    """Show the progress of all work in this process from now on; None shows nothing.

    Args:
        display: Shows how many of a number of items are done.
        bar: Makes a bar for other work.
    """
    _displays[:] = [] if display is None else [display]
    _bars[:] = [] if bar is None else [bar]


def open_bar() -> Bar | None:
    """A bar to draw, if there is where to."""
    return _bars[0]() if _bars else None


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
