"""Lines for people: what a name holds cannot act on a terminal, or look like another line."""

from __future__ import annotations

import contextlib
import sys

from dermseg.errors import OutputError, one_line

__all__ = ["print_line", "print_text"]


def print_line(line: str, *, err: bool = False) -> None:
    """Print one line, of which nothing but its end acts on a terminal.

    Args:
        line: The text; line breaks in it become escapes.
        err: Print on standard error, where a closed or full stream is no reason to stop.

    Raises:
        OutputError: If standard output cannot be written.
        BrokenPipeError: If nobody reads it any more.
    """
    if not err:
        print_text(one_line(line))
        return
    with contextlib.suppress(OSError, AttributeError):  # closed from the start, it is None
        sys.stderr.write(f"{one_line(line)}\n")
        sys.stderr.flush()


def print_text(text: str) -> None:
    """Print text of several lines, such as JSON or a recipe, on standard output.

    Raises:
        OutputError: If standard output cannot be written.
        BrokenPipeError: If nobody reads it any more.
    """
    lines = "\n".join(map(one_line, text.replace("\t", "    ").split("\n")))
    try:
        sys.stdout.write(f"{lines}\n")
        sys.stdout.flush()
    except BrokenPipeError:
        raise
    except OSError as error:
        message = f"standard output cannot be written: {error.strerror}"
        raise OutputError(message) from error
