"""Image-level labels: the classes an image shows, without their masks."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TypeAlias

from dermseg.datasets.identity import normal_id
from dermseg.errors import DatasetError
from dermseg.storage import read_table
from dermseg.types import Sample

__all__ = ["Presence", "add_presence", "read_presence"]

Presence: TypeAlias = dict[str, dict[str, bool]]
"""By image id and class whether the image shows it; what is not named is not known."""

_ID_COLUMNS = ("id", "image_id")
_VALUES = {"0": False, "1": True}


def read_presence(path: Path, classes: Sequence[str]) -> Presence:
    """Read a CSV file with a header, a line for each image and a column of 0 and 1 per class.

    Args:
        path: The table. The image's id is in the column ``id`` or ``image_id``.
        classes: Those that are wanted; other columns are ignored. A class without a column is not
            known of any image.

    Raises:
        DatasetError: If the file cannot be read, has no column of ids or none of the classes, a
            value is neither 0 nor 1, or an id occurs twice.
    """
    table = read_table(path, what="the table of presence", refuse=DatasetError, may_be_short=True)
    id_column, found = _columns(path, table.columns, classes)
    presence: Presence = {}
    for place, row in table:
        id = normal_id(row[id_column].strip())
        if not id or id in presence:
            problem = f"'{id}' occurs twice" if id else f"{id_column} is empty"
            message = f"{place}: {problem}; give each image one row with its id"
            raise DatasetError(message)
        presence[id] = {name: _value(place, name, row[name]) for name in found}
    return presence


def add_presence(samples: Iterable[Sample], presence: Presence) -> tuple[Sample, ...]:
    """Return the samples with what is said about them; ids that no sample has are ignored."""
    return tuple(replace(sample, presence=presence.get(sample.id, {})) for sample in samples)


def _columns(
    path: Path, columns: Sequence[str], classes: Sequence[str]
) -> tuple[str, tuple[str, ...]]:
    id_column = next((name for name in _ID_COLUMNS if name in columns), None)
    found = tuple(name for name in classes if name in columns)
    if id_column is None or not found:
        message = (
            f"{path}: the table of presence has the columns {', '.join(columns) or 'none'}; it "
            f"needs {' or '.join(_ID_COLUMNS)}, and one for each class that is known, of "
            f"{', '.join(classes)}"
        )
        raise DatasetError(message)
    return id_column, found


def _value(place: str, name: str, text: str) -> bool:
    value = _VALUES.get(text.strip())
    if value is None:
        message = f"{place}: {name} is '{text}'; give 1 where the image shows it, else 0"
        raise DatasetError(message)
    return value
