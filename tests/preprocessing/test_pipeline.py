"""The one path from an image to a network's input."""

from __future__ import annotations

import numpy as np
import pytest

from dermseg.preprocessing import UNIT_RANGE, Normalization, preprocess, to_unit_range


def test_unit_range_by_hand() -> None:
    image = np.array([[[0, 51, 255]]], np.uint8)
    values = to_unit_range(image)
    assert values.dtype == np.float32
    assert values[0, 0].tolist() == pytest.approx([0.0, 0.2, 1.0])


@pytest.mark.parametrize("native", [(10, 14), (192, 256), (300, 40)])
def test_input_has_the_networks_size_whatever_the_images(native: tuple[int, int]) -> None:
    image = np.zeros((*native, 3), np.uint8)
    result = preprocess(image, (48, 64), UNIT_RANGE)
    assert result.shape == (3, 48, 64)
    assert result.dtype == np.float32


def test_resized_then_normalised_by_hand() -> None:
    image = np.zeros((2, 2, 3), np.uint8)
    image[0] = 255
    normalization = Normalization(mean=(0.0, 0.25, 0.5), std=(1.0, 0.5, 0.25))
    # The mean of the pixels, 127.5, is rounded to 128: 128/255 = 0.50196.
    values = preprocess(image, (1, 1), normalization).ravel().tolist()
    grey = 128 / 255
    assert values == pytest.approx([grey, (grey - 0.25) / 0.5, (grey - 0.5) / 0.25], abs=1e-6)


def test_given_image_is_not_changed() -> None:
    image = np.full((4, 4, 3), 9, np.uint8)
    preprocess(image, (2, 2), UNIT_RANGE)
    assert (image == 9).all()
