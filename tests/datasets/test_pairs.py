"""Pairs before augmentation."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from dermseg.datasets import open_dataset
from dermseg.datasets.pairs import NativePairs, prepare_pair, read_pair
from dermseg.errors import DatasetError, ImageError
from dermseg.images import read_image, read_mask, write_image, write_mask
from dermseg.preprocessing import resize_image, resize_mask
from dermseg.recipes import Cleaning
from dermseg.types import Sample


def test_pair_of_different_sizes_is_refused(tmp_path: Path) -> None:
    write_image(tmp_path / "a.png", np.zeros((8, 6, 3), np.uint8))
    write_mask(tmp_path / "a_mask.png", np.zeros((6, 8), np.bool_))
    sample = Sample("a", tmp_path / "a.png", tmp_path / "a_mask.png", group="a")
    with pytest.raises(DatasetError, match="a: the image is 6x8 and its mask 8x6"):
        read_pair(sample)


def test_pair_without_a_mask_or_with_a_damaged_one_is_refused(tmp_path: Path) -> None:
    write_image(tmp_path / "a.png", np.zeros((8, 6, 3), np.uint8))
    with pytest.raises(DatasetError, match="a has no mask"):
        read_pair(Sample("a", tmp_path / "a.png", None, group="a"))
    (tmp_path / "mask.png").write_bytes(b"")
    with pytest.raises(ImageError, match=r"mask\.png"):
        read_pair(Sample("a", tmp_path / "a.png", tmp_path / "mask.png", group="a"))


def test_each_size_is_made_from_the_native_pair(disc_dataset: Path) -> None:
    sample = open_dataset(disc_dataset).samples[0]
    assert sample.mask is not None
    sizes = [(12, 16), (24, 32)]
    for size, (image, mask) in zip(sizes, prepare_pair(sample, sizes, Cleaning()), strict=True):
        assert np.array_equal(image, resize_image(read_image(sample.image), size))
        assert np.array_equal(mask, resize_mask(read_mask(sample.mask), size))


def test_mask_is_cropped_like_its_image(tmp_path: Path) -> None:
    # A bright disc of view in the middle of a dark frame; the lesion fills its upper left part.
    y, x = np.mgrid[:80, :160]
    field = (x - 80) ** 2 + (y - 40) ** 2 <= 36**2
    image = np.where(field[..., None], [220, 180, 160], [0, 0, 0]).astype(np.uint8)
    write_image(tmp_path / "a.png", image)
    write_mask(tmp_path / "m.png", field & (x < 80) & (y < 40))
    sample = Sample("a", tmp_path / "a.png", tmp_path / "m.png", group="a")
    image, mask = NativePairs(Cleaning(crop_field=True))(sample, (36, 36))
    lesion = image[mask].mean(axis=0)
    assert mask[:16, :16].mean() > 0.6
    assert not mask[:, 20:].any()
    assert not mask[20:].any()
    assert lesion.min() > 120  # all of it in the field
