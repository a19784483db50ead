"""Mean and standard deviation of the training images."""

from __future__ import annotations

import numpy as np
import pytest
from pydantic import ValidationError

from dermseg.preprocessing import UNIT_RANGE, Normalization, fit_normalization, to_unit_range


def test_fit_by_hand_on_two_images_of_different_sizes() -> None:
    black = np.zeros((1, 1, 3), np.uint8)
    mixed = np.zeros((1, 3, 3), np.uint8)
    mixed[..., 0] = 255
    mixed[0, 0, 1] = 255
    normalization = fit_normalization([black, mixed])
    # Red is 0, 1, 1, 1; green 0, 1, 0, 0; blue 0 everywhere: each pixel counts the same.
    assert normalization.mean == (0.75, 0.25, 0.0)
    expected = np.sqrt(0.75 * 0.25)
    assert normalization.std[:2] == pytest.approx((expected, expected), abs=1e-5)


def test_fit_equals_numpy_over_all_pixels() -> None:
    generator = np.random.default_rng(0)
    images = [generator.integers(0, 256, (h, 8, 3), dtype=np.uint8) for h in (4, 7, 16)]
    pixels = np.concatenate([image.reshape(-1, 3) for image in images]) / 255
    normalization = fit_normalization(image for image in images)
    assert normalization.mean == pytest.approx(pixels.mean(axis=0), abs=1e-5)
    assert normalization.std == pytest.approx(pixels.std(axis=0), abs=1e-5)


def test_one_colour_does_not_divide_by_zero() -> None:
    image = np.full((4, 4, 3), 100, np.uint8)
    normalization = fit_normalization([image])
    assert min(normalization.std) > 0
    assert np.isfinite(normalization.apply(to_unit_range(image))).all()


def test_fit_without_images_is_refused() -> None:
    with pytest.raises(ValueError, match="at least one image"):
        fit_normalization([])


def test_normalised_training_images_have_mean_zero_and_deviation_one() -> None:
    image = np.random.default_rng(1).integers(0, 256, (32, 32, 3), dtype=np.uint8)
    result = fit_normalization([image]).apply(to_unit_range(image))
    assert result.mean(axis=(1, 2)) == pytest.approx([0, 0, 0], abs=1e-4)
    assert result.std(axis=(1, 2)) == pytest.approx([1, 1, 1], abs=1e-4)


def test_channels_come_first_and_keep_their_order() -> None:
    image = np.zeros((2, 3, 3), np.float32)
    image[..., 2] = 1
    result = Normalization(mean=(0, 0, 0.5), std=(1, 1, 0.25)).apply(image)
    assert result.shape == (3, 2, 3)
    assert result.dtype == np.float32
    assert result.flags.c_contiguous
    assert result[:, 0, 0].tolist() == [0.0, 0.0, 2.0]


def test_unit_range_changes_nothing() -> None:
    image = np.random.default_rng(2).random((4, 5, 3), dtype=np.float32)
    assert np.array_equal(UNIT_RANGE.apply(image), image.transpose(2, 0, 1))


def test_normalisation_survives_json() -> None:
    image = np.random.default_rng(3).integers(0, 256, (8, 8, 3), dtype=np.uint8)
    normalization = fit_normalization([image])
    assert Normalization.model_validate_json(normalization.model_dump_json()) == normalization


def test_normalisation_cannot_be_changed() -> None:
    with pytest.raises(ValidationError, match="frozen"):
        UNIT_RANGE.mean = (1.0, 1.0, 1.0)  # type: ignore[misc]
