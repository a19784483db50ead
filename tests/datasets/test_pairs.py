"""Images and masks of classes before augmentation."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from dermseg.datasets import LESION, open_dataset
from dermseg.datasets.pairs import NativePairs, Preparation, prepare_pair
from dermseg.datasets.superpixels import write_features
from dermseg.errors import DatasetError, ImageError
from dermseg.images import read_image, read_mask, write_image, write_mask
from dermseg.preprocessing import resize_image, resize_mask
from dermseg.recipes import Cleaning
from dermseg.types import Sample, SuperpixelFeature

PLAIN = Preparation(Cleaning())


def test_pair_of_different_sizes_is_refused(tmp_path: Path) -> None:
    write_image(tmp_path / "a.png", np.zeros((8, 6, 3), np.uint8))
    write_mask(tmp_path / "a_mask.png", np.zeros((6, 8), np.bool_))
    sample = Sample("a", tmp_path / "a.png", tmp_path / "a_mask.png", group="a")
    with pytest.raises(DatasetError, match="a: the image is 6x8 and its mask 8x6"):
        NativePairs(PLAIN)(sample, (4, 4))


def test_pair_without_a_mask_or_with_a_damaged_one_is_refused(tmp_path: Path) -> None:
    write_image(tmp_path / "a.png", np.zeros((8, 6, 3), np.uint8))
    with pytest.raises(DatasetError, match="a has no mask"):
        NativePairs(PLAIN)(Sample("a", tmp_path / "a.png", None, group="a"), (4, 4))
    (tmp_path / "mask.png").write_bytes(b"")
    damaged = Sample("a", tmp_path / "a.png", tmp_path / "mask.png", group="a")
    with pytest.raises(ImageError, match=r"mask\.png"):
        NativePairs(PLAIN)(damaged, (4, 4))


def test_each_size_is_made_from_the_native_pair(disc_dataset: Path) -> None:
    sample = open_dataset(disc_dataset).samples[0]
    assert sample.mask is not None
    sizes = [(12, 16), (24, 32)]
    for size, pair in zip(sizes, prepare_pair(sample, sizes, PLAIN), strict=True):
        assert np.array_equal(pair.image, resize_image(read_image(sample.image), size))
        assert np.array_equal(pair.masks, [resize_mask(read_mask(sample.mask), size)])
        assert pair.known.tolist() == [True]


def test_mask_is_cropped_like_its_image(tmp_path: Path) -> None:
    # A bright disc of view in the middle of a dark frame; the lesion fills its upper left part.
    y, x = np.mgrid[:80, :160]
    field = (x - 80) ** 2 + (y - 40) ** 2 <= 36**2
    image = np.where(field[..., None], [220, 180, 160], [0, 0, 0]).astype(np.uint8)
    write_image(tmp_path / "a.png", image)
    write_mask(tmp_path / "m.png", field & (x < 80) & (y < 40))
    sample = Sample("a", tmp_path / "a.png", tmp_path / "m.png", group="a")
    pair = NativePairs(Preparation(Cleaning(crop_field=True)))(sample, (36, 36))
    image, (mask,) = pair.image, pair.masks
    lesion = image[mask].mean(axis=0)
    assert mask[:16, :16].mean() > 0.6
    assert not mask[:, 20:].any()
    assert not mask[20:].any()
    assert lesion.min() > 120  # all of it in the field


@pytest.fixture
def sample(tmp_path: Path) -> Sample:
    """A bright disc of view on a dark frame; the lesion fills its left, streaks the upper left."""
    y, x = np.mgrid[:80, :160]
    field = (x - 80) ** 2 + (y - 40) ** 2 <= 36**2
    image = np.where(field[..., None], [220, 180, 160], [0, 0, 0]).astype(np.uint8)
    write_image(tmp_path / "a.png", image)
    write_mask(tmp_path / "lesion.png", field & (x < 80))
    write_mask(tmp_path / "streaks.png", field & (x < 80) & (y < 40))
    return Sample(
        *("a", tmp_path / "a.png", tmp_path / "lesion.png"),
        group="a",
        attributes={"streaks": tmp_path / "streaks.png"},
    )


def test_masks_of_all_classes_are_cropped_and_resized_alike(sample: Sample) -> None:
    pairs = NativePairs(Preparation(Cleaning(crop_field=True), ("streaks", "globules", LESION)))
    pair = pairs(sample, (36, 36))
    assert pair.masks.shape == (3, 36, 36)
    streaks, globules, lesion = pair.masks
    assert pair.known.tolist() == [True, False, True]
    assert not globules.any()
    assert np.array_equal(streaks[:17], lesion[:17])
    assert not streaks[19:].any()
    assert lesion[19:, :16].any()
    assert not lesion[:, 19:].any()
    assert pair.image[lesion].mean(axis=0).min() > 120  # all of it in the field


def test_each_size_is_made_from_the_native_masks(sample: Sample) -> None:
    sizes = [(12, 16), (20, 40)]
    prepared = prepare_pair(sample, sizes, Preparation(Cleaning(), ("streaks",)))
    for size, pair in zip(sizes, prepared, strict=True):
        single = NativePairs(Preparation(Cleaning(), ("streaks",)))(sample, size)
        assert pair.image.shape == (*size, 3)
        assert np.array_equal(pair.masks, single.masks)


def test_masks_of_another_size_than_the_image_are_refused(sample: Sample, tmp_path: Path) -> None:
    write_mask(tmp_path / "streaks.png", np.zeros((80, 150), np.bool_))
    with pytest.raises(DatasetError, match=r"160x80 and its mask 150x80 .*streaks\.png"):
        NativePairs(Preparation(Cleaning(), ("globules", "streaks")))(sample, (24, 32))


def test_superpixels_of_another_size_than_the_image_are_refused(
    sample: Sample, tmp_path: Path
) -> None:
    write_image(tmp_path / "map.png", np.zeros((4, 4, 3), np.uint8))
    write_features(tmp_path / "flags.json", {"streaks": np.array([True])})
    feature = SuperpixelFeature(tmp_path / "map.png", tmp_path / "flags.json", "streaks")
    other = Sample("a", sample.image, None, group="a", attributes={"streaks": feature})
    with pytest.raises(DatasetError, match=r"160x80 and its mask 4x4 .*map\.png"):
        NativePairs(Preparation(Cleaning(), ("streaks",)))(other, (24, 32))


@pytest.mark.data
def test_the_official_sample_keeps_its_shares(real_data: Path) -> None:
    dataset = open_dataset(real_data / "isic2018_task2_sample")
    classes = (*dataset.attributes, LESION)
    pair = NativePairs(Preparation(Cleaning(), classes))(dataset.samples[0], (192, 256))
    shares = dict(zip(classes, pair.masks.mean(axis=(1, 2)), strict=True))
    assert shares["pigment_network"] == pytest.approx(0.2112, abs=0.005)
    assert shares[LESION] == pytest.approx(0.4697, abs=0.005)
    assert pair.known.all()
