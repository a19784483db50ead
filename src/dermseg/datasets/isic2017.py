"""ISIC 2017 Part 1: lesion segmentation."""

from __future__ import annotations

from collections.abc import Mapping
from typing import ClassVar

from dermseg.datasets.challenge import ChallengeDataset, PartFolders

__all__ = ["Isic2017"]


class Isic2017(ChallengeDataset):
    """ISIC 2017 Part 1: 2,000 training, 150 validation and 600 test images with lesion masks.

    Dermoscopic photographs with one lesion mask each, CC0. The folders, any part of which may be
    missing::

        ISIC-2017_Training_Data/                  ISIC_0000000.jpg, ISIC_0000000_superpixels.png
        ISIC-2017_Training_Part1_GroundTruth/     ISIC_0000000_segmentation.png
        ISIC-2017_Validation_Data/
        ISIC-2017_Validation_Part1_GroundTruth/
        ISIC-2017_Test_v2_Data/
        ISIC-2017_Test_v2_Part1_GroundTruth/

    Known defects: 82 of the training images are in the ISIC 2016 test set, and 529 of the test
    images are in ISIC 2018 training, so numbers across years leak unless those ids are dropped.

    References:
        Codella et al. (2018), doi:10.1109/ISBI.2018.8363547, arXiv:1710.05006.
    """

    name = "isic2017"
    title = "ISIC 2017 challenge, Part 1: lesion segmentation"
    num_images: ClassVar[Mapping[str, int]] = {"train": 2000, "validation": 150, "test": 600}
    licence = "CC0-1.0"
    url = "https://challenge.isic-archive.com/data/#2017"
    doi = "10.1109/ISBI.2018.8363547"
    layout = """\
ISIC-2017_{Training,Validation,Test_v2}_Data/ISIC_0000000.jpg
ISIC-2017_{Training,Validation,Test_v2}_Part1_GroundTruth/ISIC_0000000_segmentation.png"""
    known_defects = (
        "82 training images are in the ISIC 2016 test set",
        "529 of the 600 test images are in the ISIC 2018 training set",
    )
    folders = (
        PartFolders("train", "ISIC-2017_Training_Data", "ISIC-2017_Training_Part1_GroundTruth"),
        PartFolders(
            "validation", "ISIC-2017_Validation_Data", "ISIC-2017_Validation_Part1_GroundTruth"
        ),
        PartFolders("test", "ISIC-2017_Test_v2_Data", "ISIC-2017_Test_v2_Part1_GroundTruth"),
    )
