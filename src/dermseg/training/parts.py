"""Divide images into those that train, those that choose the checkpoint, and the rest.

An official split keeps all of its parts but ``train`` for reporting, and a seeded share of the
training images chooses the checkpoint. Where it has no such parts, the recipe's
``evaluation_fraction`` is kept for reporting, in a seeded split. Seeded splits and split files
choose it on their ``selection`` or, failing that, ``validation`` part. An image whose id or
group is reported in any of the datasets is dropped from the training part of all of them, and
so is one whose group chooses the checkpoint.

Images of which none of the classes is known are left out. One of which it is only known
whether it shows a class, but not where, is trained on and does not choose the checkpoint.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass, field, replace
from functools import partial
from pathlib import Path

from dermseg.datasets import (
    LESION,
    Dataset,
    choose_selection,
    create_split,
    find_split,
    has_mask,
    is_known,
    official_split,
)
from dermseg.errors import DatasetError, UsageError
from dermseg.recipes import Data
from dermseg.types import Sample, Split

__all__ = ["TrainingParts", "divide"]

_QUICK_TRAIN, _QUICK_SELECT = 32, 8


@dataclass(frozen=True)
class TrainingParts:
    """The samples of a run.

    Attributes:
        train: Trained on.
        selection: Choose the checkpoint.
        evaluation_ids: Ids of the parts that are only reported.
        test: The samples of these with masks, without those of official parts, which are looked
            at by `dermseg evaluate` only.
        num_dropped: Training images left out because their id is to be evaluated or excluded.
        num_unknown: Training images left out because nothing is known of the classes.
        num_pseudo: How many of those to train on have masks that a model drew.
    """

    train: tuple[Sample, ...]
    selection: tuple[Sample, ...]
    evaluation_ids: tuple[str, ...]
    num_dropped: int
    num_unknown: int = 0
    num_pseudo: int = 0
    test: tuple[Sample, ...] = ()

    def __str__(self) -> str:
        """How many there are of each, in a sentence."""
        return (
            f"{len(self.train)} images to train on"
            + (f" ({self.num_pseudo} with masks that a model drew)" if self.num_pseudo else "")
            + f", {len(self.selection)} to choose the checkpoint; "
            f"{len(self.evaluation_ids)} kept for evaluation, {self.num_dropped} dropped from "
            "training because they are to be evaluated or excluded"
            + (f", {self.num_unknown} without masks" if self.num_unknown else "")
        )

    def reduced(self) -> TrainingParts:
        """A few images of each part, spread evenly, for a trial run."""
        train, selection = _spread(self.train, _QUICK_TRAIN), _spread(self.selection, _QUICK_SELECT)
        test = _spread(self.test, _QUICK_SELECT)
        return replace(self, train=train, selection=selection, test=test, num_pseudo=0)

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
    classes: Sequence[str] = (LESION,),
    needs_lesion: bool = False,
    split_file: Path | None = None,
    excluded_ids: Collection[str] = (),
    pseudo: Sequence[Sample] = (),
) -> TrainingParts:
    """Set apart what is trained on, what chooses the checkpoint, and what is reported.

    The rules are those of this module.

    Args:
        datasets: The images.
        options: The recipe's.
        classes: What is to be learned.
        needs_lesion: Whether an image must have a lesion mask besides.
        split_file: A split to use instead of the official or a seeded one.
        excluded_ids: Ids that must not be trained on.
        pseudo: Images with masks that a model drew. They are only trained on, and only where no
            dataset has the image.

    Raises:
        DatasetError: If there are no training images with masks, or a class is in none.
        UsageError: If a split file is given for several datasets.
    """
    if split_file is not None and len(datasets) > 1:
        message = f"--split {split_file} fits one dataset, but {len(datasets)} folders were given"
        raise UsageError(message)
    can_choose = partial(has_mask, classes=classes, needs_lesion=needs_lesion)
    can_be_learned = partial(is_known, classes=classes, needs_lesion=needs_lesion)
    assigned = _Assigned()
    for dataset in datasets:
        assigned.add(dataset, _find_split(dataset, options, split_file), can_choose)
    drawn_by_people = {sample.id for dataset in datasets for sample in dataset.samples}
    added = {sample for sample in pseudo if sample.id not in drawn_by_people}
    assigned.train += filter(added.__contains__, pseudo)
    usable, selection = assigned.keep(excluded_ids)
    num_dropped = len(assigned.train) - len(usable) + len(pseudo) - len(added)
    bare = [sample for sample in (*usable, *selection) if not can_be_learned(sample)]
    usable = [sample for sample in usable if can_be_learned(sample)]
    selection = list(filter(can_choose, selection))
    if not selection:
        marked = [sample for sample in usable if can_choose(sample) and sample not in added]
        selection = _choose(marked, options)
    train, num_torn = _without_groups(usable, selection)
    parts = TrainingParts(
        train=tuple(train),
        selection=tuple(selection),
        evaluation_ids=tuple(sorted(assigned.reported)),
        num_dropped=num_dropped + num_torn,
        num_unknown=len(bare),
        num_pseudo=sum(sample in added for sample in train),
        test=tuple(assigned.test),
    )
    _check(parts, classes, bare)
    return parts


@dataclass
class _Assigned:
    """Samples by what their splits want them for."""

    train: list[Sample] = field(default_factory=list)
    selection: list[Sample] = field(default_factory=list)
    reported: set[str] = field(default_factory=set)
    reported_groups: set[str] = field(default_factory=set)
    test: list[Sample] = field(default_factory=list)

    def add(self, dataset: Dataset, split: Split, can_choose: Callable[[Sample], bool]) -> None:
        chooses = _selection_part(split)
        by_id = {sample.id: sample for sample in dataset.samples}
        for name, ids in split.parts.items():
            samples = [by_id[id] for id in ids]
            if name == "train":
                self.train += samples
            elif name != chooses:
                self.reported |= set(ids)
                self.reported_groups |= {sample.group for sample in samples}
                if split.source != "official":
                    self.test += filter(can_choose, samples)
            elif split.source == "seeded":
                # Nobody put these here on purpose: what cannot choose can be trained on.
                self.train += [sample for sample in samples if not can_choose(sample)]
                self.selection += filter(can_choose, samples)
            else:
                self.selection += samples

    def keep(self, excluded_ids: Collection[str]) -> tuple[list[Sample], list[Sample]]:
        """Training and selection samples without those that are reported or excluded."""
        kept_out = self.reported | set(excluded_ids)
        train, selection = (
            [
                sample
                for sample in samples
                if sample.id not in kept_out and sample.group not in self.reported_groups
            ]
            for samples in (self.train, self.selection)
        )
        return train, selection


def _choose(samples: Sequence[Sample], options: Data) -> list[Sample]:
    """A seeded share of training images, to choose the checkpoint."""
    if not samples:
        return []
    groups = {sample.id: sample.group for sample in samples}
    _, chosen = choose_selection(
        groups, groups, fraction=options.selection_fraction, seed=options.seed
    )
    ids = set(chosen)
    return [sample for sample in samples if sample.id in ids]


def _without_groups(
    samples: Sequence[Sample], selection: Sequence[Sample]
) -> tuple[list[Sample], int]:
    """The samples of other groups than those that choose, and how many others were torn off."""
    ids = {sample.id for sample in selection}
    groups = {sample.group for sample in selection}
    others = [sample for sample in samples if sample.id not in ids]
    apart = [sample for sample in others if sample.group not in groups]
    return apart, len(others) - len(apart)


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


def _check(parts: TrainingParts, classes: Sequence[str], bare: Sequence[Sample]) -> None:
    if not (parts.train and parts.selection):
        if bare:
            message = (
                f"{len(bare)} training images have no mask of {' or '.join(classes)} that can be "
                f"used, the first is {bare[0].id}; {len(parts.train)} images are left to train on. "
                "Under lesion_crop an image needs a mask of its lesion, too"
            )
            raise DatasetError(message)
        message = (
            f"{len(parts.train)} images are left to train on and {len(parts.selection)} to choose "
            f"the checkpoint ({parts.num_dropped} were dropped); expected at least one of each: "
            "give a folder that holds the training part"
        )
        raise DatasetError(message)
    for name in classes:
        if not any(is_known(sample, (name,)) for sample in parts.train):
            message = (
                f"nothing is known of '{name}' in any image to train on: leave it out of the "
                "recipe's classes, or give images with masks of it"
            )
            raise DatasetError(message)


def _spread(samples: tuple[Sample, ...], number: int) -> tuple[Sample, ...]:
    return samples[:: max(1, -(-len(samples) // number))]


def _ids(samples: Sequence[Sample]) -> tuple[str, ...]:
    return tuple(sorted({sample.id for sample in samples}))
