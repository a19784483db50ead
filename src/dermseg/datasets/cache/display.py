"""Telling a person how far a cache is."""

from __future__ import annotations

from collections.abc import Generator, Iterable
from typing import Protocol, TypeVar

from rich.console import Console
from rich.progress import track

__all__ = ["SILENT", "ConsoleDisplay", "Display"]

T = TypeVar("T")


class Display(Protocol):
    """Where lines and progress go."""

    def say(self, message: str) -> None:
        """Show one line."""
        ...

    def track(self, items: Iterable[T], total: int, what: str) -> Generator[T]:
        """Pass ``items`` on while showing how many of ``total`` have been."""
        ...


class ConsoleDisplay:
    """Lines on standard error, and a bar if it is a terminal."""

    def __init__(self) -> None:
        self._console = Console(stderr=True)

    def say(self, message: str) -> None:
        """Print one line."""
        self._console.print(message, soft_wrap=True, markup=False, highlight=False)

    def track(self, items: Iterable[T], total: int, what: str) -> Generator[T]:
        """Show a bar while iterating."""
        console = self._console
        yield from track(
            items, description=what, total=total, console=console, disable=not console.is_terminal
        )


class _Silent:
    def say(self, message: str) -> None:
        pass

    def track(self, items: Iterable[T], total: int, what: str) -> Generator[T]:
        yield from items


SILENT: Display = _Silent()
"""Shows nothing."""
