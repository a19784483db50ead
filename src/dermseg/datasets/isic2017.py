"""ISIC 2017 Parts 1 and 2: lesion segmentation and dermoscopic features."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import ClassVar

from dermseg.datasets.attributes import AttributeFiles, find_superpixel_features
from dermseg.datasets.base import DatasetIndex, TableProblem
from dermseg.datasets.challenge import (
    ChallengeDataset,
    PartFolders,
    isic_images,
    isic_superpixels,
)
from dermseg.datasets.metadata import Metadata, add_metadata, read_metadata
from dermseg.datasets.pairing import files_by_id, mask_id

__all__ = ["Isic2017"]

_PREFIXES = {
    "train": "ISIC-2017_Training",
    "validation": "ISIC-2017_Validation",
    "test": "ISIC-2017_Test_v2",
}


class Isic2017(ChallengeDataset):
    """ISIC 2017 Parts 1 and 2: 2,000 training, 150 validation and 600 test images.

    Dermoscopic photographs, CC0, with one lesion mask each (Part 1) and four features marked on
    superpixels (Part 2). The folders, any of which may be missing::

        ISIC-2017_Training_Data/                  ISIC_0000000.jpg, ISIC_0000000_superpixels.png
        ISIC-2017_Training_Part1_GroundTruth/     ISIC_0000000_segmentation.png
        ISIC-2017_Training_Part2_GroundTruth/     ISIC_0000000_features.json
        ISIC-2017_Validation_Data/
        ISIC-2017_Validation_Part1_GroundTruth/
        ISIC-2017_Validation_Part2_GroundTruth/
        ISIC-2017_Test_v2_Data/
        ISIC-2017_Test_v2_Part1_GroundTruth/
        ISIC-2017_Test_v2_Part2_GroundTruth/

    The features become masks, see :mod:`dermseg.datasets.superpixels`. Globules are not among
    them: whether an image has some is not known. Without features or superpixels, a sample has no
    attributes.

    A sample's metadata say ``age`` and ``sex`` where the images' folder holds its table
    (``ISIC-2017_Training_Data_metadata.csv``), and ``melanoma``, ``seborrheic_keratosis`` (0 or 1)
    and ``diagnosis`` in words where the table of Part 3 is beside the folders
    (``ISIC-2017_Training_Part3_GroundTruth.csv``). What is neither is a benign nevus.

    Known defects: 82 of the training images are in the ISIC 2016 test set, and 529 of the test
    images are in ISIC 2018 training, so numbers across years leak unless those ids are dropped.

    References:
        Codella et al. (2018), doi:10.1109/ISBI.2018.8363547, arXiv:1710.05006.
    """

    name = "isic2017"
    title = "ISIC 2017 challenge, Parts 1 and 2: lesion segmentation and features"
    num_images: ClassVar[Mapping[str, int]] = {"train": 2000, "validation": 150, "test": 600}
    licence = "CC0-1.0"
    url = "https://challenge.isic-archive.com/data/#2017"
    doi = "10.1109/ISBI.2018.8363547"
    layout = """\
ISIC-2017_{Training,Validation,Test_v2}_Data/ISIC_0000000.jpg
ISIC-2017_{Training,Validation,Test_v2}_Part1_GroundTruth/ISIC_0000000_segmentation.png
ISIC-2017_{Training,Validation,Test_v2}_Data/ISIC_0000000_superpixels.png
ISIC-2017_{Training,Validation,Test_v2}_Part2_GroundTruth/ISIC_0000000_features.json"""
    attributes = ("pigment_network", "negative_network", "milia_like_cyst", "streaks")
    known_defects = (
        "82 training images are in the ISIC 2016 test set",
        "529 of the 600 test images are in the ISIC 2018 training set",
    )
    folders = tuple(
        PartFolders(
            part,
            f"{prefix}_Data",
            f"{prefix}_Part1_GroundTruth",
            f"{prefix}_Part2_GroundTruth",
        )
        for part, prefix in _PREFIXES.items()
    )

    @classmethod
    def index(cls, root: Path) -> DatasetIndex:
        """Pair each part by id, and add what the tables say.

        Raises:
            DatasetError: If an id occurs twice.
        """
        tables: list[Metadata] = []
        problems: list[TableProblem] = []
        for prefix in _PREFIXES.values():
            found = [
                _read_persons(root / f"{prefix}_Data" / f"{prefix}_Data_metadata.csv"),
                _read_diagnoses(root / f"{prefix}_Part3_GroundTruth.csv"),
            ]
            tables += [table for table, _ in found]
            problems += [problem for _, flaws in found for problem in flaws]
        return add_metadata(super().index(root), tables, problems)

    @classmethod
    def find_attributes(cls, data: Path, truth: Path) -> AttributeFiles:
        """Find the features of Part 2, and the superpixels that they are about."""
        images = files_by_id(isic_images(data)[0], mask_id)
        return find_superpixel_features(truth, images, isic_superpixels(data), cls.attributes)


def _read_persons(path: Path) -> tuple[Metadata, list[TableProblem]]:
    columns = {"age_approximate": "age", "sex": "sex"}
    return read_metadata(path, id_column="image_id", columns=columns)


def _read_diagnoses(path: Path) -> tuple[Metadata, list[TableProblem]]:
    kinds = ("melanoma", "seborrheic_keratosis")
    table, problems = read_metadata(
        path, id_column="image_id", columns={kind: kind for kind in kinds}
    )
    for values in table.values():
        found = [values.get(kind) for kind in kinds]
        if found in (["1", "0"], ["0", "1"], ["0", "0"]):
            names = ("melanoma", "seborrheic keratosis", "nevus")
            values["diagnosis"] = names[found.index("1") if "1" in found else 2]
    return table, problems
