"""The official archives of the public datasets: where they are, and how to know them.

The addresses and checksums of the challenges are those that public download code uses; the ones of
ISIC 2016 and of the images of 2017 and 2018 agree between independent sources. The checksums of
HAM10000 are published beside its files (Harvard Dataverse, doi:10.7910/DVN/DBW86T, version 4). For
the attribute masks of ISIC 2018 Task 2 and the features of ISIC 2017 Part 2 none are published.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final, Literal

from dermseg.errors import UsageError

__all__ = ["DOWNLOADS", "Archive", "Download", "find_download"]


@dataclass(frozen=True)
class Archive:
    """One file to download: a ZIP archive, or a table that is taken as it is.

    Attributes:
        name: Its file name.
        target: The folder, or for a table the file, that it becomes.
        holds: What is in it; images are put in place last, since a dataset is recognised by them.
        digest: ``md5:...`` or ``sha256:...``; None where no checksum is published.
        part: The official part that it belongs to; None belongs to all.
        num_bytes: Its size, where it is known.
        address: Where it is below the dataset's address, if not under its name.
    """

    name: str
    target: str
    holds: Literal["images", "masks", "table"]
    digest: str | None
    part: str | None = None
    num_bytes: int | None = None
    address: str | None = None


@dataclass(frozen=True)
class Download:
    """The archives of a dataset.

    Attributes:
        dataset: Its name in ``DATASETS``.
        address: The folder of the archives on the official server.
        archives: All of them.
    """

    dataset: str
    address: str
    archives: tuple[Archive, ...]

    @property
    def parts(self) -> tuple[str, ...]:
        """The official parts that can be had one by one."""
        return tuple(dict.fromkeys(one.part for one in self.archives if one.part is not None))


_Part = Literal["train", "validation", "test"]


def _images(part: _Part, stem: str, digest: str, num_bytes: int | None = None) -> Archive:
    return Archive(f"{stem}.zip", stem, "images", digest, part, num_bytes)


def _masks(part: _Part, stem: str, digest: str | None) -> Archive:
    return Archive(f"{stem}.zip", stem, "masks", digest, part)


def _table(part: _Part, name: str, digest: str) -> Archive:
    return Archive(name, name, "table", digest, part)


_CHALLENGES = "https://isic-challenge-data.s3.amazonaws.com"
_INPUTS_2017 = (
    _images("train", "ISIC-2017_Training_Data", "md5:a14a7e622c67a358797ae59abb8a0b0c"),
    _images("validation", "ISIC-2017_Validation_Data", "md5:8d6419d942112f709894c0d82f6c9038"),
    _images("test", "ISIC-2017_Test_v2_Data", "md5:5f6a0b5e1f2972bd1f5ea02680489f09"),
)
_INPUTS_2018 = (
    _images(
        "train",
        "ISIC2018_Task1-2_Training_Input",
        "sha256:80f98572347a2d7a376227fa9eb2e4f7459d317cb619865b8b9910c81446675f",
        11_165_358_566,
    ),
    _images(
        "validation",
        "ISIC2018_Task1-2_Validation_Input",
        "sha256:0ea920fcfe512d12a6e620b50b50233c059f67b10146e1479c82be58ff15a797",
    ),
    _images(
        "test",
        "ISIC2018_Task1-2_Test_Input",
        "sha256:e59ae1f69f4ed16f09db2cb1d76c2a828487b63d28f6ab85997f5616869b127d",
    ),
)

DOWNLOADS: Final[Mapping[str, Download]] = {
    "isic2016": Download(
        "isic2016",
        f"{_CHALLENGES}/2016",
        (
            _images(
                "train",
                "ISBI2016_ISIC_Part1_Training_Data",
                "md5:2029f387e62dcc062b1370b1efc1f7fb",
            ),
            _masks(
                "train",
                "ISBI2016_ISIC_Part1_Training_GroundTruth",
                "md5:fbd77134298f3511479a37bac93109c7",
            ),
            _images(
                "test",
                "ISBI2016_ISIC_Part1_Test_Data",
                "md5:efebcaeaae751007401a40a60d391f93",
            ),
            _masks(
                "test",
                "ISBI2016_ISIC_Part1_Test_GroundTruth",
                "md5:492a7711a2e19b96114cab6c96bd1ad5",
            ),
        ),
    ),
    "isic2017": Download(
        "isic2017",
        f"{_CHALLENGES}/2017",
        (
            *_INPUTS_2017,
            _masks(
                "train",
                "ISIC-2017_Training_Part1_GroundTruth",
                "md5:77fdbeb6fbec4139937224416b250f4c",
            ),
            _table(
                "train",
                "ISIC-2017_Training_Part3_GroundTruth.csv",
                "md5:0cb4add57c65c22ca1a1cb469ad1f0c5",
            ),
            _masks(
                "validation",
                "ISIC-2017_Validation_Part1_GroundTruth",
                "md5:64d3e68fa2deeb8a5e89aa8dec2efd44",
            ),
            _table(
                "validation",
                "ISIC-2017_Validation_Part3_GroundTruth.csv",
                "md5:8d4826a76adcd8fb928ca52a23ebae4c",
            ),
            _masks(
                "test",
                "ISIC-2017_Test_v2_Part1_GroundTruth",
                "md5:b1742de6bd257faca3b2b21a4aa3b781",
            ),
            _table(
                "test",
                "ISIC-2017_Test_v2_Part3_GroundTruth.csv",
                "md5:9e957b72a0c4f9e0d924889fd03b36ed",
            ),
        ),
    ),
    "isic2017_part2": Download(
        "isic2017",
        f"{_CHALLENGES}/2017",
        (
            *_INPUTS_2017,
            _masks("train", "ISIC-2017_Training_Part2_GroundTruth", None),
            _masks("validation", "ISIC-2017_Validation_Part2_GroundTruth", None),
            _masks("test", "ISIC-2017_Test_v2_Part2_GroundTruth", None),
        ),
    ),
    "isic2018": Download(
        "isic2018",
        f"{_CHALLENGES}/2018",
        (
            *_INPUTS_2018,
            _masks(
                "train",
                "ISIC2018_Task1_Training_GroundTruth",
                "sha256:99f8b2bb3c4d6af483362010715f7e7d5d122d9f6c02cac0e0d15bef77c7604c",
            ),
            _masks(
                "validation",
                "ISIC2018_Task1_Validation_GroundTruth",
                "sha256:f6911e9c0a64e6d687dd3ca466ca927dd5e82145cb2163b7a1e5b37d7a716285",
            ),
            _masks(
                "test",
                "ISIC2018_Task1_Test_GroundTruth",
                "sha256:2e8f6edce454a5bdee52485e39f92bd6eddf357e81f39018d05512175238ef82",
            ),
        ),
    ),
    "isic2018_task2": Download(
        "isic2018",
        f"{_CHALLENGES}/2018",
        (
            *_INPUTS_2018,
            _masks("train", "ISIC2018_Task2_Training_GroundTruth_v3", None),
            _masks("validation", "ISIC2018_Task2_Validation_GroundTruth", None),
            _masks("test", "ISIC2018_Task2_Test_GroundTruth", None),
        ),
    ),
    "ham10000": Download(
        "ham10000",
        "https://dataverse.harvard.edu/api/access/datafile",
        (
            Archive(
                "HAM10000_images_part_1.zip",
                "HAM10000_images_part_1",
                "images",
                "md5:4639bfa73ab251610530a97c898e6e46",
                num_bytes=1_366_522_108,
                address="3172585",
            ),
            Archive(
                "HAM10000_images_part_2.zip",
                "HAM10000_images_part_2",
                "images",
                "md5:da43d6cc50f6613013be07e8986b384b",
                num_bytes=1_403_566_547,
                address="3172584",
            ),
            Archive(
                "HAM10000_segmentations_lesion_tschandl.zip",
                "HAM10000_segmentations_lesion_tschandl",
                "masks",
                "md5:6e8d252e09cfdb0189199f15985a5b84",
                num_bytes=10_808_743,
                address="3838943",
            ),
            # Without the format, the server gives its own rendering of the table, with tabs.
            Archive(
                "HAM10000_metadata.csv",
                "HAM10000_metadata.csv",
                "table",
                "md5:8f85fb1aa29d80a2797247e434deb79d",
                num_bytes=690_218,
                address="4338392?format=original",
            ),
        ),
    ),
}
"""Every dataset that can be downloaded, by name."""

_ELSEWHERE = {
    "ph2": (
        "PH2 may be used for research only and not be passed on, so it cannot be downloaded here. "
        "Ask for it at https://www.fc.up.pt/addi/ph2%20database.html, unpack it, and run "
        "'dermseg data check DIR' on the folder that holds 'PH2 Dataset images'."
    ),
    "folder": (
        "'folder' is the layout for images of your own, so there is nothing to download: put them "
        "into images/ and their masks into masks/."
    ),
}


def find_download(name: str) -> Download:
    """Return what to download for a dataset.

    Raises:
        UsageError: If it cannot be downloaded, with the place where to get it, or is not known.
    """
    if name in _ELSEWHERE:
        raise UsageError(_ELSEWHERE[name])
    if name not in DOWNLOADS:
        message = f"unknown dataset '{name}': expected one of {', '.join(DOWNLOADS)}"
        raise UsageError(message)
    return DOWNLOADS[name]
