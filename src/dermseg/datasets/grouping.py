"""Groups of images from a table: what a split must not tear apart."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path

from dermseg.datasets.identity import normal_id
from dermseg.datasets.listing import list_some
from dermseg.errors import DatasetError
from dermseg.storage import read_table
from dermseg.types import Sample

__all__ = ["read_groups", "regroup"]


_ID_COLUMNS = ("id", "image_id", "image")
_GROUP_COLUMNS = ("group", "lesion_id")


def read_groups(
    path: Path, *, id_column: str | None = None, group_column: str | None = None
) -> dict[str, str]:
    """Read the group of each id from a CSV file with a header; other columns are ignored.

    Args:
        path: The table.
        id_column: Name of the column of ids; None takes ``id``, ``image_id`` or ``image``.
        group_column: Name of the column of groups; None takes ``group`` or ``lesion_id``.

    Raises:
        DatasetError: If the file cannot be read, lacks a column or a value, or puts an id in two
            groups.
    """
    groups: dict[str, str] = {}
    table = read_table(
        path,
        what="the table of groups, without which images of one lesion could land in training and "
        "test,",
        refuse=DatasetError,
        may_be_short=True,
    )
    ids = _find_column(path, table.columns, _ID_COLUMNS if id_column is None else (id_column,))
    named = _GROUP_COLUMNS if group_column is None else (group_column,)
    names = _find_column(path, table.columns, named)
    for place, row in table:
        id, group = normal_id(row[ids]), row[names]
        if not id or not group:
            raise DatasetError(f"{place}: {ids} or {names} is empty; give every id its group")
        if groups.setdefault(id, group) != group:
            raise DatasetError(
                f"{place}: '{id}' is in the groups '{groups[id]}' and '{group}'; keep one of them"
            )
    return groups


def _find_column(path: Path, there: Sequence[str], names: Sequence[str]) -> str:
    """The first of some columns that a table has."""
    for name in names:
        if name in there:
            return name
    raise DatasetError(
        f"{path}: the table of groups has no column {' or '.join(names)}; "
        f"its columns are {', '.join(there) or 'none'}"
    )


def regroup(
    samples: Iterable[Sample], groups: Mapping[str, str], *, source: Path
) -> tuple[Sample, ...]:
    """Return the samples with their groups; ids that no sample has are ignored.

    Raises:
        DatasetError: If a sample has no group. ``source`` is named in the message.
    """
    samples = tuple(samples)
    missing = sorted(sample.id for sample in samples if sample.id not in groups)
    if missing:
        raise DatasetError(
            f"{source}: {len(missing)} images have no group: {list_some(missing)}. "
            f"Add a line for each of them."
        )
    return tuple(replace(sample, group=groups[sample.id]) for sample in samples)
