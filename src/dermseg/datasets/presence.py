"""Which classes images show, from a table that does not say where."""

from __future__ import annotations

import csv
from collections.abc import Collection, Iterable, Mapping
from dataclasses import replace
from pathlib import Path

from dermseg.datasets.listing import list_some
from dermseg.errors import DatasetError
from dermseg.types import Sample

__all__ = ["Presence", "add_presence", "read_presence"]

Presence = dict[str, dict[str, bool]]
"""By id and class, whether the image shows the class; what is not known is not named."""

_ID_COLUMNS = ("id", "image_id")
_VALUES = {"0": False, "1": True}


def read_presence(path: Path, *, known_classes: Collection[str]) -> Presence:
    """Read a CSV file with a column ``id`` or ``image_id`` and one column per class.

    A value is 0 or 1, or empty where it is not known.

    Args:
        path: The table.
        known_classes: What a column may be called.

    Raises:
        DatasetError: If the file cannot be read, has no column of ids or one of an unknown class,
            or a row has no id, an id that was there before, or another value.
    """
    presence: Presence = {}
    try:
        with path.open(encoding="utf-8-sig", newline="") as file:
            rows = csv.DictReader(file, restkey="", restval="")
            id_column = _find_columns(path, rows.fieldnames or (), known_classes)
            for row in rows:
                id, values = _read_row(f"{path}, line {rows.line_num}", row, id_column)
                if id in presence:
                    message = (
                        f"{path}, line {rows.line_num}: '{id}' is there twice; keep one of its rows"
                    )
                    raise DatasetError(message)
                presence[id] = values
    except OSError as error:
        message = f"{path}: the table of classes cannot be read: {error.strerror}"
        raise DatasetError(message) from error
    except (UnicodeDecodeError, csv.Error) as error:
        message = f"{path}: the table of classes is not CSV in UTF-8: {error}"
        raise DatasetError(message) from error
    return presence


def add_presence(
    samples: Iterable[Sample], presence: Mapping[str, Mapping[str, bool]], classes: Iterable[str]
) -> tuple[Sample, ...]:
    """Return the samples with what is said about some classes; other ids and classes are ignored.

    Args:
        samples: As a dataset gives them.
        presence: By id and class.
        classes: Those that matter.
    """
    wanted = set(classes)
    return tuple(
        replace(
            sample,
            presence={
                name: value for name, value in presence.get(sample.id, {}).items() if name in wanted
            },
        )
        for sample in samples
    )


def _find_columns(path: Path, columns: Collection[str], known_classes: Collection[str]) -> str:
    """The column of ids; the others are classes."""
    found = [column for column in columns if column in _ID_COLUMNS]
    if len(found) != 1:
        message = (
            f"{path}: the table of classes has the columns {', '.join(columns) or '(none)'}; "
            f"expected exactly one of them to be {' or '.join(_ID_COLUMNS)}"
        )
        raise DatasetError(message)
    unknown = [name for name in columns if name not in known_classes and name not in found]
    if unknown:
        message = (
            f"{path}: unknown columns {list_some(unknown)}; expected classes: "
            f"{', '.join(sorted(known_classes))}. Correct or remove them"
        )
        raise DatasetError(message)
    return found[0]


def _read_row(place: str, row: Mapping[str, str], id_column: str) -> tuple[str, dict[str, bool]]:
    id = row[id_column].strip()
    if not id:
        message = f"{place}: {id_column} is empty; give the row its id or remove it"
        raise DatasetError(message)
    values = {}
    for name, text in row.items():
        if name == "":
            message = f"{place}: there are more values than columns; correct the row"
            raise DatasetError(message)
        if name == id_column or not text.strip():
            continue
        if text.strip() not in _VALUES:
            message = (
                f"{place}: {name} of '{id}' is '{text}', expected 0 or 1, or nothing where it is "
                "not known"
            )
            raise DatasetError(message)
        values[name] = _VALUES[text.strip()]
    return id, values
