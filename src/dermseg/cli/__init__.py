"""The command line: parse, call, print. Work is done in the layers below."""

from __future__ import annotations

import contextlib
import os
import signal
import sys
import time
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from types import FrameType

__all__ = ["main"]

_PATIENCE = 3.0
"""Seconds after an interruption during which further ones are taken for the same."""


def main() -> None:
    """Run the command line; errors become one line and an exit code, never a traceback.

    Exit codes: 0 done, 1 some inputs failed, 2 the call was wrong, 3 it could not be finished, 130
    interrupted, also by SIGTERM. Of an error that nobody foresaw, the details are in a file that
    the line names.
    """
    _catch_signals()
    code = 130
    try:
        # Here, so that an interruption of the imports is one line as well.
        from dermseg.cli.running import run

        code = run()
    except KeyboardInterrupt:
        sys.stderr.write("dermseg: interrupted\n")
    if code == 130:
        # Python's own end would let the next one kill it, with another exit code.
        signal.signal(signal.SIGINT, signal.SIG_IGN)
        signal.signal(signal.SIGTERM, signal.SIG_IGN)
    sys.exit(code)


def _catch_signals() -> None:
    """Turn the first Ctrl-C, or SIGTERM, into an interruption, and let it end in peace.

    More of them would interrupt what cleans up; only after some seconds does one end the program
    at once.
    """
    first = 0.0

    def interrupt(number: int, frame: FrameType | None) -> None:
        nonlocal first
        now = time.monotonic()
        if not first:
            first = now
            raise KeyboardInterrupt
        if now - first > _PATIENCE:
            os._exit(130)

    with contextlib.suppress(ValueError):  # in a thread of somebody's program
        if signal.getsignal(signal.SIGINT) is signal.default_int_handler:
            signal.signal(signal.SIGINT, interrupt)
        if signal.getsignal(signal.SIGTERM) is signal.SIG_DFL:
            signal.signal(signal.SIGTERM, interrupt)
