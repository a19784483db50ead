"""From probabilities to masks, by hand."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import array_shapes, arrays
from scipy import ndimage

from dermseg.prediction import draw_contour
from dermseg.prediction.postprocessing import (
    dilate,
    erode,
    fill_holes,
    keep_largest_region,
    postprocess,
    remove_small_regions,
)
from dermseg.recipes import Postprocessing
from dermseg.types import BoolMask

MASKS = arrays(np.bool_, array_shapes(min_dims=2, max_dims=2, min_side=1, max_side=24))
SIDES = st.integers(0, 14).map(lambda half: 2 * half + 1)
NEIGHBOURS = np.ones((3, 3))


def draw_squares(side: int = 100, **squares: tuple[int, int, int]) -> BoolMask:
    """A mask of squares, each (top, left, side)."""
    mask = np.zeros((side, side), np.bool_)
    for top, left, length in squares.values():
        mask[top : top + length, left : left + length] = True
    return mask


def clean(mask: BoolMask, **options: object) -> BoolMask:
    return postprocess(mask.astype(np.float32), Postprocessing.model_validate(options))


def test_a_probability_at_the_threshold_is_lesion() -> None:
    probability = np.array([[0.3, 0.5, 0.7]], dtype=np.float32)
    assert postprocess(probability, Postprocessing()).tolist() == [[False, True, True]]
    strict = Postprocessing(threshold=0.6)
    assert postprocess(probability, strict).tolist() == [[False, False, True]]


def test_the_largest_region_stays_and_its_hole_is_filled_afterwards() -> None:
    mask = np.zeros((12, 12), dtype=bool)
    mask[1:8, 1:8] = True
    mask[3:5, 3:5] = False
    mask[10, 10] = True
    cleaned = postprocess(
        mask.astype(np.float32), Postprocessing(largest_region=True, fill_holes=True)
    )
    expected = np.zeros_like(mask)
    expected[1:8, 1:8] = True
    assert np.array_equal(cleaned, expected)


def test_a_bay_at_the_edge_is_no_hole() -> None:
    mask = np.ones((5, 5), dtype=bool)
    mask[0:3, 2] = False
    assert np.array_equal(fill_holes(mask), mask)


def test_an_empty_mask_stays_empty() -> None:
    mask = np.zeros((4, 4), dtype=bool)
    assert not keep_largest_region(mask).any()
    assert not fill_holes(mask).any()


def test_the_contour_is_drawn_on_the_border_and_nowhere_else() -> None:
    image = np.full((100, 100, 3), 128, dtype=np.uint8)
    mask = np.zeros((100, 100), dtype=bool)
    mask[30:70, 30:70] = True
    picture = draw_contour(image, mask)
    changed = (picture != image).any(axis=2)
    assert changed[30, 30:70].all()
    assert changed[30:70, 69].all()
    assert not changed[40:60, 40:60].any()
    assert not changed[:25].any()
    assert (image == 128).all()


def test_overlays_are_reduced_to_the_longest_side() -> None:
    image = np.zeros((50, 200, 3), dtype=np.uint8)
    picture = draw_contour(image, np.zeros((50, 200), dtype=bool), max_side=100)
    assert picture.shape == (25, 100, 3)


@given(MASKS, SIDES)
def test_erosion_and_dilation_are_those_of_scipy(mask: BoolMask, side: int) -> None:
    kernel = np.ones((side, side))
    assert np.array_equal(erode(mask, side), ndimage.binary_erosion(mask, kernel, border_value=1))
    assert np.array_equal(dilate(mask, side), ndimage.binary_dilation(mask, kernel))


@given(MASKS)
def test_regions_and_holes_are_those_of_scipy(mask: BoolMask) -> None:
    labels, num_regions = ndimage.label(mask, NEIGHBOURS)
    areas = np.bincount(labels.ravel(), minlength=num_regions + 1)
    areas[0] = 0
    assert np.array_equal(remove_small_regions(mask, 3), (areas >= 3)[labels])
    kept = keep_largest_region(mask)
    assert kept.sum() == areas.max()
    assert ndimage.label(kept, NEIGHBOURS)[1] == min(1, num_regions)
    assert not (kept & ~mask).any()
    # Regions are 8-connected, so what surrounds them is 4-connected.
    assert np.array_equal(fill_holes(mask), ndimage.binary_fill_holes(mask))


@given(MASKS, SIDES)
def test_each_step_done_twice_changes_nothing_more(mask: BoolMask, side: int) -> None:
    opened = dilate(erode(mask, side), side)
    assert np.array_equal(dilate(erode(opened, side), side), opened)
    for step in (keep_largest_region, fill_holes, lambda each: remove_small_regions(each, 4)):
        once = step(mask)
        assert np.array_equal(step(once), once)


@pytest.mark.parametrize(
    ("share", "side"),
    # The odd number nearest to the share of 100 pixels; between two, the larger.
    [(0, 1), (0.019, 1), (0.02, 3), (0.03, 3), (0.05, 5), (0.0599, 5), (0.06, 7), (0.21, 21)],
)
def test_kernels_are_the_nearest_odd_number_of_pixels(share: float, side: int) -> None:
    dot = draw_squares(a=(50, 50, 1))
    assert clean(dot, dilation={"lesion": share}).sum() == side**2
    hole = ~dot
    assert (~clean(hole, erosion={"lesion": share})).sum() == side**2


def test_kernels_follow_the_shorter_side() -> None:
    dot = np.zeros((50, 200), np.bool_)
    dot[25, 100] = True
    assert clean(dot, dilation={"lesion": 0.1}).sum() == 5**2


def test_each_class_has_its_own_kernel() -> None:
    options = Postprocessing(erosion={"streaks": 0.1}, dilation={"globules": 0.05})
    probability = draw_squares(a=(30, 30, 40)).astype(np.float32)
    areas = {
        name: postprocess(probability, options, name).sum()
        for name in ("streaks", "globules", "lesion")
    }
    # 0.1 of 100 pixels is between 9 and 11: 11, five at each side; 0.05 is 5, two at each side.
    assert areas == {"streaks": 30**2, "globules": 44**2, "lesion": 40**2}


def test_what_the_erosion_takes_away_does_not_come_back() -> None:
    mask = draw_squares(large=(10, 10, 30), speck=(80, 80, 4))
    opened = clean(mask, erosion={"lesion": 0.05}, dilation={"lesion": 0.05})
    assert np.array_equal(opened, draw_squares(large=(10, 10, 30)))


def test_the_largest_region_is_chosen_after_the_kernels() -> None:
    mask = draw_squares(compact=(60, 60, 18))
    mask[5:9] = True  # the larger area, but nothing is left of it
    kept = clean(mask, erosion={"lesion": 0.05}, dilation={"lesion": 0.05}, largest_region=True)
    assert np.array_equal(kept, draw_squares(compact=(60, 60, 18)))


def test_areas_count_with_their_holes_filled() -> None:
    ring = draw_squares(outside=(10, 10, 20))
    ring[12:28, 12:28] = False
    assert ring.sum() == 400 - 256
    # 0.02 of the image is 200 pixels.
    assert clean(ring, fill_holes=True, min_area=0.02).sum() == 400
    assert not clean(ring, min_area=0.02).any()


def test_a_region_of_just_the_minimum_area_stays() -> None:
    mask = draw_squares(large=(10, 10, 10), small=(50, 50, 9))
    assert np.array_equal(clean(mask, min_area=0.01), draw_squares(large=(10, 10, 10)))
    assert np.array_equal(clean(mask, min_area=0.0081), mask)


@pytest.mark.parametrize("size", [(1, 1), (1, 9), (40, 60)])
@pytest.mark.parametrize("value", [False, True])
def test_empty_and_full_masks_stay_so_through_all_steps(size: tuple[int, int], value: bool) -> None:  # noqa: FBT001 -- a parameter of the test
    mask = np.full(size, value)
    kernels = {"lesion": 0.3}
    cleaned = clean(
        mask, erosion=kernels, dilation=kernels, largest_region=True, fill_holes=True, min_area=0.5
    )
    assert np.array_equal(cleaned, mask)


@given(mask=MASKS)
def test_largest_region_and_holes_together_agree_with_scipy(mask: BoolMask) -> None:
    labels, num_regions = ndimage.label(mask, NEIGHBOURS)
    expected = mask
    if num_regions:
        # The first of regions of one size: scipy numbers them from the top, then from the left.
        largest = 1 + np.bincount(labels.ravel())[1:].argmax()
        expected = ndimage.binary_fill_holes(labels == largest)
    assert np.array_equal(clean(mask, largest_region=True, fill_holes=True), expected)
