"""Which images are trained on, which choose the checkpoint, and which are kept out."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from pathlib import Path

from dermseg.datasets import (
    Dataset,
    Source,
    choose_selection,
    create_split,
    find_split,
    official_split,
    open_source,
)
from dermseg.errors import DatasetError, UsageError
from dermseg.recipes import Data
from dermseg.types import Sample, Split

__all__ = ["TrainingData", "TrainingParts", "divide"]


@dataclass(frozen=True)
class TrainingData:
    """What a run is given to learn from.

    Attributes:
        sources: Folders of one dataset each, or of images and masks.
        split_file: A split to use instead of the official or a seeded one.
        groups_file: CSV with columns ``id`` and ``group``; no group is in two parts.
        excluded_ids: Ids that must not be trained on.
        cache: Folder of a cache to read prepared images from; it is completed first. Does not
            change the result.
    """

    sources: Sequence[Source]
    split_file: Path | None = None
    groups_file: Path | None = None
    excluded_ids: Collection[str] = ()
    cache: Path | None = None

    def open(self, name: str | None) -> list[Dataset]:
        """Open the datasets.

        Args:
            name: The datasets' name; None recognises each by its folders.

        Raises:
            DatasetError: If one cannot be recognised or paired, or a group is missing.
        """
        return [open_source(source, name, groups=self.groups_file) for source in self.sources]


@dataclass(frozen=True)
class TrainingParts:
    """The samples of a run.

    Attributes:
        train: Trained on.
        selection: Choose the checkpoint.
        evaluation_ids: Ids of the parts that are only reported.
        num_dropped: Training images left out because their id is to be evaluated or excluded.
    """

    train: tuple[Sample, ...]
    selection: tuple[Sample, ...]
    evaluation_ids: tuple[str, ...]
    num_dropped: int

    def __str__(self) -> str:
        """How many there are of each, in a sentence."""
        return (
            f"{len(self.train)} images to train on, {len(self.selection)} to choose the "
            f"checkpoint; {len(self.evaluation_ids)} kept for evaluation, {self.num_dropped} "
            "dropped from training because they are to be evaluated or excluded"
        )

    def to_split(self, seed: int) -> Split:
        """The parts by id, as they are written into the run folder."""
        parts = {
            "train": _ids(self.train),
            "selection": _ids(self.selection),
            "evaluation": self.evaluation_ids,
        }
        return Split({name: ids for name, ids in parts.items() if ids}, source="run", seed=seed)


def divide(
    datasets: Sequence[Dataset],
    options: Data,
    *,
    split_file: Path | None = None,
    excluded_ids: Collection[str] = (),
) -> TrainingParts:
    """Set apart what is trained on, what chooses the checkpoint, and what is reported.

    An official split keeps all of its parts but ``train`` for reporting, and a seeded share of the
    training images chooses the checkpoint. Where it has no such parts, the recipe's
    ``evaluation_fraction`` is kept for reporting, in a seeded split. Seeded splits and split files
    choose it on their ``selection`` or, failing that, ``validation`` part. An image whose id or
    group is reported in any of the datasets is dropped from the training part of all of them, and
    so is one whose group chooses the checkpoint.

    Raises:
        DatasetError: If there are no training images with masks.
        UsageError: If a split file is given for several datasets.
    """
    if split_file is not None and len(datasets) > 1:
        message = f"--split {split_file} fits one dataset, but {len(datasets)} folders were given"
        raise UsageError(message)
    train: list[Sample] = []
    selection: list[Sample] = []
    reported: set[str] = set()
    reported_groups: set[str] = set()
    for dataset in datasets:
        split = _find_split(dataset, options, split_file)
        chooses = _selection_part(split)
        by_id = {sample.id: sample for sample in dataset.samples}
        for name, ids in split.parts.items():
            if name == "train":
                train += [by_id[id] for id in ids]
            elif name == chooses:
                selection += [by_id[id] for id in ids]
            else:
                reported |= set(ids)
                reported_groups |= {by_id[id].group for id in ids}
    kept_out = reported | set(excluded_ids)
    usable, selection = (
        [
            sample
            for sample in samples
            if sample.id not in kept_out and sample.group not in reported_groups
        ]
        for samples in (train, selection)
    )
    if not selection and usable:
        groups = {sample.id: sample.group for sample in usable}
        _, chosen = choose_selection(
            groups, groups, fraction=options.selection_fraction, seed=options.seed
        )
        selection = [sample for sample in usable if sample.id in set(chosen)]
    choosing = {sample.id for sample in selection}
    choosing_groups = {sample.group for sample in selection}
    torn = [
        sample for sample in usable if sample.id not in choosing and sample.group in choosing_groups
    ]
    num_dropped = len(train) - len(usable) + len(torn)
    usable = [
        sample
        for sample in usable
        if sample.id not in choosing and sample.group not in choosing_groups
    ]
    _check(usable, selection, num_dropped)
    return TrainingParts(tuple(usable), tuple(selection), tuple(sorted(reported)), num_dropped)


def _find_split(dataset: Dataset, options: Data, split_file: Path | None) -> Split:
    official = official_split(dataset)
    is_reported = official is not None and set(official.parts) - {"train"}
    if split_file is not None or options.evaluation_fraction is None or is_reported:
        return find_split(dataset, split_file=split_file, seed=options.seed)
    fractions = {
        "train": 1 - options.selection_fraction - options.evaluation_fraction,
        "selection": options.selection_fraction,
        "test": options.evaluation_fraction,
    }
    used = {part: fraction for part, fraction in fractions.items() if fraction > 0}
    return create_split(dataset.samples, seed=options.seed, fractions=used)


def _selection_part(split: Split) -> str | None:
    if "selection" in split.parts:
        return "selection"
    is_ours = split.source != "official" and "validation" in split.parts
    return "validation" if is_ours else None


def _check(train: Sequence[Sample], selection: Sequence[Sample], num_dropped: int) -> None:
    if not train or not selection:
        message = (
            f"{len(train)} images are left to train on and {len(selection)} to choose the "
            f"checkpoint ({num_dropped} were dropped); expected at least one of each: give a "
            "folder that holds the training part"
        )
        raise DatasetError(message)
    bare = [sample.id for sample in (*train, *selection) if sample.mask is None]
    if bare:
        message = f"{len(bare)} training images have no mask, the first is {bare[0]}"
        raise DatasetError(message)


def _ids(samples: Sequence[Sample]) -> tuple[str, ...]:
    return tuple(sorted({sample.id for sample in samples}))
