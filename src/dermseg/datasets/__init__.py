"""Datasets as users download them: recognised by their folders, paired by id, split by group."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Final

from dermseg.datasets.base import Dataset, DatasetIndex, Gap, Orphan, TableProblem
from dermseg.datasets.checking import CheckReport, Problem, check_dataset
from dermseg.datasets.class_masks import (
    LESION,
    ClassMasks,
    find_class_mask,
    read_class_mask,
    read_class_masks,
)
from dermseg.datasets.fingerprint import dataset_fingerprint, groups_fingerprint
from dermseg.datasets.folder import ImageFolder
from dermseg.datasets.grouping import read_groups, regroup
from dermseg.datasets.ham10000 import Ham10000, warn_of_lesions
from dermseg.datasets.identity import archive_id
from dermseg.datasets.images_only import open_images
from dermseg.datasets.isic2016 import Isic2016
from dermseg.datasets.isic2017 import Isic2017
from dermseg.datasets.isic2018 import Isic2018
from dermseg.datasets.listing import list_some
from dermseg.datasets.ph2 import Ph2
from dermseg.datasets.presence import add_presence, read_presence
from dermseg.datasets.sources import FolderPair, Source, index_pair
from dermseg.datasets.splits import (
    DEFAULT_FRACTIONS,
    choose_selection,
    create_split,
    divide_into_folds,
    find_split,
    official_split,
    read_folds,
    read_split,
    write_split,
)
from dermseg.datasets.trainable import has_mask, is_known, trainable
from dermseg.errors import DatasetError

__all__ = [
    "DATASETS",
    "DEFAULT_FRACTIONS",
    "LESION",
    "CheckReport",
    "ClassMasks",
    "Dataset",
    "DatasetIndex",
    "FolderPair",
    "Gap",
    "Ham10000",
    "ImageFolder",
    "Isic2016",
    "Isic2017",
    "Isic2018",
    "Orphan",
    "Ph2",
    "Problem",
    "Source",
    "TableProblem",
    "archive_id",
    "check_dataset",
    "choose_selection",
    "create_split",
    "dataset_fingerprint",
    "divide_into_folds",
    "find_class_mask",
    "find_split",
    "groups_fingerprint",
    "has_mask",
    "is_known",
    "official_split",
    "open_dataset",
    "open_images",
    "open_source",
    "read_class_mask",
    "read_class_masks",
    "read_folds",
    "read_groups",
    "read_split",
    "regroup",
    "tell_presence",
    "trainable",
    "write_split",
]

DATASETS: Final[Mapping[str, type[Dataset]]] = {
    "folder": ImageFolder,
    "ham10000": Ham10000,
    "isic2016": Isic2016,
    "isic2017": Isic2017,
    "isic2018": Isic2018,
    "ph2": Ph2,
}
"""Every known dataset by name."""

_SUBFOLDERS: Final = ("data", "dataset")


def open_dataset(root: Path, name: str | None = None, *, groups: Path | None = None) -> Dataset:
    """Open the dataset in a folder: recognise it, list its files and pair them by id.

    No image is read. Where nothing known is in the folder itself, its subfolders ``data`` and
    ``dataset`` are looked into.

    Args:
        root: The folder that holds the dataset's own folders.
        name: A name in ``DATASETS``; None recognises the dataset by its folders.
        groups: See `open_source`.

    Raises:
        DatasetError: If the folder is missing, is not laid out as the named or any known dataset,
            fits several of them, has the same id twice, or holds no usable image; or as
            `open_source` for groups.
    """
    if not root.is_dir():
        raise DatasetError(
            f"{root}: no such folder. Give the folder that holds the dataset's own folders."
        )
    try:
        kind, place = _recognise(root) if name is None else (_by_name(root, name), root)
    except OSError as error:
        raise DatasetError(f"{root}: the folder cannot be listed: {error.strerror}") from error
    return _checked(kind(place), groups)


def open_source(source: Source, name: str | None = None, *, groups: Path | None = None) -> Dataset:
    """Open a dataset in its folder, or images and masks in two folders.

    Args:
        source: Where the images are.
        name: A name in ``DATASETS``; None recognises the dataset by its folders.
        groups: CSV with a column of ids and one of groups, see `read_groups`, and a line for every
            image: what a split must not tear apart, instead of what the dataset says itself.

    Raises:
        DatasetError: As `open_dataset`; if two folders are to be another dataset than ``folder``;
            if the groups cannot be read or an image has none; or if there are none and the
            dataset must not be split without.
    """
    if isinstance(source, Path):
        return open_dataset(source, name, groups=groups)
    if name in (None, ImageFolder.name):
        return _checked(ImageFolder(source.images, index_pair(source)), groups)
    raise DatasetError(f"{source}: two folders are the dataset 'folder', not '{name}'")


def tell_presence(datasets: Sequence[Dataset], table: Path, classes: Sequence[str]) -> None:
    """Tell the samples of datasets which classes they show, from a table.

    Args:
        datasets: Changed in place.
        table: CSV with a column ``id`` or ``image_id`` and one per class, 0 or 1.
        classes: Those that matter.

    Raises:
        DatasetError: If the table is wrong, or names none of the samples.
    """
    presence = read_presence(table, classes)
    for dataset in datasets:
        dataset.samples = add_presence(dataset.samples, presence)
    if not any(sample.presence for dataset in datasets for sample in dataset.samples):
        ids = [sample.id for dataset in datasets for sample in dataset.samples]
        message = (
            f"{table}: none of its ids is among the {len(ids)} images, for example "
            f"{list_some(ids[:2])}: give the table of these images"
        )
        raise DatasetError(message)


def _checked(dataset: Dataset, groups: Path | None) -> Dataset:
    """Refuse a dataset without images or without the groups that it needs, and add the groups."""
    _refuse_empty(dataset)
    if groups is not None:
        dataset.samples = regroup(dataset.samples, read_groups(groups), source=groups)
    elif dataset.ungrouped:
        raise DatasetError(dataset.ungrouped)
    elif isinstance(dataset, ImageFolder):
        warn_of_lesions(dataset.samples)
    return dataset


def _refuse_empty(dataset: Dataset) -> None:
    if not dataset.samples:
        reason = f"; {dataset.orphans[0]}" if dataset.orphans else ""
        raise DatasetError(
            f"{dataset.root}: recognised as '{dataset.name}', but no usable image is in it "
            f"({len(dataset.orphans)} files without a partner{reason}). Expected:\n{dataset.layout}"
        )


def _by_name(root: Path, name: str) -> type[Dataset]:
    if name not in DATASETS:
        raise DatasetError(f"unknown dataset '{name}'. Known datasets: {', '.join(DATASETS)}.")
    if not DATASETS[name].matches(root):
        raise DatasetError(
            f"{root} is not laid out as '{name}'. {_what_is_there(root)}\n{_looked_for(name)}"
        )
    return DATASETS[name]


def _recognise(root: Path) -> tuple[type[Dataset], Path]:
    """The dataset that is in a folder or in one of its usual subfolders, and where it is."""
    for place in (root, *(root / name for name in _SUBFOLDERS)):
        found = [name for name, dataset in DATASETS.items() if dataset.matches(place)]
        if len(found) > 1:
            raise DatasetError(
                f"{place}: fits several datasets: {', '.join(found)}. "
                f"Say which one it is by its name, or move them into folders of their own."
            )
        if found:
            return DATASETS[found[0]], place
    looked_for = "\n".join(_looked_for(name) for name in DATASETS)
    raise DatasetError(
        f"{root}: no known dataset is in this folder. {_what_is_there(root)}\n{looked_for}\n"
        f"Give the folder that directly holds one of these, or name the folders of images and of "
        f"masks with --images and --masks."
    )


def _looked_for(name: str) -> str:
    return f"  {name}: looked for {' or '.join(f'{m}/' for m in DATASETS[name].markers())}"


def _what_is_there(root: Path) -> str:
    entries = sorted(path.name for path in root.iterdir())
    return f"It holds {list_some(entries)}." if entries else "It is empty."
