"""ISIC 2018 Tasks 1 and 2: lesion boundaries and attributes."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import ClassVar

from dermseg.datasets.attributes import AttributeFiles, find_attribute_masks
from dermseg.datasets.challenge import ChallengeDataset, PartFolders, isic_images
from dermseg.datasets.pairing import files_by_id, mask_id

__all__ = ["Isic2018"]


class Isic2018(ChallengeDataset):
    """ISIC 2018 Tasks 1 and 2: 2,594 training, 100 validation and 1,000 test images.

    Dermoscopic photographs, CC0, with one lesion mask each (Task 1) and one mask for each of five
    attributes (Task 2). Most masks of attributes are empty, and they may overlap. The folders, any
    of which may be missing; their ``ATTRIBUTION.txt`` and ``LICENSE.txt`` are ignored::

        ISIC2018_Task1-2_Training_Input/          ISIC_0000000.jpg
        ISIC2018_Task1_Training_GroundTruth/      ISIC_0000000_segmentation.png
        ISIC2018_Task2_Training_GroundTruth_v3/   ISIC_0000000_attribute_globules.png, ...
        ISIC2018_Task1-2_Validation_Input/
        ISIC2018_Task1_Validation_GroundTruth/
        ISIC2018_Task2_Validation_GroundTruth/
        ISIC2018_Task1-2_Test_Input/
        ISIC2018_Task1_Test_GroundTruth/
        ISIC2018_Task2_Test_GroundTruth/

    With Task 2 alone, the samples have attributes and no lesion mask. An attribute whose file is
    missing is not known, and is named as a gap.

    Known defects: 529 of the 600 ISIC 2017 test images are training images here, so numbers
    across years leak unless those ids are dropped.

    References:
        Codella et al. (2019), arXiv:1902.03368.
    """

    name = "isic2018"
    title = "ISIC 2018 challenge, Tasks 1 and 2: lesion boundaries and attributes"
    num_images: ClassVar[Mapping[str, int]] = {"train": 2594, "validation": 100, "test": 1000}
    licence = "CC0-1.0"
    url = "https://challenge.isic-archive.com/data/#2018"
    doi = "10.48550/arXiv.1902.03368"
    layout = """\
ISIC2018_Task1-2_{Training,Validation,Test}_Input/ISIC_0000000.jpg
ISIC2018_Task1_{Training,Validation,Test}_GroundTruth/ISIC_0000000_segmentation.png
ISIC2018_Task2_{Training_GroundTruth_v3,Validation_GroundTruth,Test_GroundTruth}/\
ISIC_0000000_attribute_{globules,milia_like_cyst,negative_network,pigment_network,streaks}.png"""
    attributes = (
        "globules",
        "milia_like_cyst",
        "negative_network",
        "pigment_network",
        "streaks",
    )
    known_defects = ("529 of the 600 ISIC 2017 test images are in the training set",)
    folders = (
        PartFolders(
            "train",
            "ISIC2018_Task1-2_Training_Input",
            "ISIC2018_Task1_Training_GroundTruth",
            "ISIC2018_Task2_Training_GroundTruth_v3",
        ),
        PartFolders(
            "validation",
            "ISIC2018_Task1-2_Validation_Input",
            "ISIC2018_Task1_Validation_GroundTruth",
            "ISIC2018_Task2_Validation_GroundTruth",
        ),
        PartFolders(
            "test",
            "ISIC2018_Task1-2_Test_Input",
            "ISIC2018_Task1_Test_GroundTruth",
            "ISIC2018_Task2_Test_GroundTruth",
        ),
    )

    @classmethod
    def find_attributes(cls, data: Path, truth: Path) -> AttributeFiles:
        """Find the masks of Task 2, five per image.

        Raises:
            DatasetError: If an image has two masks of an attribute.
        """
        images, _ = isic_images(data)
        return find_attribute_masks(truth, files_by_id(images, mask_id), cls.attributes)
