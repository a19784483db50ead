"""Run the command line; whatever ends it becomes one line and an exit code."""

from __future__ import annotations

import contextlib
import errno
import os
import platform
import sys
import tempfile
import threading
import traceback
import warnings
from datetime import datetime
from pathlib import Path
from typing import TextIO

from dermseg import __version__
from dermseg.cli.terminal import print_line
from dermseg.errors import DermsegError, ImageError, UsageError

__all__ = ["run"]

# What an operating system lacks, or forbids; no mistake of this program.
_OF_THE_MACHINE = frozenset(
    {errno.ENOSPC, errno.EDQUOT, errno.EFBIG, errno.ENOMEM, errno.EMFILE, errno.EROFS}
)


def run() -> int:
    """Run the command line, and say in a line what ended it; the exit code."""
    _open_streams()
    threading.excepthook = lambda hooked: _report(hooked.exc_value)
    warnings.showwarning = _show_warning
    code = _call()
    if not _flush(sys.stdout):
        code = code or _say("standard output cannot be written", 3)
    _flush(sys.stderr)
    return code


def _call() -> int:
    try:
        # Here, so that an interruption of the imports is one line as well.
        from dermseg.cli.commands import app

        # The same name for `python -m dermseg`: completion is installed for that of the command.
        app(prog_name="dermseg")
    except BaseException as error:  # noqa: BLE001 -- nothing passes as a traceback
        return _end(error)
    return 0


def _end(error: BaseException) -> int:
    """Say in a line why the command ends, unless that was said; its exit code."""
    match error:
        case KeyboardInterrupt() | SystemExit(code=130):
            message, code = "interrupted", 130
        case SystemExit():
            return error.code if isinstance(error.code, int) else int(error.code is not None)
        case DermsegError():
            message, code = str(error), _code_of(error)
        case MemoryError():
            message, code = "out of memory: use a smaller --batch-size, or fewer --workers", 3
        case _:
            return _report(error)
    return _say(message, code)


def _show_warning(message: Warning | str, *args: object, **options: object) -> None:
    print_line(f"warning: {message}", err=True)


def _code_of(error: DermsegError) -> int:
    if isinstance(error, UsageError):
        return 2
    return 1 if isinstance(error, ImageError) else 3


def _say(message: str, code: int) -> int:
    print_line(f"dermseg: {message}", err=True)
    return code


def _report(error: BaseException | None) -> int:
    """Say that something happened that nobody foresaw, and keep the details in a file."""
    if isinstance(error, OSError) and error.errno in _OF_THE_MACHINE:
        where = f"{error.filename}: " if error.filename else ""
        return _say(f"{where}{error.strerror}: free some space or memory, then run it again", 3)
    reason = "".join(traceback.format_exception_only(error)).strip().partition("\n")[0]
    details = "\n".join(
        (
            f"dermseg {__version__}, Python {sys.version}, {platform.platform()}",
            f"{datetime.now().astimezone():%Y-%m-%d %H:%M:%S %z}",
            *(ascii(argument) for argument in sys.argv),
            "".join(traceback.format_exception(error)),
        )
    )
    kept = "the details could not be written"
    with contextlib.suppress(OSError):
        descriptor, name = tempfile.mkstemp(prefix="dermseg-error-", suffix=".txt")
        with os.fdopen(descriptor, "w", encoding="utf-8", errors="backslashreplace") as file:
            file.write(details)
        kept = f"the details are in {name}"
    return _say(f"unforeseen: {reason}; {kept}. Please report it, with that file", 3)


def _open_streams() -> None:
    """Let every stream take any text, and leave none closed.

    A file that is opened where standard error was closed would get its number, and with it all that
    libraries written in C print there.
    """
    for descriptor in (0, 1, 2):
        try:
            os.fstat(descriptor)
        except OSError:
            os.open(os.devnull, os.O_RDWR)
    sys.stdout = sys.stdout or Path(os.devnull).open("w")  # noqa: SIM115 -- for all the program
    sys.stderr = sys.stderr or Path(os.devnull).open("w")  # noqa: SIM115
    for stream in (sys.stdout, sys.stderr):
        # A name in letters that the terminal lacks is shown by their numbers.
        if hasattr(stream, "reconfigure"):
            stream.reconfigure(errors="backslashreplace")


def _flush(stream: TextIO) -> bool:
    """Write what is left in a stream; where that fails, nothing more goes there."""
    try:
        stream.flush()
    except (OSError, ValueError):
        with contextlib.suppress(OSError, ValueError):
            os.dup2(os.open(os.devnull, os.O_WRONLY), stream.fileno())
        return False
    return True
