"""``predictions.parquet``: the finished table once more, in a form that reads fast."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from importlib.util import find_spec
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Final

from dermseg.errors import OutputError
from dermseg.prediction.naming import PARQUET, TABLE
from dermseg.storage import Sink

__all__ = ["copy_as_parquet", "is_installed"]

_BLOCK: Final = 1 << 20

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


def copy_as_parquet(sink: Sink) -> None:
    """Copy ``predictions.csv`` to ``predictions.parquet`` beside it, a part at a time.

    It needs polars. Whole numbers are Int64, other measurements Float64, and cells that are empty
    are null. Bytes of file names that are not Unicode are replaced.

    Raises:
        OutputError: If it cannot be written.
    """
    import polars  # noqa: PLC0415 -- an optional extra, for large runs only

    try:
        with TemporaryDirectory(prefix="dermseg-") as folder:
            table, parquet = Path(folder, TABLE), Path(folder, PARQUET)
            with sink.open(TABLE) as source, table.open("wb") as target:
                shutil.copyfileobj(source, target)
            rows = polars.scan_csv(table, infer_schema=False, encoding="utf8-lossy")
            kinds = {
                name: polars.Int64 if name in _COUNTS else polars.Float64
                for name in rows.collect_schema().names()
                if name not in _TEXTS
            }
            # As `quote_cell` leaves them for spreadsheets.
            texts = polars.col(*_TEXTS).str.replace(r"^'('*[=+\-@\t\r])", "$1")
            rows = rows.with_columns(texts)
            rows.cast(kinds).sink_parquet(parquet)  # type: ignore[arg-type]
            sink.write(PARQUET, _blocks(parquet))
    except (OSError, polars.exceptions.PolarsError) as error:
        message = f"{sink.locate(PARQUET)}: cannot be written: {error}"
        raise OutputError(message) from error


def _blocks(path: Path) -> Iterator[bytes]:
    with path.open("rb") as file:
        while block := file.read(_BLOCK):
            yield block
