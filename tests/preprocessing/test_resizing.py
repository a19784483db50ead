"""Resizing of images, masks and probabilities."""

from __future__ import annotations

from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from numpy.typing import NDArray

from dermseg.preprocessing import resize_image, resize_mask, resize_probability
from dermseg.types import BoolMask

SIDES = st.integers(1, 12)


def covered_share(mask: BoolMask, size: tuple[int, int]) -> NDArray[np.object_]:
    """The share of each new pixel that the mask covers, as exact fractions."""
    rows = _overlaps(mask.shape[0], size[0])
    columns = _overlaps(mask.shape[1], size[1])
    return np.array(
        [
            [
                sum(
                    (y * x for i, y in row.items() for j, x in column.items() if mask[i, j]),
                    Fraction(0),
                )
                for column in columns
            ]
            for row in rows
        ],
        dtype=object,
    )


def _overlaps(old: int, new: int) -> list[dict[int, Fraction]]:
    """For each new pixel along one side, the share of it that each old one makes up."""
    width = Fraction(old, new)
    return [
        {
            j: overlap / width
            for j in range(old)
            if (overlap := min((i + 1) * width, Fraction(j + 1)) - max(i * width, Fraction(j))) > 0
        }
        for i in range(new)
    ]


def test_pixel_is_set_where_half_of_it_was_set() -> None:
    mask = np.array([[1, 1, 0, 0, 1, 0], [1, 1, 0, 1, 1, 0]], dtype=np.bool_)
    # 4 of 4 pixels, 1 of 4, 2 of 4.
    assert resize_mask(mask, (1, 3)).tolist() == [[True, False, True]]


def test_half_of_fractions_of_pixels_counts_as_half() -> None:
    # New pixels are 2.4 columns wide; OpenCV's float32 sum is 0.49999997 in one of them.
    mask = np.array([[True] * 12, [False] * 12])
    assert set(covered_share(mask, (1, 5)).ravel()) == {Fraction(1, 2)}
    assert resize_mask(mask, (1, 5)).all()


@given(mask=arrays(np.bool_, st.tuples(SIDES, SIDES)), size=st.tuples(SIDES, SIDES))
def test_shrunk_mask_equals_the_rule_in_exact_fractions(
    mask: BoolMask, size: tuple[int, int]
) -> None:
    size = (min(size[0], mask.shape[0]), min(size[1], mask.shape[1]))
    expected = covered_share(mask, size) >= Fraction(1, 2)
    assert np.array_equal(resize_mask(mask, size), expected.astype(np.bool_))


def test_mask_of_the_same_size_is_unchanged() -> None:
    mask = np.random.default_rng(0).random((17, 31)) < 0.5
    assert np.array_equal(resize_mask(mask, (17, 31)), mask)


def test_doubled_mask_keeps_its_area() -> None:
    mask = np.zeros((8, 8), dtype=np.bool_)
    mask[2:6, 3:7] = True
    assert np.array_equal(resize_mask(mask, (16, 16)), mask.repeat(2, axis=0).repeat(2, axis=1))


@pytest.mark.parametrize("value", [0, 1, 127, 128, 254, 255])
@pytest.mark.parametrize("size", [(7, 9), (64, 48), (200, 3), (1, 1), (301, 299)])
def test_constant_image_stays_constant(value: int, size: tuple[int, int]) -> None:
    image = np.full((61, 47, 3), value, dtype=np.uint8)
    resized = resize_image(image, size)
    assert resized.shape == (*size, 3)
    assert resized.dtype == np.uint8
    assert (resized == value).all()


def test_size_is_height_then_width() -> None:
    assert resize_image(np.zeros((10, 20, 3), np.uint8), (4, 6)).shape == (4, 6, 3)
    assert resize_mask(np.zeros((10, 20), np.bool_), (4, 6)).shape == (4, 6)
    assert resize_probability(np.zeros((10, 20), np.float32), (4, 6)).shape == (4, 6)


def test_halved_image_is_the_mean_of_blocks() -> None:
    image = np.random.default_rng(0).integers(0, 256, (12, 20, 3), dtype=np.uint8)
    blocks = image.reshape(6, 2, 10, 2, 3).mean(axis=(1, 3))
    assert np.abs(resize_image(image, (6, 10)) - blocks).max() <= 0.5


@pytest.mark.parametrize("height", [5, 24, 50])
def test_stripes_are_averaged_whatever_happens_to_the_other_side(height: int) -> None:
    image = np.zeros((24, 1000, 3), np.uint8)
    image[:, ::2] = 255
    resized = resize_image(image, (height, 100))
    assert np.abs(resized.astype(int) - 127.5).max() <= 1


def test_enlarged_image_lies_between_its_pixels() -> None:
    image = np.zeros((2, 2, 3), np.uint8)
    image[:, 1] = 200
    resized = resize_image(image, (2, 4))
    assert resized[0, :, 0].tolist() == [0, 50, 150, 200]


def test_enlarged_probability_is_bilinear_by_hand() -> None:
    probability = np.array([[0.0, 1.0]], np.float32)
    assert resize_probability(probability, (1, 4)).tolist() == [[0.0, 0.25, 0.75, 1.0]]


@given(
    probability=arrays(np.float32, st.tuples(SIDES, SIDES), elements=st.floats(0, 1, width=32)),
    size=st.tuples(st.integers(1, 60), st.integers(1, 60)),
)
def test_probability_keeps_its_range(
    probability: NDArray[np.float32], size: tuple[int, int]
) -> None:
    resized = resize_probability(probability, size)
    assert resized.dtype == np.float32
    assert resized.shape == size
    assert resized.min() >= 0
    assert resized.max() <= 1
    # Up to rounding, no value lies outside those it was made from.
    assert resized.min() >= probability.min() - 1e-6
    assert resized.max() <= probability.max() + 1e-6
