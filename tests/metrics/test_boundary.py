"""Border distances: by hand, against all pairs of pixels, and in general."""

from __future__ import annotations

import math
from collections.abc import Iterator

import cv2
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from numpy.typing import NDArray
from scipy import ndimage
from scipy.spatial.distance import cdist

from dermseg.metrics import (
    average_symmetric_surface_distance,
    boundary_measures,
    hausdorff_95,
    near_boundary,
    normalized_surface_distance,
)

Mask = NDArray[np.bool_]


def rectangle(top: int, left: int, height: int, width: int) -> Mask:
    mask = np.zeros((30, 40), np.bool_)
    mask[top : top + height, left : left + width] = True
    return mask


def border_points(mask: Mask) -> NDArray[np.intp]:
    return np.argwhere(mask & ~ndimage.binary_erosion(mask))


def independent(prediction: Mask, target: Mask, tolerance: float) -> tuple[float, float, float]:
    """All distances between border pixels, as no one would compute them for large masks."""
    distances = cdist(border_points(prediction), border_points(target))
    forth, back = distances.min(axis=1), distances.min(axis=0)
    both = np.concatenate([forth, back])
    furthest = max(np.percentile(forth, 95), np.percentile(back, 95))
    return furthest, both.mean(), (both <= tolerance).mean()


def test_a_shifted_line_is_as_far_as_it_was_shifted() -> None:
    line, shifted = rectangle(5, 5, 1, 20), rectangle(8, 5, 1, 20)
    assert hausdorff_95(line, shifted) == 3
    assert average_symmetric_surface_distance(line, shifted) == 3
    assert normalized_surface_distance(line, shifted, tolerance=2.9) == 0
    assert normalized_surface_distance(line, shifted, tolerance=3) == 1


def test_nested_squares_by_hand() -> None:
    """A 3x3 square in the middle of a 5x5 one: 16 border pixels outside, 8 inside."""
    outer, inner = rectangle(10, 10, 5, 5), rectangle(11, 11, 3, 3)
    # Of the outer border, 12 pixels are 1 away and the 4 corners by the diagonal.
    expected = (12 * 1 + 4 * math.sqrt(2) + 8 * 1) / 24
    assert average_symmetric_surface_distance(outer, inner) == pytest.approx(expected, abs=1e-12)
    assert hausdorff_95(outer, inner) == pytest.approx(math.sqrt(2))
    assert normalized_surface_distance(outer, inner, tolerance=1) == pytest.approx(20 / 24)


def test_relative_measures_are_in_diameters_of_the_truth() -> None:
    truth, prediction = rectangle(5, 5, 10, 20), rectangle(7, 5, 10, 20)
    measures = boundary_measures(prediction, truth, relative_tolerance=0.1)
    diameter = math.sqrt(4 * 200 / math.pi)
    assert measures.relative_hausdorff_95 == pytest.approx(measures.hausdorff_95 / diameter)
    assert measures.relative_average_symmetric_surface_distance == pytest.approx(
        measures.average_symmetric_surface_distance / diameter
    )
    within = normalized_surface_distance(prediction, truth, tolerance=0.1 * diameter)
    assert measures.relative_normalized_surface_distance == within


def test_two_empty_masks_agree() -> None:
    empty = rectangle(0, 0, 0, 0)
    measures = boundary_measures(empty, empty)
    assert (measures.hausdorff_95, measures.normalized_surface_distance) == (0, 1)
    assert (measures.relative_hausdorff_95, measures.average_symmetric_surface_distance) == (0, 0)


def test_finding_nothing_gets_the_worst_value() -> None:
    empty, lesion = rectangle(0, 0, 0, 0), rectangle(5, 5, 10, 10)
    measures = boundary_measures(empty, lesion)
    assert measures.hausdorff_95 == math.hypot(29, 39)
    assert measures.average_symmetric_surface_distance == math.hypot(29, 39)
    assert measures.normalized_surface_distance == 0
    assert measures.relative_hausdorff_95 == pytest.approx(
        math.hypot(29, 39) / math.sqrt(400 / math.pi)
    )


def test_a_false_alarm_has_no_lesion_to_be_relative_to() -> None:
    measures = boundary_measures(rectangle(5, 5, 10, 10), rectangle(0, 0, 0, 0))
    assert measures.hausdorff_95 == math.hypot(29, 39)
    assert math.isnan(measures.relative_hausdorff_95)
    assert math.isnan(measures.relative_normalized_surface_distance)


def test_the_edge_of_the_image_is_a_border() -> None:
    full = np.ones((20, 20), np.bool_)
    inside = np.zeros_like(full)
    inside[4:16, 4:16] = True
    # Every pixel of the image's edge is at least 4 away from the inner square.
    assert hausdorff_95(full, inside) >= 4


@settings(max_examples=60, deadline=None)
@given(
    arrays(np.bool_, (9, 11), elements=st.booleans()),
    arrays(np.bool_, (9, 11), elements=st.booleans()),
    st.floats(0, 5),
)
def test_random_masks_get_the_distances_of_all_pairs(
    prediction: Mask, target: Mask, tolerance: float
) -> None:
    prediction[0, 0] = target[-1, -1] = True
    measures = boundary_measures(prediction, target, tolerance=tolerance)
    expected = independent(prediction, target, tolerance)
    assert measures.hausdorff_95 == pytest.approx(expected[0], abs=1e-9)
    assert measures.average_symmetric_surface_distance == pytest.approx(expected[1], abs=1e-9)
    assert measures.normalized_surface_distance == pytest.approx(expected[2], abs=1e-9)
    swapped = boundary_measures(target, prediction, tolerance=tolerance)
    assert swapped.hausdorff_95 == measures.hausdorff_95


@pytest.fixture(params=[1, 2])
def opencv_threads(request: pytest.FixtureRequest) -> Iterator[None]:
    before = cv2.getNumThreads()
    cv2.setNumThreads(request.param)
    yield
    cv2.setNumThreads(before)


@pytest.mark.usefixtures("opencv_threads")
def test_distances_across_a_large_image_are_right_to_a_thousandth_of_a_pixel() -> None:
    first, second = (np.zeros((1300, 1500), np.bool_) for _ in range(2))
    first[3:9, 2:11] = second[1290:1299, 1480:1497] = True
    expected = independent(first, second, 3)
    measures = boundary_measures(first, second)
    assert measures.hausdorff_95 == pytest.approx(expected[0], abs=1e-3)
    assert measures.average_symmetric_surface_distance == pytest.approx(expected[1], abs=1e-3)


def test_the_neighbourhood_of_the_borders_is_a_disc_around_each_border_pixel() -> None:
    generator = np.random.default_rng(0)
    prediction, target = rectangle(4, 4, 12, 15), rectangle(6, 8, 15, 20)
    prediction &= generator.random(prediction.shape) < 0.98
    borders = np.concatenate([border_points(prediction), border_points(target)])
    everywhere = np.argwhere(np.ones_like(target))
    expected = (cdist(everywhere, borders).min(axis=1) <= 3).reshape(target.shape)
    np.testing.assert_array_equal(near_boundary(prediction, target, distance=3), expected)
    empty = np.zeros_like(target)
    assert not near_boundary(empty, empty).any()


def test_wrong_arguments_are_refused() -> None:
    mask = rectangle(5, 5, 10, 10)
    with pytest.raises(ValueError, match="differ in size"):
        hausdorff_95(mask, mask[1:])
    with pytest.raises(ValueError, match="expected 0 or more"):
        normalized_surface_distance(mask, mask, tolerance=-1)


@settings(max_examples=30, deadline=None)
@given(arrays(np.bool_, (7, 9)), arrays(np.bool_, (7, 9)))
def test_turning_both_masks_changes_nothing_and_tolerance_only_helps(
    prediction: Mask, target: Mask
) -> None:
    distances = [
        [
            measure(turn(prediction), turn(target))
            for measure in (hausdorff_95, average_symmetric_surface_distance)
        ]
        for turn in (np.asarray, np.fliplr, np.flipud, np.rot90)
    ]
    for turned in distances[1:]:
        assert turned == pytest.approx(distances[0], abs=1e-9)
    shares = [
        normalized_surface_distance(prediction, target, tolerance=tolerance)
        for tolerance in (0, 1, 1.5, 3, 20)
    ]
    assert shares == sorted(shares)
    assert 0 <= shares[0] <= shares[-1] <= 1
