"""Images and masks of several classes before augmentation."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from dermseg.datasets import LESION, open_dataset
from dermseg.datasets.class_pairs import NativeClassPairs, prepare_class_pair
from dermseg.datasets.pairs import NativePairs
from dermseg.datasets.superpixels import write_features
from dermseg.errors import DatasetError
from dermseg.images import write_image, write_mask
from dermseg.recipes import Cleaning
from dermseg.types import Sample, SuperpixelFeature


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


def test_the_lesion_alone_is_as_in_a_pair(sample: Sample) -> None:
    for cleaning in (Cleaning(), Cleaning(crop_field=True)):
        image, mask = NativePairs(cleaning)(sample, (24, 32))
        pair = NativeClassPairs((LESION,), cleaning)(sample, (24, 32))
        assert np.array_equal(pair.image, image)
        assert np.array_equal(pair.masks, mask[None])
        assert pair.known.tolist() == [True]


def test_masks_of_all_classes_are_cropped_and_resized_alike(sample: Sample) -> None:
    pairs = NativeClassPairs(("streaks", "globules", LESION), Cleaning(crop_field=True))
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
    prepared = prepare_class_pair(sample, ["streaks"], sizes, Cleaning())
    for size, pair in zip(sizes, prepared, strict=True):
        single = NativeClassPairs(("streaks",), Cleaning())(sample, size)
        assert pair.image.shape == (*size, 3)
        assert np.array_equal(pair.masks, single.masks)


def test_masks_of_another_size_than_the_image_are_refused(sample: Sample, tmp_path: Path) -> None:
    write_mask(tmp_path / "streaks.png", np.zeros((80, 150), np.bool_))
    with pytest.raises(DatasetError, match=r"160x80 and its mask 150x80 .*streaks\.png"):
        NativeClassPairs(("globules", "streaks"), Cleaning())(sample, (24, 32))


def test_superpixels_of_another_size_than_the_image_are_refused(
    sample: Sample, tmp_path: Path
) -> None:
    write_image(tmp_path / "map.png", np.zeros((4, 4, 3), np.uint8))
    write_features(tmp_path / "flags.json", {"streaks": np.array([True])})
    feature = SuperpixelFeature(tmp_path / "map.png", tmp_path / "flags.json", "streaks")
    other = Sample("a", sample.image, None, group="a", attributes={"streaks": feature})
    with pytest.raises(DatasetError, match=r"160x80 and its mask 4x4 .*map\.png"):
        NativeClassPairs(("streaks",), Cleaning())(other, (24, 32))


@pytest.mark.data
def test_the_official_sample_keeps_its_shares(real_data: Path) -> None:
    dataset = open_dataset(real_data / "isic2018_task2_sample")
    classes = (*dataset.attributes, LESION)
    pair = NativeClassPairs(classes, Cleaning())(dataset.samples[0], (192, 256))
    shares = dict(zip(classes, pair.masks.mean(axis=(1, 2)), strict=True))
    assert shares["pigment_network"] == pytest.approx(0.2112, abs=0.005)
    assert shares[LESION] == pytest.approx(0.4697, abs=0.005)
    assert pair.known.all()
