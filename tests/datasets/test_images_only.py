"""Images in a plain folder."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from pathlib import Path

import pytest

from dermseg.datasets import open_images
from dermseg.errors import DatasetError

MakeFiles = Callable[[Iterable[str]], Path]


def test_what_lies_beside_the_images_is_no_image(make_files: MakeFiles) -> None:
    names = ("a.jpg", "a_segmentation.png", "a_superpixels.png", "a_overlay.jpg", "skin_mask.png")
    root = make_files([*(f"photos/{name}" for name in names), "photos/deeper/b.jpg"])
    dataset = open_images(root / "photos")
    assert [(sample.id, sample.mask) for sample in dataset.samples] == [
        ("a", None),
        ("skin_mask", None),
    ]


def test_a_folder_that_is_missing_or_holds_no_image_is_refused(make_files: MakeFiles) -> None:
    root = make_files(["photos/a.txt"])
    with pytest.raises(DatasetError, match="gone: no such folder"):
        open_images(root / "gone")
    with pytest.raises(DatasetError, match="no image lies directly in this folder"):
        open_images(root / "photos")
