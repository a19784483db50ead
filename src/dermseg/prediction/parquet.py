"""``predictions.parquet``: the finished table once more, in a form that reads fast."""

from __future__ import annotations

import secrets
from importlib.util import find_spec
from pathlib import Path

from dermseg.errors import OutputError

__all__ = ["PARQUET", "copy_as_parquet", "is_installed"]

PARQUET = "predictions.parquet"

_TEXTS = frozenset({"file", "mask", "error"})
_COUNTS = frozenset(
    {
        "width",
        "height",
        "area_pixels",
        "box_x",
        "box_y",
        "box_width",
        "box_height",
        "num_regions",
        "review",
    }
)


def is_installed() -> bool:
    """Whether polars is there; it is not imported for the answer."""
    return find_spec("polars") is not None


def copy_as_parquet(table: Path) -> None:
    """Copy a CSV table to ``predictions.parquet`` beside it, a part at a time. Needs polars.

    Whole numbers are Int64, other measurements Float64, and cells that are empty are null. Of file
    names that are no Unicode, the bytes that are none are replaced.

    Raises:
        OutputError: If it cannot be written.
    """
    import polars  # noqa: PLC0415 -- an optional extra, for large runs only

    rows = polars.scan_csv(table, infer_schema=False, encoding="utf8-lossy")
    kinds = {
        name: polars.Int64 if name in _COUNTS else polars.Float64
        for name in rows.collect_schema().names()
        if name not in _TEXTS
    }
    temporary = table.with_name(f".dermseg-{secrets.token_hex(8)}.tmp")
    try:
        try:
            rows.cast(kinds).sink_parquet(temporary)  # type: ignore[arg-type]
            temporary.replace(table.with_name(PARQUET))
        finally:
            temporary.unlink(missing_ok=True)
    except (OSError, polars.exceptions.PolarsError) as error:
        message = f"{table.with_name(PARQUET)}: cannot be written: {error}"
        raise OutputError(message) from error
