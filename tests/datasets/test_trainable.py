"""Official validation and test parts are not prepared for training."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from dermseg.datasets import open_dataset, trainable
from dermseg.errors import DatasetError

MakeDataset = Callable[[str], Path]


def test_official_parts_for_evaluation_are_left_out(make_dataset: MakeDataset) -> None:
    dataset = open_dataset(make_dataset("isic2017"))
    assert [sample.id for sample in trainable([dataset])] == [
        "ISIC_0000000",
        "ISIC_0000001",
        "ISIC_0000002",
    ]


def test_all_images_count_where_there_are_no_parts(make_dataset: MakeDataset) -> None:
    dataset = open_dataset(make_dataset("folder"))
    assert trainable([dataset]) == list(dataset.samples)


def test_nothing_to_train_on_is_refused(make_files: Callable[..., Path]) -> None:
    root = make_files(["ISIC-2017_Training_Data/ISIC_0000000.jpg"])
    with pytest.raises(DatasetError, match="no image to train on"):
        trainable([open_dataset(root)])
