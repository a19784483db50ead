"""Groups of images from a table: what a split must not tear apart."""

from __future__ import annotations

import csv
from collections.abc import Iterable, Mapping
from dataclasses import replace
from pathlib import Path

from dermseg.datasets.listing import list_some
from dermseg.errors import DatasetError
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
    try:
        with path.open(encoding="utf-8-sig", newline="") as file:
            rows = csv.DictReader(file)
            missing = {id_column, group_column} - set(rows.fieldnames or ())
            if missing:
                raise DatasetError(
                    f"{path}: the table of groups has no column {' or '.join(sorted(missing))}; "
                    f"its columns are {', '.join(rows.fieldnames or ()) or 'none'}"
                )
            for row in rows:
                id, group = row[id_column], row[group_column]
                if not id or not group:
                    raise DatasetError(
                        f"{path}, line {rows.line_num}: {id_column} or {group_column} is empty; "
                        f"give every id its group"
                    )
                if groups.setdefault(id, group) != group:
                    raise DatasetError(
                        f"{path}, line {rows.line_num}: '{id}' is in the groups "
                        f"'{groups[id]}' and '{group}'; keep one of them"
                    )
    except OSError as error:
        raise DatasetError(
            f"{path}: the table of groups cannot be read: {error.strerror}. Without it, images "
            f"of the same lesion could land in training and test."
        ) from error
    except (UnicodeDecodeError, csv.Error) as error:
        raise DatasetError(f"{path}: the table of groups is not CSV in UTF-8: {error}") from error
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
