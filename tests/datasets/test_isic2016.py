from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from dermseg.datasets import open_dataset


def test_masks_end_in_a_capital_segmentation(make_dataset: Callable[[str], Path]) -> None:
    root = make_dataset("isic2016")
    masks = [sample.mask for sample in open_dataset(root).part("test")]
    folder = root / "ISBI2016_ISIC_Part1_Test_GroundTruth"
    assert masks == [
        folder / "ISIC_0000003_Segmentation.png",
        folder / "ISIC_0000004_Segmentation.png",
    ]
