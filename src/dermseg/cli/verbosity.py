"""How much a command says besides its result: ``--quiet`` and ``--verbose``."""

from __future__ import annotations

import inspect
import logging
import sys
from collections.abc import Callable, Iterable, Iterator
from functools import wraps
from typing import Annotated, Any, TypeVar, get_type_hints

import typer

from dermseg.cli.terminal import print_line
from dermseg.errors import UsageError
from dermseg.progress import show_progress

__all__ = ["TerminalBar", "set_verbosity", "with_verbosity"]

Item = TypeVar("Item")

_logger = logging.getLogger("dermseg")

_OPTIONS = {
    "quiet": Annotated[
        bool,
        typer.Option("--quiet", help="Say nothing but warnings, errors and the result."),
    ],
    "verbose": Annotated[bool, typer.Option("--verbose", help="Say more about each step.")],
}


def with_verbosity(command: Callable[..., None]) -> Callable[..., None]:
    """Give a command that works for a while the options ``--quiet`` and ``--verbose``."""

    @wraps(command)
    def run(*, quiet: bool, verbose: bool, **options: Any) -> None:  # noqa: ANN401 -- the command's
        if quiet and verbose:
            message = "--quiet and --verbose exclude each other: give one of them"
            raise UsageError(message)
        set_verbosity(logging.WARNING if quiet else logging.DEBUG if verbose else logging.INFO)
        command(**options)

    # Typer reads the options of a command from its signature.
    hints = get_type_hints(command, include_extras=True)
    signature = inspect.signature(command)
    parameters = [
        parameter.replace(annotation=hints[name])
        for name, parameter in signature.parameters.items()
    ]
    parameters += [
        inspect.Parameter(name, inspect.Parameter.KEYWORD_ONLY, default=False, annotation=option)
        for name, option in _OPTIONS.items()
    ]
    run.__signature__ = signature.replace(parameters=parameters)  # type: ignore[attr-defined]
    run.__annotations__ = {**hints, **_OPTIONS}
    return run


class _Lines(logging.Handler):
    """Prints each message as a line on standard error; a warning is called one."""

    def emit(self, record: logging.LogRecord) -> None:
        """Print a message."""
        prefix = f"{record.levelname.lower()}: " if record.levelno >= logging.WARNING else ""
        print_line(f"{prefix}{record.getMessage()}", err=True)


def set_verbosity(level: int) -> None:
    """Print what the library says from a level of ``logging`` on, and progress if that is INFO."""
    if not any(isinstance(handler, _Lines) for handler in _logger.handlers):
        _logger.addHandler(_Lines())
        _logger.propagate = False
    _logger.setLevel(level)
    if level <= logging.INFO and sys.stderr.isatty():
        show_progress(_draw_bar, TerminalBar)
    else:
        show_progress(None)


def _draw_bar(items: Iterable[Item], total: int, what: str) -> Iterator[Item]:
    # Here, because importing rich takes as long as predicting an image.
    from rich.console import Console
    from rich.progress import track

    yield from track(items, description=what, total=total, console=Console(stderr=True))


class TerminalBar:
    """A bar on standard error."""

    def __init__(self) -> None:
        from rich.console import Console
        from rich.progress import BarColumn, Progress, TextColumn

        self._progress = Progress(
            TextColumn("{task.description}"),
            BarColumn(),
            TextColumn("{task.fields[facts]}"),
            console=Console(stderr=True),
            transient=True,
            auto_refresh=False,  # no thread: processes may be forked meanwhile
        )
        self._task = self._progress.add_task("", facts="")

    def show(self, done: int, total: int, what: str, facts: str) -> None:
        """Draw the bar anew."""
        self._progress.update(
            self._task, completed=done, total=total, description=what, facts=facts
        )
        self._progress.start()
        self._progress.refresh()

    def hide(self) -> None:
        """Remove the bar."""
        self._progress.stop()
