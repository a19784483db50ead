"""Small trees in the layouts of the datasets."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from pathlib import Path

import pytest

_ISIC2017 = [
    f"ISIC-2017_{part}_{name}"
    for part, numbers in {"Training": (0, 1, 2), "Validation": (3, 4), "Test_v2": (5, 6)}.items()
    for number in numbers
    for name in (
        f"Data/ISIC_{number:07}.jpg",
        f"Data/ISIC_{number:07}_superpixels.png",
        f"Part1_GroundTruth/ISIC_{number:07}_segmentation.png",
    )
]
_TREES = {
    "isic2017": _ISIC2017,
    "folder": [
        *("images/a.jpg", "images/b.PNG", "images/c.bmp", "images/notes.txt"),
        *("masks/a_segmentation.png", "masks/b_mask.png", "masks/c.png"),
    ],
}


@pytest.fixture
def make_files(tmp_path: Path) -> Callable[[Iterable[str]], Path]:
    """Make files with their path as content in a folder, and return the folder."""

    def make(names: Iterable[str]) -> Path:
        root = tmp_path / "data"
        for name in names:
            path = root / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(name)
        return root

    return make


@pytest.fixture
def make_dataset(make_files: Callable[[Iterable[str]], Path]) -> Callable[[str], Path]:
    """Make a complete small download of a dataset, and return its folder."""
    return lambda name: make_files(_TREES[name])
