from __future__ import annotations

from collections.abc import Callable, Iterable
from pathlib import Path

import pytest

from dermseg.datasets import ImageFolder, open_dataset
from dermseg.errors import DatasetError

MakeFiles = Callable[[Iterable[str]], Path]


def test_masks_may_be_named_in_three_ways(make_files: MakeFiles) -> None:
    names = ["images/a.jpg", "images/b.jpg", "images/c.jpg"]
    masks = ["masks/a_segmentation.png", "masks/b.png", "masks/c_mask.png"]
    root = make_files([*names, *masks])
    samples = ImageFolder.index(root).samples
    assert [sample.mask for sample in samples] == [root / mask for mask in masks]


def test_files_are_not_paired_by_their_order(make_files: MakeFiles) -> None:
    root = make_files(["images/1.jpg", "images/10.jpg", "images/2.jpg", "masks/2.png"])
    index = ImageFolder.index(root)
    assert [(sample.id, sample.mask) for sample in index.samples] == [("2", root / "masks/2.png")]
    assert [orphan.path.name for orphan in index.orphans] == ["1.jpg", "10.jpg"]


def test_an_image_whose_name_ends_like_a_mask_keeps_its_name(make_files: MakeFiles) -> None:
    root = make_files(["images/skin_mask.jpg", "images/skin.jpg"])
    (root / "masks").mkdir()
    for name in ("skin_mask.png", "skin.png"):
        (root / "masks" / name).touch()
    masks = {sample.id: sample.mask for sample in ImageFolder.index(root).samples}
    assert masks == {"skin": root / "masks/skin.png", "skin_mask": root / "masks/skin_mask.png"}


def test_without_a_folder_of_masks_samples_have_no_truth(make_files: MakeFiles) -> None:
    dataset = open_dataset(make_files(["images/a.jpg"]))
    assert [(sample.id, sample.mask, sample.part) for sample in dataset.samples] == [
        ("a", None, None)
    ]


def test_two_masks_of_one_image_are_refused_with_both_files(make_files: MakeFiles) -> None:
    root = make_files(["images/a.jpg", "masks/a.png", "masks/a_mask.png"])
    with pytest.raises(DatasetError, match=r"id 'a'.*a\.png and .*a_mask\.png"):
        open_dataset(root)


def test_a_folder_has_no_official_parts(make_files: MakeFiles) -> None:
    dataset = open_dataset(make_files(["images/a.jpg"]))
    with pytest.raises(DatasetError, match="it has no official parts"):
        dataset.part("train")
