"""Groups of images from a table: what a split must not tear apart."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace
from pathlib import Path

from dermseg.datasets.identity import normal_id
from dermseg.datasets.listing import list_some
from dermseg.errors import DatasetError
from dermseg.storage import read_table
from dermseg.types import Sample

__all__ = ["read_groups", "regroup"]


def read_groups(
    path: Path, *, id_column: str = "id", group_column: str = "group"
) -> dict[str, str]:
    """Read the group of each id from a CSV file with a header; other columns are ignored.

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
    if missing := {id_column, group_column} - set(table.columns):
        raise DatasetError(
            f"{path}: the table of groups has no column {' or '.join(sorted(missing))}; "
            f"its columns are {', '.join(table.columns) or 'none'}"
        )
    for place, row in table:
        id, group = normal_id(row[id_column]), row[group_column]
        if not id or not group:
            raise DatasetError(
                f"{place}: {id_column} or {group_column} is empty; give every id its group"
            )
        if groups.setdefault(id, group) != group:
            raise DatasetError(
                f"{place}: '{id}' is in the groups '{groups[id]}' and '{group}'; keep one of them"
            )
    return groups


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
