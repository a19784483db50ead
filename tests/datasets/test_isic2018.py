from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from dermseg.datasets import open_dataset


def test_every_part_has_its_own_images(make_dataset: Callable[[str], Path]) -> None:
    dataset = open_dataset(make_dataset("isic2018"))
    parts = {sample.id: sample.part for sample in dataset.samples}
    assert parts == {
        "ISIC_0000000": "train",
        "ISIC_0000001": "train",
        "ISIC_0000002": "train",
        "ISIC_0000003": "validation",
        "ISIC_0000004": "test",
    }
