"""Masks of several classes of one image."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from dermseg.datasets import LESION, find_class_mask, read_class_mask, read_class_masks
from dermseg.datasets.superpixels import write_features
from dermseg.errors import DatasetError, ImageError
from dermseg.images import write_image, write_mask
from dermseg.types import Sample, SuperpixelFeature

LEFT = np.array([[True, True, False, False]] * 3)
EMPTY = np.zeros_like(LEFT)
# Superpixels in columns.
COLUMNS = np.broadcast_to(np.arange(4, dtype=np.uint8), (3, 4))
MAP = np.stack([COLUMNS, COLUMNS * 0, COLUMNS * 0], axis=2)


@pytest.fixture
def files(tmp_path: Path) -> Sample:
    """An image with files of masks; globules are known to be absent, streaks are not known."""
    write_mask(tmp_path / "lesion.png", ~EMPTY)
    write_mask(tmp_path / "network.png", LEFT)
    write_mask(tmp_path / "globules.png", EMPTY)
    return Sample(
        *("a", tmp_path / "a.jpg", tmp_path / "lesion.png"),
        group="a",
        attributes={
            "globules": tmp_path / "globules.png",
            "pigment_network": tmp_path / "network.png",
        },
    )


@pytest.fixture
def superpixels(tmp_path: Path) -> Sample:
    """An image with features of superpixels."""
    write_image(tmp_path / "map.png", MAP)
    flags = {
        "pigment_network": np.array([True, True, False, False]),
        "streaks": np.array([False, True, False, True]),
    }
    write_features(tmp_path / "flags.json", flags)
    return Sample(
        *("a", tmp_path / "a.jpg", None),
        group="a",
        attributes={
            name: SuperpixelFeature(tmp_path / "map.png", tmp_path / "flags.json", name)
            for name in flags
        },
    )


def test_a_mask_file_and_a_feature_of_superpixels_are_read_alike(
    files: Sample, superpixels: Sample
) -> None:
    for sample in (files, superpixels):
        assert np.array_equal(read_class_mask(sample.attributes["pigment_network"]), LEFT)


def test_masks_come_in_the_order_of_the_classes(superpixels: Sample) -> None:
    read = read_class_masks(superpixels, ["streaks", "pigment_network"])
    assert read.masks.shape == (2, 3, 4)
    assert read.masks[:, 0].tolist() == [[False, True, False, True], [True, True, False, False]]
    assert read.known.tolist() == [True, True]


def test_what_is_not_known_is_told_from_what_is_absent(files: Sample) -> None:
    read = read_class_masks(files, ["globules", "streaks", LESION, "pigment_network"])
    assert read.known.tolist() == [True, False, True, True]
    assert read.masks.any(axis=(1, 2)).tolist() == [False, False, True, True]
    assert read.masks[2].all()


def test_the_lesion_is_a_class_where_it_is_known(files: Sample, superpixels: Sample) -> None:
    assert find_class_mask(files, LESION) == files.mask
    assert find_class_mask(superpixels, LESION) is None
    assert find_class_mask(superpixels, "globules") is None


def test_an_image_of_which_nothing_is_known_is_refused(superpixels: Sample) -> None:
    with pytest.raises(
        DatasetError, match="a has no mask of lesion or globules; it has pigment_network, streaks"
    ):
        read_class_masks(superpixels, [LESION, "globules"])


def test_masks_of_different_sizes_are_refused(files: Sample, tmp_path: Path) -> None:
    write_mask(tmp_path / "globules.png", EMPTY[:, :3])
    with pytest.raises(DatasetError, match="globules 3x3, pigment_network 4x3"):
        read_class_masks(files, ["globules", "pigment_network"])


def test_features_of_another_map_are_refused(superpixels: Sample, tmp_path: Path) -> None:
    write_image(tmp_path / "map.png", MAP + np.array([1, 0, 0], np.uint8))
    with pytest.raises(
        DatasetError, match=r"flags\.json, with map\.png: the map has 5 superpixels"
    ):
        read_class_mask(superpixels.attributes["streaks"])


def test_a_feature_that_the_file_lacks_is_named(tmp_path: Path, superpixels: Sample) -> None:
    feature = SuperpixelFeature(tmp_path / "map.png", tmp_path / "flags.json", "globules")
    with pytest.raises(ImageError, match="globules is not in it, only pigment_network, streaks"):
        read_class_mask(feature)
    assert "globules" not in superpixels.attributes


def test_samples_with_attributes_can_be_hashed(files: Sample) -> None:
    assert len({files, files}) == 1
