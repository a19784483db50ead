"""ISIC 2016 Part 1: lesion segmentation."""

from __future__ import annotations

from collections.abc import Mapping
from typing import ClassVar

from dermseg.datasets.challenge import ChallengeDataset, PartFolders

__all__ = ["Isic2016"]


class Isic2016(ChallengeDataset):
    """ISIC 2016 Part 1: 900 training and 379 test images with lesion masks.

    Dermoscopic photographs with one lesion mask each. The masks' names end in a capital
    ``_Segmentation``. The folders, any part of which may be missing::

        ISBI2016_ISIC_Part1_Training_Data/           ISIC_0000000.jpg
        ISBI2016_ISIC_Part1_Training_GroundTruth/    ISIC_0000000_Segmentation.png
        ISBI2016_ISIC_Part1_Test_Data/
        ISBI2016_ISIC_Part1_Test_GroundTruth/

    The training part may also be in folders named ``Training_Data`` and ``Training_GroundTruth``,
    as some projects rename them.

    Known defects: 82 of the test images are ISIC 2017 training images, so a network trained on
    2017 must drop those ids before it is scored here.

    References:
        Gutman et al. (2016), arXiv:1605.01397.
    """

    name = "isic2016"
    title = "ISIC 2016 challenge, Part 1: lesion segmentation"
    num_images: ClassVar[Mapping[str, int]] = {"train": 900, "test": 379}
    licence = "CC0-1.0"
    url = "https://challenge.isic-archive.com/data/#2016"
    doi = "10.48550/arXiv.1605.01397"
    layout = """\
ISBI2016_ISIC_Part1_{Training,Test}_Data/ISIC_0000000.jpg
ISBI2016_ISIC_Part1_{Training,Test}_GroundTruth/ISIC_0000000_Segmentation.png
or Training_Data/ and Training_GroundTruth/"""
    known_defects = ("82 test images are in the ISIC 2017 training set",)
    folders = (
        PartFolders(
            "train",
            "ISBI2016_ISIC_Part1_Training_Data",
            "ISBI2016_ISIC_Part1_Training_GroundTruth",
        ),
        PartFolders("train", "Training_Data", "Training_GroundTruth"),
        PartFolders(
            "test", "ISBI2016_ISIC_Part1_Test_Data", "ISBI2016_ISIC_Part1_Test_GroundTruth"
        ),
    )
