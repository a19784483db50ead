"""Metadata from a dataset's tables; the images can be used without it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace
from pathlib import Path

from dermseg.datasets.base import DatasetIndex, TableProblem
from dermseg.datasets.identity import normal_id
from dermseg.datasets.listing import list_some
from dermseg.errors import DatasetError
from dermseg.storage import read_table

__all__ = ["Metadata", "add_metadata", "missing_rows", "read_metadata"]

Metadata = dict[str, dict[str, str]]
"""Values by id and key."""

# Written where a value is not known.
_NOTHING = frozenset({"", "unknown", "na", "nan"})


def read_metadata(
    path: Path, *, id_column: str, columns: Mapping[str, str]
) -> tuple[Metadata, list[TableProblem]]:
    """Read columns of a CSV file with a header; a value that is not known is left out.

    Whole numbers lose their decimals: an age of ``70.0`` becomes ``70``.

    Args:
        path: The table; one that is not there is as good as an empty one.
        id_column: The column of the image's id.
        columns: The key of each column that is wanted; columns that are missing are not missed.

    Returns:
        The values, and what is wrong with the table. It is never an error: the images can be used
        without it.
    """
    metadata: Metadata = {}
    if not path.is_file():
        return metadata, []
    try:
        table = read_table(path, what="the table", refuse=DatasetError, may_be_short=True)
    except DatasetError as error:
        reason = str(error).removeprefix(f"{path}").lstrip(":, ")
        return {}, [TableProblem(path, f"{reason}, so it is not used")]
    if id_column not in table.columns:
        return metadata, [TableProblem(path, f"has no column {id_column}, so it is not used")]
    for _, row in table:
        found = {key: _tidy(row.get(column)) for column, key in columns.items()}
        known = {key: value for key, value in found.items() if value is not None}
        if row[id_column]:
            metadata.setdefault(normal_id(row[id_column].strip()), {}).update(known)
    return metadata, []


def add_metadata(
    index: DatasetIndex, tables: Iterable[Metadata], problems: Iterable[TableProblem]
) -> DatasetIndex:
    """Return the index with the values of all tables at its samples; other ids are ignored."""
    merged: Metadata = {}
    for table in tables:
        for id, values in table.items():
            merged.setdefault(id, {}).update(values)
    samples = tuple(
        replace(sample, metadata={**sample.metadata, **merged.get(sample.id, {})})
        for sample in index.samples
    )
    return replace(index, samples=samples, table_problems=(*index.table_problems, *problems))


def missing_rows(index: DatasetIndex, table: Metadata, path: Path) -> list[TableProblem]:
    """Name the samples that a table, where there is one, says nothing about."""
    missing = sorted(sample.id for sample in index.samples if sample.id not in table)
    if not table or not missing:
        return []
    return [TableProblem(path, f"has no row for {len(missing)} images: {list_some(missing)}")]


def _tidy(value: str | None) -> str | None:
    value = (value or "").strip()
    if value.lower() in _NOTHING:
        return None
    return value.removesuffix(".0")
