"""From probabilities to masks, by hand."""

from __future__ import annotations

import numpy as np

from dermseg.prediction import draw_contour
from dermseg.prediction.postprocessing import fill_holes, keep_largest_region, postprocess
from dermseg.recipes import Postprocessing


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
