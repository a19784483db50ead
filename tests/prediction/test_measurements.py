"""Size and shape of masks, against what can be worked out by hand."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from dermseg.prediction import measure


def ones(mask: np.ndarray) -> np.ndarray:
    return np.ones(mask.shape, dtype=np.float32)


def disc(radius: float, size: int = 160) -> np.ndarray:
    y, x = np.mgrid[:size, :size]
    mask: np.ndarray = (x - size / 2) ** 2 + (y - size / 2) ** 2 <= radius**2
    return mask


def test_a_disc_measures_as_geometry_says() -> None:
    mask = disc(50)
    measured = measure(mask, ones(mask))
    assert measured.area == np.count_nonzero(mask)
    assert measured.perimeter == pytest.approx(2 * math.pi * 50, rel=0.02)
    assert measured.circularity == pytest.approx(1, abs=0.04)
    assert measured.longest_diameter == pytest.approx(101, abs=1)
    assert measured.centroid == pytest.approx((80, 80))
    assert measured.box == (30, 30, 101, 101)
    assert measured.asymmetry == pytest.approx(0, abs=0.01)
    assert measured.num_regions == 1


def test_a_rectangle_measures_by_hand() -> None:
    mask = np.zeros((20, 40), dtype=bool)
    mask[4:10, 5:13] = True
    measured = measure(mask, np.where(mask, 0.75, 0.1).astype(np.float32))
    assert measured.area == 48
    assert measured.area_share == 48 / 800
    assert measured.box == (5, 4, 8, 6)
    assert measured.centroid == (8.5, 6.5)
    assert measured.longest_diameter == pytest.approx(10)
    assert measured.mean_probability == pytest.approx(0.75)
    assert measured.asymmetry == pytest.approx(0, abs=1e-6)


def test_an_empty_mask_has_no_place_and_no_shape() -> None:
    mask = np.zeros((5, 5), dtype=bool)
    measured = measure(mask, ones(mask))
    assert (measured.area, measured.area_share, measured.num_regions) == (0, 0, 0)
    assert measured.box is None
    assert measured.centroid is None
    assert measured.circularity is None
    assert measured.asymmetry is None
    assert measured.mean_probability is None


def test_a_full_mask_is_measured_whole() -> None:
    mask = np.ones((30, 40), dtype=bool)
    measured = measure(mask, ones(mask))
    assert measured.area_share == 1
    assert measured.longest_diameter == pytest.approx(50)


def test_regions_are_counted_by_touching_corners() -> None:
    mask = np.zeros((10, 10), dtype=bool)
    mask[1, 1] = mask[2, 2] = mask[7, 7] = True
    assert measure(mask, ones(mask)).num_regions == 2


def test_an_l_is_less_symmetric_than_a_bar() -> None:
    letter = np.zeros((60, 60), dtype=bool)
    letter[10:50, 10:20] = letter[40:50, 10:50] = True
    bar = np.zeros((60, 60), dtype=bool)
    bar[25:35, 5:55] = True
    one, other = (measure(mask, ones(mask)).asymmetry for mask in (letter, bar))
    assert one is not None
    assert other is not None
    assert one > 0.2
    assert other < 0.01


def test_only_the_masks_pixels_enter_the_mean_probability() -> None:
    letter = np.zeros((60, 60), dtype=bool)
    letter[10:50, 10:20] = letter[40:50, 10:50] = True
    measured = measure(letter, np.where(letter, 0.75, 0.1).astype(np.float32))
    assert measured.mean_probability == pytest.approx(0.75)


@pytest.mark.parametrize("turned", [False, True])
def test_asymmetry_is_what_folding_every_pixel_gives(*, turned: bool) -> None:
    y, x = np.mgrid[:1000, :1400]
    mask = (x > 100) & (y > 150) & (x + 2 * y < 1500) & ((x // 35) % 3 > 0)
    mask = mask.T if turned else mask
    points = np.argwhere(mask).astype(float)
    centred = points - points.mean(axis=0)
    _, axes = np.linalg.eigh(centred.T @ centred)
    shares = []
    for axis in axes.T:
        folded = points - 2 * np.outer(centred @ axis, axis)
        rows, columns = np.rint(folded).astype(int).T
        within = (rows >= 0) & (columns >= 0) & (rows < mask.shape[0]) & (columns < mask.shape[1])
        shares.append(1 - np.count_nonzero(mask[rows[within], columns[within]]) / len(points))
    assert measure(mask, ones(mask)).asymmetry == pytest.approx(np.mean(shares), abs=0.004)


def test_millimetres_follow_from_the_spacing() -> None:
    mask = np.ones((10, 10), dtype=bool)
    measured = measure(mask, ones(mask))
    in_mm = measured.in_mm(0.1)
    assert in_mm["area_mm2"] == pytest.approx(1)
    assert in_mm["longest_diameter_mm"] == pytest.approx(math.sqrt(2))
    assert in_mm["perimeter_mm"] == pytest.approx(measured.perimeter / 10)
    with pytest.raises(ValueError, match="above 0"):
        measured.in_mm(0)


@given(
    x=st.integers(0, 20),
    y=st.integers(0, 20),
    width=st.integers(1, 15),
    height=st.integers(1, 15),
)
def test_moving_a_mask_moves_its_place_and_nothing_else(
    x: int, y: int, width: int, height: int
) -> None:
    home, moved = np.zeros((2, 40, 40), dtype=bool)
    home[:height, :width] = True
    moved[y : y + height, x : x + width] = True
    one, other = measure(home, ones(home)), measure(moved, ones(moved))
    assert other.box == (x, y, width, height)
    assert one.centroid is not None
    assert other.centroid == pytest.approx((one.centroid[0] + x, one.centroid[1] + y))
    assert other.perimeter == one.perimeter
    assert other.longest_diameter == pytest.approx(one.longest_diameter)
    assert other.asymmetry == pytest.approx(one.asymmetry, abs=1e-6)
