"""Attributes in the layouts of ISIC 2017 Part 2 and ISIC 2018 Task 2."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from dermseg.datasets import create_split, official_split, open_dataset
from dermseg.errors import DatasetError
from dermseg.types import SuperpixelFeature

MakeDataset = Callable[[str], Path]
ATTRIBUTES = ["globules", "milia_like_cyst", "negative_network", "pigment_network", "streaks"]
FEATURES = ["pigment_network", "negative_network", "milia_like_cyst", "streaks"]
TASK2 = "ISIC2018_Task2_Training_GroundTruth_v3"
PART2 = "ISIC-2017_Training_Part2_GroundTruth"


def test_task_2_alone_has_five_masks_and_no_lesion_mask(make_dataset: MakeDataset) -> None:
    root = make_dataset("isic2018_task2")
    dataset = open_dataset(root)
    assert dataset.name == "isic2018"
    assert (dataset.orphans, dataset.gaps) == ((), ())
    assert len(dataset.samples) == 5
    for sample in dataset.samples:
        assert sample.mask is None
        assert list(sample.attributes) == ATTRIBUTES == list(dataset.attributes)
        for name, path in sample.attributes.items():
            assert isinstance(path, Path)
            assert path.name == f"{sample.id}_attribute_{name}.png"
    folders = {
        sample.part: path.parent.name
        for sample in dataset.samples
        for path in sample.attributes.values()
        if isinstance(path, Path)
    }
    assert folders == {
        "train": TASK2,
        "validation": "ISIC2018_Task2_Validation_GroundTruth",
        "test": "ISIC2018_Task2_Test_GroundTruth",
    }


def test_both_tasks_in_one_folder_have_both_masks(make_dataset: MakeDataset) -> None:
    make_dataset("isic2018")
    dataset = open_dataset(make_dataset("isic2018_task2"))
    assert (dataset.orphans, dataset.gaps) == ((), ())
    for sample in dataset.samples:
        assert sample.mask is not None
        assert len(sample.attributes) == 5


def test_task_1_alone_has_no_attributes_and_no_gaps(make_dataset: MakeDataset) -> None:
    dataset = open_dataset(make_dataset("isic2018"))
    assert dataset.gaps == ()
    assert all(sample.attributes == {} for sample in dataset.samples)


def test_a_part_without_its_folder_has_no_attributes(make_dataset: MakeDataset) -> None:
    root = make_dataset("isic2018_task2")
    for path in (root / "ISIC2018_Task2_Test_GroundTruth").iterdir():
        path.unlink()
    (root / "ISIC2018_Task2_Test_GroundTruth").rmdir()
    dataset = open_dataset(root)
    counts = {sample.part: len(sample.attributes) for sample in dataset.samples}
    assert counts == {"train": 5, "validation": 5, "test": 0}
    assert dataset.gaps == ()


def test_a_missing_attribute_is_a_gap_and_not_an_absence(make_dataset: MakeDataset) -> None:
    root = make_dataset("isic2018_task2")
    (root / TASK2 / "ISIC_0000001_attribute_globules.png").unlink()
    (root / TASK2 / "ISIC_0000001_attribute_streaks.png").unlink()
    dataset = open_dataset(root)
    (_, sample, *_) = dataset.samples
    assert list(sample.attributes) == ["milia_like_cyst", "negative_network", "pigment_network"]
    assert list(map(str, dataset.gaps)) == [
        "ISIC_0000001.jpg: no attribute mask of globules, streaks"
    ]
    assert dataset.orphans == ()


def test_additional_files_of_task_2_are_orphans(make_dataset: MakeDataset) -> None:
    root = make_dataset("isic2018_task2")
    for name in (
        "ISIC_0000000_attribute_vessels.png",
        "ISIC_0000000_segmentation.png",
        "ISIC_0009999_attribute_streaks.png",
    ):
        (root / TASK2 / name).write_text("")
    assert list(map(str, open_dataset(root).orphans)) == [
        "ISIC_0000000_attribute_vessels.png: 'vessels' is no attribute of this dataset, only "
        "globules, milia_like_cyst, negative_network, pigment_network, streaks",
        "ISIC_0000000_segmentation.png: not a file name of this dataset",
        "ISIC_0009999_attribute_streaks.png: mask without image",
    ]


def test_two_masks_of_one_attribute_are_refused(make_dataset: MakeDataset) -> None:
    root = make_dataset("isic2018_task2")
    (root / TASK2 / "ISIC_0000000_attribute_streaks.jpg").write_text("")
    with pytest.raises(DatasetError, match=r"attribute_streaks\.jpg and .*attribute_streaks\.png"):
        open_dataset(root)


def test_an_image_left_out_for_its_lesion_mask_has_no_gap_and_no_orphans(
    make_dataset: MakeDataset,
) -> None:
    make_dataset("isic2018")
    root = make_dataset("isic2018_task2")
    (root / "ISIC2018_Task1_Training_GroundTruth/ISIC_0000001_segmentation.png").unlink()
    (root / TASK2 / "ISIC_0000001_attribute_globules.png").unlink()
    dataset = open_dataset(root)
    assert list(map(str, dataset.orphans)) == ["ISIC_0000001.jpg: image without mask"]
    assert dataset.gaps == ()


def test_part_2_has_four_features_of_superpixels(make_dataset: MakeDataset) -> None:
    root = make_dataset("isic2017_part2")
    dataset = open_dataset(root)
    assert dataset.name == "isic2017"
    assert (dataset.orphans, dataset.gaps) == ((), ())
    assert len(dataset.samples) == 7
    assert list(dataset.attributes) == FEATURES
    sample = dataset.samples[0]
    assert sample.mask is None
    assert list(sample.attributes) == FEATURES
    assert sample.attributes["streaks"] == SuperpixelFeature(
        root / "ISIC-2017_Training_Data/ISIC_0000000_superpixels.png",
        root / PART2 / "ISIC_0000000_features.json",
        "streaks",
    )


def test_parts_1_and_2_go_together(make_dataset: MakeDataset) -> None:
    make_dataset("isic2017")
    dataset = open_dataset(make_dataset("isic2017_part2"))
    assert (dataset.orphans, dataset.gaps) == ((), ())
    for sample in dataset.samples:
        assert sample.mask is not None
        assert len(sample.attributes) == 4


def test_features_or_superpixels_that_are_missing_are_gaps(make_dataset: MakeDataset) -> None:
    root = make_dataset("isic2017_part2")
    (root / PART2 / "ISIC_0000000_features.json").unlink()
    (root / "ISIC-2017_Training_Data/ISIC_0000001_superpixels.png").unlink()
    dataset = open_dataset(root)
    assert [len(sample.attributes) for sample in dataset.samples] == [0, 0, 4, 4, 4, 4, 4]
    assert list(map(str, dataset.gaps)) == [
        "ISIC_0000000.jpg: no ISIC_0000000_features.json, so that its attributes are not known",
        "ISIC_0000001.jpg: no ISIC_0000001_superpixels.png, so that its attributes are not known",
    ]


def test_additional_files_of_part_2_are_orphans(make_dataset: MakeDataset) -> None:
    root = make_dataset("isic2017_part2")
    for name in ("ISIC_0009999_features.json", "features.json", "LICENSE.txt", "._a.json"):
        (root / PART2 / name).write_text("")
    assert list(map(str, open_dataset(root).orphans)) == [
        "ISIC_0009999_features.json: features without image",
        "features.json: not a file name of this dataset",
    ]


@pytest.mark.parametrize("name", ["isic2017_part2", "isic2018_task2"])
def test_attributes_are_split_like_any_images(name: str, make_dataset: MakeDataset) -> None:
    dataset = open_dataset(make_dataset(name))
    split = create_split(dataset.samples, seed=1)
    assert sum(map(len, split.parts.values())) == len(dataset.samples)
    official = official_split(dataset)
    assert official is not None
    assert set(official.parts) == {"train", "validation", "test"}
