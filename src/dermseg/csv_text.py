"""Tables as CSV: a header, lines that end in a line feed, UTF-8, and no formulas."""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Iterable
from typing import Final

__all__ = ["encode_csv", "encode_rows", "quote_cell", "unquote_cell"]

_FORMULA: Final = re.compile(r"'*[=+\-@\t\r]")
_NUMBER: Final = re.compile(r"[+-]?[\d.]+(e[+-]?\d+)?")
_QUOTED: Final = re.compile(r"'+[=+\-@\t\r]")
_TERMINATOR: Final = "\r\n"


def quote_cell(cell: object) -> object:
    """Put an apostrophe before text that a spreadsheet would calculate; numbers stay as they are.

    Example:
        >>> quote_cell("=1+1"), quote_cell(-1), quote_cell("a=1")
        ("'=1+1", -1, 'a=1')
    """
    is_formula = isinstance(cell, str) and _FORMULA.match(cell) and not _NUMBER.fullmatch(cell)
    return f"'{cell}" if is_formula else cell


def unquote_cell(cell: str) -> str:
    """Take away what `quote_cell` puts there."""
    return cell[1:] if _QUOTED.match(cell) else cell


def encode_csv(
    columns: Iterable[str], rows: Iterable[Iterable[object]], *, errors: str = "strict"
) -> bytes:
    r"""Encode a table; None becomes an empty cell.

    Args:
        columns: The header.
        rows: As many values each as there are columns; formulas are quoted, see `quote_cell`.
        errors: What becomes of bytes in file names that are no text, as in ``str.encode``.

    Example:
        >>> encode_csv(["id", "area"], [["mole", 3], ["scar", None]])
        b'id,area\nmole,3\nscar,\n'
    """
    return encode_rows([columns, *rows], errors=errors)


def encode_rows(rows: Iterable[Iterable[object]], *, errors: str = "surrogateescape") -> bytes:
    """Rows of a CSV file in UTF-8, formulas quoted.

    Args:
        rows: The cells; None is empty.
        errors: What becomes of bytes in names that are no text; by default they come back.
    """
    text = io.StringIO(newline="")
    # Python quotes a line break only if it is in the terminator of its rows.
    writer = csv.writer(text, lineterminator=_TERMINATOR)
    lines = []
    for row in rows:
        writer.writerow([quote_cell(cell) for cell in row])
        lines.append(text.getvalue().removesuffix(_TERMINATOR))
        text.seek(0)
        text.truncate()
    return "".join(f"{line}\n" for line in lines).encode("utf-8", errors=errors)
