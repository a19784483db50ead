"""Tables as CSV: a header, lines that end in a line feed, UTF-8."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable

__all__ = ["encode_csv"]


def encode_csv(
    columns: Iterable[str], rows: Iterable[Iterable[object]], *, errors: str = "strict"
) -> bytes:
    r"""Encode a table; None becomes an empty cell.

    Args:
        columns: The header.
        rows: As many values each as there are columns.
        errors: What becomes of bytes in file names that are no text, as in ``str.encode``.

    Example:
        >>> encode_csv(["id", "area"], [["mole", 3], ["scar", None]])
        b'id,area\nmole,3\nscar,\n'
    """
    text = io.StringIO(newline="")
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(columns)
    writer.writerows(rows)
    return text.getvalue().encode(errors=errors)
