"""HAM10000: pigmented lesions, with the masks of Tschandl et al."""

from __future__ import annotations

import csv
import logging
import re
from collections.abc import Iterable, Mapping
from dataclasses import replace
from pathlib import Path
from typing import ClassVar

from dermseg.datasets.base import Dataset, DatasetIndex, TableProblem
from dermseg.datasets.challenge import isic_images, isic_masks
from dermseg.datasets.grouping import read_groups, regroup
from dermseg.datasets.metadata import Metadata, add_metadata, read_metadata
from dermseg.datasets.pairing import files_by_id, join, mask_id, pair
from dermseg.errors import DatasetError
from dermseg.storage import read_text
from dermseg.types import Sample

__all__ = ["Ham10000", "is_kaggle_copy", "warn_of_lesions"]

_IMAGE_PARTS = ("HAM10000_images_part_1", "HAM10000_images_part_2")
_MASKS = "HAM10000_segmentations_lesion_tschandl"
_METADATA = "HAM10000_metadata.csv"
_COLUMNS = ("dx", "dx_type", "age", "sex", "localization", "dataset")
# A copy on Kaggle has its own names, and no lesion ids.
_KAGGLE_IMAGES, _KAGGLE_MASKS, _KAGGLE_DIAGNOSES = "images", "masks", "GroundTruth.csv"
_ID = re.compile(r"ISIC_(\d{7})")
_IDS = range(24306, 34321)
# The names of Tschandl et al. (2018), table 3.
_DIAGNOSES = {
    "akiec": "actinic keratosis",
    "bcc": "basal cell carcinoma",
    "bkl": "benign keratosis",
    "df": "dermatofibroma",
    "mel": "melanoma",
    "nv": "melanocytic nevus",
    "vasc": "vascular lesion",
}


class Ham10000(Dataset):
    """HAM10000: 10,015 images of 7,470 lesions with lesion masks.

    Dermoscopic photographs of 600x450 pixels, CC BY-NC 4.0. The images come in two parts, either
    of which may be missing; both have their masks in one folder::

        HAM10000_images_part_1/                    ISIC_0024306.jpg
        HAM10000_images_part_2/
        HAM10000_segmentations_lesion_tschandl/    ISIC_0024306_segmentation.png
        HAM10000_metadata.csv                      lesion_id,image_id,dx,...

    A copy on Kaggle is recognised, too: ``images/``, ``masks/`` and ``GroundTruth.csv`` with a
    column of 0 and 1 per diagnosis.

    The group of an image is its ``lesion_id``. ``HAM10000_metadata.csv`` is found in the folder or
    beside it. Without it, and without other groups, the dataset is refused, as a split by image
    would put the same lesion into training and test. A sample's metadata hold the columns ``dx``,
    ``dx_type``, ``age``, ``sex``, ``localization`` and ``dataset``, and ``dx`` in words as
    ``diagnosis``. There are no official parts.

    Known defects: 2,545 images show a lesion that another image shows too.

    References:
        Tschandl et al. (2018), doi:10.1038/sdata.2018.161; data doi:10.7910/DVN/DBW86T.
    """

    name = "ham10000"
    title = "HAM10000: common pigmented lesions"
    num_images: ClassVar[Mapping[str, int]] = {"all": 10015}
    licence = "CC-BY-NC-4.0"
    url = "https://doi.org/10.7910/DVN/DBW86T"
    doi = "10.1038/sdata.2018.161"
    layout = """\
HAM10000_images_part_{1,2}/ISIC_0024306.jpg
HAM10000_segmentations_lesion_tschandl/ISIC_0024306_segmentation.png
HAM10000_metadata.csv
or images/, masks/ and GroundTruth.csv (Kaggle), with HAM10000_metadata.csv"""
    known_defects = ("2,545 images show a lesion that another image shows too",)

    @classmethod
    def markers(cls) -> tuple[str, ...]:
        """Name the two folders of images."""
        return _IMAGE_PARTS

    @classmethod
    def matches(cls, root: Path) -> bool:
        """Tell whether the official folders or those of the copy on Kaggle are in ``root``."""
        return super().matches(root) or is_kaggle_copy(root)

    @classmethod
    def index(cls, root: Path) -> DatasetIndex:
        """Pair by id, and group by lesion.

        Raises:
            DatasetError: If an id occurs twice, the metadata is not readable, or an image is not
                in it.
        """
        is_official = super().matches(root)
        image_folders: tuple[str, ...] = _IMAGE_PARTS
        masks_folder = _MASKS
        if not is_official:
            image_folders, masks_folder = (_KAGGLE_IMAGES,), _KAGGLE_MASKS
        paired = _pair(root, image_folders, masks_folder)
        metadata = _find_metadata(root)
        tables: list[Metadata] = [] if is_official else [_read_diagnoses(root / _KAGGLE_DIAGNOSES)]
        if metadata is None:
            return add_metadata(replace(paired, ungrouped=_ungrouped(root)), tables, [])
        groups = read_groups(metadata, id_column="image_id", group_column="lesion_id")
        samples = regroup(paired.samples, groups, source=metadata)
        table, problems = _read_table(metadata)
        return add_metadata(replace(paired, samples=samples), [*tables, table], problems)


def is_kaggle_copy(root: Path) -> bool:
    """Tell whether a folder is the copy of HAM10000 on Kaggle: by the columns of its table."""
    if not (root / _KAGGLE_IMAGES).is_dir():
        return False
    try:
        lines = read_text(root / _KAGGLE_DIAGNOSES, refuse=DatasetError).splitlines()
        columns = next(csv.reader(lines), [])
    except (DatasetError, csv.Error):
        return False
    return {"image", *(name.upper() for name in _DIAGNOSES)} <= set(columns)


def warn_of_lesions(samples: Iterable[Sample]) -> None:
    """Log a warning if most images have ids of HAM10000 and each is a group of its own."""
    samples = tuple(samples)
    found = [sample for sample in samples if _is_id(sample.id) and sample.group == sample.id]
    if 2 * len(found) > len(samples):
        logging.getLogger("dermseg").warning(
            "%d images have ids of HAM10000, where 2,545 of 10,015 images show a lesion "
            "that another image shows: without --groups %s a split by image puts the same lesion "
            "into training and test",
            len(found),
            _METADATA,
        )


def _is_id(name: str) -> bool:
    match = _ID.fullmatch(name)
    return match is not None and int(match[1]) in _IDS


def _pair(root: Path, image_folders: Iterable[str], masks_folder: str) -> DatasetIndex:
    named = [isic_images(root / name) for name in image_folders if (root / name).is_dir()]
    images = files_by_id((path for paths, _ in named for path in paths), mask_id)
    strays = [orphan for _, orphans in named for orphan in orphans]
    masks = None
    if (root / masks_folder).is_dir():
        mask_paths, stray_masks = isic_masks(root / masks_folder)
        masks = files_by_id(mask_paths, mask_id)
        strays += stray_masks
    return join([pair(images, masks), DatasetIndex((), tuple(strays))])


def _find_metadata(root: Path) -> Path | None:
    places = (root / _METADATA, root.absolute().parent / _METADATA)
    return next((path for path in places if path.is_file()), None)


def _ungrouped(root: Path) -> str:
    return (
        f"{root}: HAM10000 without its lesion ids: 2,545 of its 10,015 images show a lesion that "
        "another image shows, so a split by image would put the same lesion into training and "
        f"test. Put {_METADATA} (doi:10.7910/DVN/DBW86T) into the folder or beside it, or give "
        "--groups, a table with the columns image_id and lesion_id"
    )


def _read_table(path: Path) -> tuple[Metadata, list[TableProblem]]:
    columns = {name: name for name in _COLUMNS}
    table, problems = read_metadata(path, id_column="image_id", columns=columns)
    for values in table.values():
        if values.get("dx") in _DIAGNOSES:
            values["diagnosis"] = _DIAGNOSES[values["dx"]]
    return table, problems


def _read_diagnoses(path: Path) -> Metadata:
    """The diagnosis of each image, from a column of 0 and 1 for each."""
    table, _ = read_metadata(path, id_column="image", columns={n.upper(): n for n in _DIAGNOSES})
    found: Metadata = {}
    for id, values in table.items():
        marked = [name for name, value in values.items() if value == "1"]
        if len(marked) == 1:
            found[id] = {"dx": marked[0], "diagnosis": _DIAGNOSES[marked[0]]}
    return found
