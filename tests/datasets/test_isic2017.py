from __future__ import annotations

from collections.abc import Callable, Iterable
from pathlib import Path

import pytest

from dermseg.datasets import Isic2017, open_dataset
from dermseg.errors import DatasetError

MakeFiles = Callable[[Iterable[str]], Path]
TRAIN = "ISIC-2017_Training_Data"
TRAIN_TRUTH = "ISIC-2017_Training_Part1_GroundTruth"


def test_every_part_has_its_own_images(make_dataset: Callable[[str], Path]) -> None:
    dataset = open_dataset(make_dataset("isic2017"))
    ids = {
        part: [sample.id for sample in dataset.part(part)]
        for part in ("train", "validation", "test")
    }
    assert ids == {
        "train": ["ISIC_0000000", "ISIC_0000001", "ISIC_0000002"],
        "validation": ["ISIC_0000003", "ISIC_0000004"],
        "test": ["ISIC_0000005", "ISIC_0000006"],
    }


def test_superpixels_are_neither_samples_nor_orphans(make_files: MakeFiles) -> None:
    root = make_files([f"{TRAIN}/ISIC_0000000.jpg", f"{TRAIN}/ISIC_0000000_superpixels.png"])
    index = Isic2017.index(root)
    assert [sample.image.name for sample in index.samples] == ["ISIC_0000000.jpg"]
    assert index.orphans == ()


def test_one_part_alone_is_enough(make_files: MakeFiles) -> None:
    root = make_files(
        [
            "ISIC-2017_Test_v2_Data/ISIC_0012086.jpg",
            "ISIC-2017_Test_v2_Part1_GroundTruth/ISIC_0012086_segmentation.png",
        ]
    )
    (sample,) = open_dataset(root).samples
    assert sample.part == "test"
    assert sample.mask == root / "ISIC-2017_Test_v2_Part1_GroundTruth/ISIC_0012086_segmentation.png"


def test_without_a_ground_truth_folder_samples_have_no_mask(make_files: MakeFiles) -> None:
    dataset = open_dataset(make_files([f"{TRAIN}/ISIC_0000000.jpg"]))
    assert [sample.mask for sample in dataset.samples] == [None]
    assert dataset.orphans == ()


def test_files_with_other_names_are_orphans(make_files: MakeFiles) -> None:
    root = make_files(
        [
            f"{TRAIN}/ISIC_0000000.jpg",
            f"{TRAIN}/ISIC_0000000 (1).jpg",
            f"{TRAIN}/ATTRIBUTION.txt",
            f"{TRAIN_TRUTH}/ISIC_0000000_segmentation.png",
            f"{TRAIN_TRUTH}/ISIC_0000000_mask.png",
        ]
    )
    dataset = open_dataset(root)
    assert [sample.id for sample in dataset.samples] == ["ISIC_0000000"]
    assert [str(orphan) for orphan in dataset.orphans] == [
        "ISIC_0000000 (1).jpg: not a file name of this dataset",
        "ISIC_0000000_mask.png: not a file name of this dataset",
    ]


def test_an_id_in_two_parts_is_refused_with_both_files(make_files: MakeFiles) -> None:
    twice = [f"{TRAIN}/ISIC_0000000.jpg", "ISIC-2017_Validation_Data/ISIC_0000000.jpg"]
    root = make_files(twice)
    with pytest.raises(DatasetError, match="'ISIC_0000000' is in two parts") as error:
        open_dataset(root)
    assert all(str(root / name) in str(error.value) for name in twice)


def test_an_id_with_two_images_is_refused_with_both_files(make_files: MakeFiles) -> None:
    root = make_files([f"{TRAIN}/ISIC_0000000.jpg", f"{TRAIN}/ISIC_0000000.png"])
    with pytest.raises(DatasetError, match=r"ISIC_0000000\.jpg and .*ISIC_0000000\.png"):
        open_dataset(root)


def test_a_part_that_is_not_here_is_refused_with_those_that_are(make_files: MakeFiles) -> None:
    dataset = open_dataset(make_files([f"{TRAIN}/ISIC_0000000.jpg"]))
    with pytest.raises(DatasetError, match=r"no part 'test' here; its parts are train \(1\)"):
        dataset.part("test")
