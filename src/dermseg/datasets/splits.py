"""Splits: official, seeded by group, and as files that can be used again."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Collection, Iterable, Mapping
from pathlib import Path
from types import MappingProxyType
from typing import Final

from pydantic import BaseModel, ConfigDict

from dermseg.datasets.apportionment import apportion
from dermseg.datasets.base import Dataset
from dermseg.datasets.grouping import read_groups
from dermseg.datasets.identity import normal_id
from dermseg.datasets.listing import list_some
from dermseg.errors import DatasetError
from dermseg.storage import read_model, write_bytes_atomically
from dermseg.types import Sample, Split

__all__ = [
    "DEFAULT_FRACTIONS",
    "choose_selection",
    "create_split",
    "divide_into_folds",
    "find_split",
    "official_split",
    "read_folds",
    "read_split",
    "write_split",
]

DEFAULT_FRACTIONS: Final[Mapping[str, float]] = MappingProxyType(
    {"train": 0.8, "validation": 0.1, "test": 0.1}
)


def official_split(dataset: Dataset) -> Split | None:
    """Return the parts that the dataset's makers defined, or None where there are none.

    Only the parts that are in the folder are in the split.
    """
    parts: dict[str, list[str]] = {}
    for sample in dataset.samples:
        if sample.part is None:
            return None
        parts.setdefault(sample.part, []).append(sample.id)
    return Split({part: tuple(sorted(ids)) for part, ids in parts.items()}, source="official")


def create_split(
    samples: Iterable[Sample],
    *,
    seed: int,
    fractions: Mapping[str, float] = DEFAULT_FRACTIONS,
) -> Split:
    """Divide samples at random into parts, keeping every group in one part.

    The same samples and seed give the same split on every machine, in whatever order the samples
    come. Part sizes are as near the fractions as the groups allow, see `apportion`.

    Raises:
        DatasetError: If the fractions are not positive numbers that sum to 1, or there are fewer
            groups than parts.
    """
    groups = {sample.id: sample.group for sample in samples}
    parts = apportion(groups, fractions, seed=seed)
    return Split(parts, source="seeded", seed=seed, fractions=dict(fractions))


def find_split(dataset: Dataset, *, split_file: Path | None = None, seed: int = 0) -> Split:
    """Return the split of a file, else the official one, else a seeded 80/10/10 split.

    Raises:
        DatasetError: If the file does not fit the dataset, or the dataset is too small to split.
    """
    if split_file is not None:
        return read_split(split_file, dataset.samples)
    return official_split(dataset) or create_split(dataset.samples, seed=seed)


def choose_selection(
    ids: Iterable[str], groups: Mapping[str, str], *, fraction: float, seed: int
) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Set a part of the training ids aside for choosing checkpoints, thresholds and settings.

    Args:
        ids: The training ids.
        groups: The group of each id; an id that is not in it is a group of its own.
        fraction: Share of the ids to set aside, in (0, 1).
        seed: The same ids, groups and seed give the same choice.

    Returns:
        The rest and the selection, each sorted; no group is in both.

    Raises:
        DatasetError: If ``fraction`` is outside (0, 1) or there are fewer than two groups.
    """
    if not 0 < fraction < 1:
        raise DatasetError(
            f"the fraction to select on is {fraction}; it must be above 0 and below 1"
        )
    fractions = {"rest": 1 - fraction, "selection": fraction}
    parts = apportion({id: groups.get(id, id) for id in ids}, fractions, seed=seed)
    return parts["rest"], parts["selection"]


def divide_into_folds(
    groups: Mapping[str, str], num_folds: int, *, seed: int
) -> list[tuple[str, ...]]:
    """Divide ids into folds of equal size, keeping every group in one fold.

    Args:
        groups: The group of each id.
        num_folds: At least 2.
        seed: The same ids, groups and seed give the same folds.

    Raises:
        DatasetError: If there are fewer than two folds, or fewer groups than folds.
    """
    if num_folds < 2:
        msg = f"{num_folds} folds were asked for; cross-validation needs at least 2"
        raise DatasetError(msg)
    fractions = {f"fold {number}": 1 / num_folds for number in range(1, num_folds + 1)}
    return list(apportion(groups, fractions, seed=seed).values())


def read_folds(path: Path, groups: Mapping[str, str]) -> list[tuple[str, ...]]:
    """Read folds from a CSV file with the columns ``id`` and ``fold``, such as a fold per source.

    Args:
        path: The file; ids that ``groups`` lacks are ignored.
        groups: The group of each id to divide.

    Returns:
        The ids of each fold, sorted, in the order of the folds' names.

    Raises:
        DatasetError: If the file cannot be read, an id has no fold, a group is in two folds, or
            there are fewer than two folds.
    """
    fold_of = read_groups(path, group_column="fold")
    missing = sorted(groups.keys() - fold_of.keys())
    if missing:
        raise DatasetError(
            f"{path}: {len(missing)} images have no fold: {list_some(missing)}. "
            f"Add a line for each of them."
        )
    fold_of_group: dict[str, str] = {}
    for id, group in sorted(groups.items()):
        if fold_of_group.setdefault(group, fold_of[id]) != fold_of[id]:
            raise DatasetError(
                f"{path}: the group of '{id}' is in the folds '{fold_of_group[group]}' and "
                f"'{fold_of[id]}'; keep the whole group in one of them"
            )
    folds = {name: [id for id in groups if fold_of[id] == name] for name in fold_of.values()}
    filled = [tuple(sorted(ids)) for _, ids in sorted(folds.items()) if ids]
    if len(filled) < 2:
        raise DatasetError(f"{path}: all images are in one fold; cross-validation needs at least 2")
    return filled


class _SplitFile(BaseModel):
    """The content of a split file."""

    model_config = ConfigDict(extra="forbid", strict=True)

    source: str
    seed: int | None
    fractions: dict[str, float]
    parts: dict[str, list[str]]


def write_split(path: Path, split: Split) -> None:
    """Write a split as JSON.

    Raises:
        OutputError: If the file cannot be written.
    """
    content = {
        "source": split.source,
        "seed": split.seed,
        "fractions": split.fractions,
        "parts": split.parts,
    }
    write_bytes_atomically(path, (json.dumps(content, indent=1) + "\n").encode())


def read_split(path: Path, samples: Iterable[Sample]) -> Split:
    """Read a split file and check it against the dataset that it is to be used with.

    Samples that are in no part are allowed: they are left out on purpose.

    Returns:
        The split, with the file as its source.

    Raises:
        DatasetError: If the file is missing or no split file, names ids that the dataset does not
            have, or has an id twice.
    """
    content = read_model(path, _SplitFile, what="a split file", refuse=DatasetError)
    named = {part: [normal_id(id) for id in ids] for part, ids in content.parts.items()}
    content = content.model_copy(update={"parts": named})
    counts = Counter(id for ids in content.parts.values() for id in ids)
    _refuse(path, [id for id, num in counts.items() if num > 1], "more than once")
    _refuse(path, counts.keys() - {sample.id for sample in samples}, "that the dataset lacks")
    parts = {part: tuple(sorted(ids)) for part, ids in content.parts.items()}
    return Split(parts, source=str(path), seed=content.seed, fractions=content.fractions)


def _refuse(path: Path, ids: Collection[str], problem: str) -> None:
    if ids:
        raise DatasetError(
            f"{path}: {len(ids)} ids {problem}: {list_some(sorted(ids))}. Correct the split file."
        )
