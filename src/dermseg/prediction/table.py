"""``predictions.csv``: one row per image, written as the work goes on."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Mapping, Sequence
from types import TracebackType
from typing import Any, Self

from dermseg.csv_text import encode_rows, unquote_cell
from dermseg.errors import ImageError, OutputError
from dermseg.prediction.measurements import attribute_columns
from dermseg.prediction.naming import TABLE
from dermseg.prediction.prediction import Prediction
from dermseg.storage import Location, Sink, StoredFile, open_sink

__all__ = [
    "Row",
    "Table",
    "columns_of",
    "encode_cells",
    "read_rows",
    "row_of_error",
    "row_of_prediction",
]

_COLUMNS = (
    "file", "mask", "width", "height", "area_pixels", "area_share", "box_x", "box_y", "box_width",
    "box_height", "centroid_x", "centroid_y", "perimeter", "longest_diameter", "circularity",
    "asymmetry", "mean_probability", "num_regions", "expected_jaccard", "review",
    "area_mm2", "perimeter_mm", "longest_diameter_mm",
)  # fmt: skip
_LAST_COLUMNS = ("seconds", "error")

Row = dict[str, Any]


def columns_of(attributes: Iterable[str]) -> tuple[str, ...]:
    """The table's columns for a model that finds these attributes, or none."""
    own = (column for name in attributes for column in attribute_columns(name))
    return (*_COLUMNS, *own, *_LAST_COLUMNS)


def row_of_prediction(
    file: str, mask: str, prediction: Prediction, *, spacing_mm: float | None
) -> Row:
    """The measurements of one image by column; what an empty mask lacks is None.

    ``review`` is 1 where somebody should look at the mask, else 0.

    Args:
        file: Where the image is.
        mask: Where its mask is: a file relative to the output folder, or a name inside a file.
        prediction: What was predicted.
        spacing_mm: Width of a pixel in millimetres, where it is known.
    """
    row: Row = {"file": file, "mask": mask}
    row |= {"width": prediction.size[1], "height": prediction.size[0]}
    row |= prediction.measurements.to_dict()
    if prediction.quality is not None:
        row["expected_jaccard"] = prediction.quality.expected_jaccard
        row["review"] = int(prediction.quality.review)
    return row if spacing_mm is None else row | prediction.measurements.in_mm(spacing_mm)


def row_of_error(file: str, error: ImageError) -> Row:
    """The row of an image that could not be read, or was refused."""
    return {"file": file, "error": error.reason}


def read_rows(folder: Location, attributes: Iterable[str] = ()) -> list[dict[str, str]]:
    """The whole rows of the table that an earlier, perhaps killed, run wrote into a folder.

    A table with other columns is not one of these; it has no rows.

    Args:
        folder: The output folder.
        attributes: Those that the table has columns for.

    Raises:
        OutputError: If the table is there and cannot be read.
    """
    sink = open_sink(folder)
    try:
        content = StoredFile(sink, TABLE).read_bytes()
    except (FileNotFoundError, IsADirectoryError, NotADirectoryError):
        return []
    except OSError as error:
        message = f"{sink.locate(TABLE)}: cannot be read: {error.strerror}"
        raise OutputError(message) from error
    text = content.decode("utf-8", errors="surrogateescape")
    whole = text[: text.rfind("\n") + 1]
    rows = csv.DictReader(io.StringIO(whole, newline=""))
    try:
        if tuple(rows.fieldnames or ()) != columns_of(attributes):
            return []
        return [
            {key: unquote_cell(value) for key, value in row.items()}
            for row in rows
            if None not in row.values() and None not in row
        ]
    except csv.Error:  # a cell without end
        return []


class Table:
    """The open table; each row is on disk as soon as it is added.

    Args:
        sink: Where it is; one that is there is replaced.
        kept: Rows of an earlier run to keep at the top.
        attributes: Those that the table has columns for.

    Raises:
        OutputError: If the file cannot be written.
    """

    def __init__(
        self,
        sink: Sink,
        kept: Iterable[Mapping[str, Any]] = (),
        *,
        attributes: Iterable[str] = (),
    ) -> None:
        self._columns = columns_of(attributes)
        header = dict(zip(self._columns, self._columns, strict=True))
        self._file = sink.append(TABLE, [encode_cells([header, *kept], self._columns)])

    def __enter__(self) -> Self:
        """Keep it open."""
        self._file.__enter__()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        """Close it."""
        self._file.__exit__(kind, error, traceback)

    def add_row(self, row: Row) -> None:
        """Append a row; floats are written with six significant digits.

        Raises:
            OutputError: If the disk is full or the folder gone.
        """
        self._file.add(encode_cells([row], self._columns))


def encode_cells(rows: Iterable[Mapping[str, Any]], columns: Sequence[str]) -> bytes:
    """Rows as lines of the table, without a header; floats with six significant digits."""
    return encode_rows([_short(row.get(column)) for column in columns] for row in rows)


def _short(value: object) -> object:
    return f"{value:.6g}" if isinstance(value, float) else value
