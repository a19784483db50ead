"""ISIC 2018 Task 1: lesion boundary segmentation."""

from __future__ import annotations

from collections.abc import Mapping
from typing import ClassVar

from dermseg.datasets.challenge import ChallengeDataset, PartFolders

__all__ = ["Isic2018"]


class Isic2018(ChallengeDataset):
    """ISIC 2018 Task 1: 2,594 training, 100 validation and 1,000 test images with lesion masks.

    Dermoscopic photographs with one lesion mask each, CC0. The folders, any part of which may be
    missing; their ``ATTRIBUTION.txt`` and ``LICENSE.txt`` are ignored::

        ISIC2018_Task1-2_Training_Input/          ISIC_0000000.jpg
        ISIC2018_Task1_Training_GroundTruth/      ISIC_0000000_segmentation.png
        ISIC2018_Task1-2_Validation_Input/
        ISIC2018_Task1_Validation_GroundTruth/
        ISIC2018_Task1-2_Test_Input/
        ISIC2018_Task1_Test_GroundTruth/

    Known defects: 529 of the 600 ISIC 2017 test images are training images here, so numbers
    across years leak unless those ids are dropped.

    References:
        Codella et al. (2019), arXiv:1902.03368.
    """

    name = "isic2018"
    title = "ISIC 2018 challenge, Task 1: lesion boundary segmentation"
    num_images: ClassVar[Mapping[str, int]] = {"train": 2594, "validation": 100, "test": 1000}
    licence = "CC0-1.0"
    url = "https://challenge.isic-archive.com/data/#2018"
    doi = "10.48550/arXiv.1902.03368"
    layout = """\
ISIC2018_Task1-2_{Training,Validation,Test}_Input/ISIC_0000000.jpg
ISIC2018_Task1_{Training,Validation,Test}_GroundTruth/ISIC_0000000_segmentation.png"""
    known_defects = ("529 of the 600 ISIC 2017 test images are in the training set",)
    folders = (
        PartFolders(
            "train", "ISIC2018_Task1-2_Training_Input", "ISIC2018_Task1_Training_GroundTruth"
        ),
        PartFolders(
            "validation",
            "ISIC2018_Task1-2_Validation_Input",
            "ISIC2018_Task1_Validation_GroundTruth",
        ),
        PartFolders("test", "ISIC2018_Task1-2_Test_Input", "ISIC2018_Task1_Test_GroundTruth"),
    )
