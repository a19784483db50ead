"""Fingerprints of images."""

from __future__ import annotations

import cv2
import numpy as np
import pytest

from dermseg.phantom import create_phantom
from dermseg.preprocessing import DISCS, create_fingerprint, describe_discs
from dermseg.types import ImageArray


def central(image: ImageArray) -> np.ndarray:
    vectors: np.ndarray = describe_discs(create_fingerprint(image).harmonics)
    return np.asarray(vectors[0])


@pytest.fixture(scope="module")
def image() -> ImageArray:
    return create_phantom(3).image


def test_shapes_and_size(image: ImageArray) -> None:
    fingerprint = create_fingerprint(image)
    assert fingerprint.size == (192, 256)
    assert fingerprint.detail.shape == fingerprint.background.shape == (96, 96)
    assert fingerprint.detail.dtype == np.uint8
    assert fingerprint.harmonics.shape == (len(DISCS), 8, 7, 3)
    assert describe_discs(fingerprint.harmonics).shape == (len(DISCS), 198)


@pytest.mark.parametrize("num_quarters", [1, 2, 3])
@pytest.mark.parametrize("is_mirrored", [False, True])
def test_turning_and_mirroring_hardly_matter(
    image: ImageArray, num_quarters: int, *, is_mirrored: bool
) -> None:
    changed = np.rot90(image[:, ::-1] if is_mirrored else image, num_quarters)
    distance = np.linalg.norm(central(np.ascontiguousarray(changed)) - central(image))
    assert distance < 0.05
    assert np.linalg.norm(central(create_phantom(4).image) - central(image)) > 0.4


def test_any_angle_hardly_matters(image: ImageArray) -> None:
    matrix = cv2.getRotationMatrix2D((127.5, 95.5), 33, 1)
    changed = np.asarray(cv2.warpAffine(image, matrix, (256, 192)), np.uint8)
    assert np.linalg.norm(central(changed) - central(image)) < 0.25


def test_contrast_and_brightness_hardly_matter(image: ImageArray) -> None:
    changed = (image * 0.6 + 30).astype(np.uint8)
    assert np.linalg.norm(central(changed) - central(image)) < 0.1


def test_an_image_without_structure_has_a_description_near_zero() -> None:
    assert np.linalg.norm(central(np.full((50, 70, 3), 128, np.uint8))) < 1e-3
    assert np.isfinite(central(np.zeros((1, 1, 3), np.uint8))).all()
