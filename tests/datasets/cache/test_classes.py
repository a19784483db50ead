"""A cache holds masks of several classes, in one bit each."""

from __future__ import annotations

import json
import shutil
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from dermseg.datasets import LESION, Dataset, open_dataset
from dermseg.datasets.cache import CachedPairs, CacheReport, open_cache
from dermseg.datasets.pairs import NativePairs, Preparation
from dermseg.datasets.superpixels import write_features
from dermseg.errors import UsageError
from dermseg.images import write_image, write_mask
from dermseg.recipes import Cleaning
from dermseg.types import Sample, Size

SIZES: tuple[Size, ...] = ((12, 16), (24, 32))
ATTRIBUTES = ("globules", "milia_like_cyst", "negative_network", "pigment_network", "streaks")
PREPARATION = Preparation(Cleaning(), ATTRIBUTES)
CROPPED = Preparation(Cleaning(crop_field=True), (*ATTRIBUTES, LESION), 0.1)


@pytest.fixture
def isic2018(tmp_path: Path, attribute_dataset: Path) -> Dataset:
    """The first four images, to change and damage."""
    root = tmp_path / "isic2018"
    for path in sorted(attribute_dataset.rglob("ISIC_000000[0-3]*")):
        folder = root / path.parent.name
        folder.mkdir(parents=True, exist_ok=True)
        shutil.copy2(path, folder)
    return open_dataset(root)


def build(
    cache: Path, samples: tuple[Sample, ...], preparation: Preparation = PREPARATION
) -> tuple[int, int, int]:
    """Complete a cache, check all that it gives against the files, and count what was done."""
    with open_cache(cache, samples, sizes=SIZES, preparation=preparation, prune=True) as opened:
        pairs, report = opened
        assert report.failures == ()
        assert_right(pairs, samples, preparation)
    return counts(report)


def counts(report: CacheReport) -> tuple[int, int, int]:
    return report.num_prepared, report.num_kept, report.num_removed


def assert_right(pairs: CachedPairs, samples: tuple[Sample, ...], preparation: Preparation) -> None:
    native = NativePairs(preparation)
    for sample in samples:
        for size in SIZES:
            pair, expected = pairs(sample, size), native(sample, size)
            assert np.array_equal(pair.image, expected.image)
            assert np.array_equal(pair.masks, expected.masks)
            assert np.array_equal(pair.known, expected.known)
            assert pair.masks.shape == (len(preparation.classes), *size)
            assert pair.masks.dtype == pair.known.dtype == np.bool_


@pytest.mark.parametrize("preparation", [PREPARATION, CROPPED])
def test_masks_of_all_classes_are_kept(
    tmp_path: Path, isic2018: Dataset, preparation: Preparation
) -> None:
    assert build(tmp_path / "cache", isic2018.samples, preparation) == (4, 0, 0)
    assert build(tmp_path / "cache", isic2018.samples, preparation) == (0, 4, 0)
    masks = np.fromfile(tmp_path / "cache" / "masks-24x32.u8", np.uint8)
    assert len(masks) == 4 * 24 * 32
    assert masks.max() >= 1 << ATTRIBUTES.index("pigment_network")


def test_mask_that_is_edited_added_or_removed_is_followed(
    tmp_path: Path, isic2018: Dataset
) -> None:
    cache = tmp_path / "cache"
    build(cache, isic2018.samples)
    streaks = sorted((isic2018.root / "ISIC2018_Task2_Training_GroundTruth_v3").glob("*streaks*"))
    write_mask(streaks[1], np.ones((72, 96), np.bool_))
    streaks[2].unlink()
    samples = open_dataset(isic2018.root).samples
    assert build(cache, samples) == (2, 2, 2)
    index = json.loads((cache / "index.json").read_text())
    assert [("streaks" in row["known"]) for row in index["rows"]] == [True, True, False, True]
    # Lesions do not matter to attributes, unless images are cut to them.
    for path in (isic2018.root / "ISIC2018_Task1_Training_GroundTruth").iterdir():
        write_mask(path, np.ones((72, 96), np.bool_))
    assert build(cache, samples) == (0, 4, 0)
    assert build(cache, samples, CROPPED) == (4, 0, 4)
    write_mask(
        isic2018.root / "ISIC2018_Task1_Training_GroundTruth" / "ISIC_0000000_segmentation.png",
        np.zeros((72, 96), np.bool_),
    )
    assert build(cache, samples, CROPPED) == (1, 3, 1)


def test_other_classes_or_another_margin_make_all_again(tmp_path: Path, isic2018: Dataset) -> None:
    cache = tmp_path / "cache"
    build(cache, isic2018.samples)
    for preparation in (
        replace(PREPARATION, classes=ATTRIBUTES[:2]),
        replace(PREPARATION, classes=ATTRIBUTES[1::-1]),
        replace(CROPPED, crop_margin=0.1),
        replace(CROPPED, crop_margin=0.2),
    ):
        assert build(cache, isic2018.samples, preparation) == (4, 0, 4)


def test_image_of_known_presence_alone_has_a_row(tmp_path: Path, isic2018: Dataset) -> None:
    first, *rest = isic2018.samples
    told = replace(first, attributes={}, presence={"streaks": True})
    bare = replace(first, attributes={})
    assert build(tmp_path / "cache", (told, *rest)) == (4, 0, 0)
    with open_cache(tmp_path / "cache", [bare], sizes=SIZES, preparation=PREPARATION) as (
        _,
        report,
    ):
        (failure,) = report.failures
    assert "ISIC_0000000 has no mask of globules or milia_like_cyst" in str(failure.error)


def test_image_without_the_lesion_that_it_is_cut_to_is_named(
    tmp_path: Path, isic2018: Dataset
) -> None:
    first = replace(isic2018.samples[0], mask=None)
    with open_cache(tmp_path / "cache", [first], sizes=SIZES, preparation=CROPPED) as (_, report):
        (failure,) = report.failures
    assert "has no lesion mask, and lesion_crop cuts the image to it" in str(failure.error)


def test_features_of_superpixels_are_kept(tmp_path: Path) -> None:
    data = tmp_path / "isic2017" / "ISIC-2017_Training_Data"
    truth = tmp_path / "isic2017" / "ISIC-2017_Training_Part2_GroundTruth"
    data.mkdir(parents=True)
    truth.mkdir()
    labels = np.zeros((48, 96, 3), np.uint8)
    labels[..., 0] = np.arange(6).reshape(2, 3).repeat(24, axis=0).repeat(32, axis=1)
    for number in range(2):
        id = f"ISIC_{number:07}"
        write_image(data / f"{id}.jpg", np.full((48, 96, 3), 180, np.uint8))
        write_image(data / f"{id}_superpixels.png", labels)
        flags = {
            name: np.arange(6) == place + number
            for place, name in enumerate(
                ("milia_like_cyst", "negative_network", "pigment_network", "streaks")
            )
        }
        write_features(truth / f"{id}_features.json", flags)
    dataset = open_dataset(tmp_path / "isic2017")
    assert build(tmp_path / "cache", dataset.samples) == (2, 0, 0)
    with open_cache(tmp_path / "cache", dataset.samples, sizes=SIZES, preparation=PREPARATION) as (
        pairs,
        _,
    ):
        pair = pairs(dataset.samples[1], (24, 32))
    assert pair.known.tolist() == [False, True, True, True, True]
    # Superpixel 4, the second of the lower row, shows streaks.
    assert pair.masks[4, 18, 16]
    assert pair.masks[4].mean() == pytest.approx(1 / 6, abs=0.03)
    write_features(
        dataset.root / "ISIC-2017_Training_Part2_GroundTruth" / "ISIC_0000000_features.json",
        {"streaks": np.ones(6, np.bool_)}
        | {name: np.zeros(6, np.bool_) for name in ATTRIBUTES[1:4]},
    )
    assert build(tmp_path / "cache", dataset.samples) == (1, 1, 1)


def test_more_than_eight_classes_are_refused(tmp_path: Path, isic2018: Dataset) -> None:
    names = tuple(f"class_{number}" for number in range(8))
    preparation = Preparation(Cleaning(), (*names, LESION))
    with (
        pytest.raises(UsageError, match=r"at most 8 classes, but there are 9: .*without a cache"),
        open_cache(tmp_path / "c", isic2018.samples, sizes=SIZES, preparation=preparation),
    ):
        pass
    assert not (tmp_path / "c").exists()
