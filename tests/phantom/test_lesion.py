from __future__ import annotations

import numpy as np
import pytest
from scipy import ndimage

from dermseg.phantom.lesion import Lesion, create_lesion


def lesion(seed: int, share: float = 0.15) -> Lesion:
    return create_lesion(np.random.default_rng(seed), (192, 256), area_share=share)


@pytest.mark.parametrize("share", [0.005, 0.05, 0.3, 0.8])
def test_the_mask_is_one_region_without_holes(share: float) -> None:
    for seed in range(10):
        mask = lesion(seed, share).mask
        _, num_regions = ndimage.label(mask, structure=np.ones((3, 3)))
        assert num_regions == 1
        np.testing.assert_array_equal(ndimage.binary_fill_holes(mask), mask)


@pytest.mark.parametrize("seed", range(4))
def test_the_distance_is_the_distance_to_the_border(seed: int) -> None:
    drawn = lesion(seed)
    exact = ndimage.distance_transform_edt(drawn.mask)
    exact -= ndimage.distance_transform_edt(~drawn.mask)
    exact -= 0.5 * np.sign(exact)
    # The 5x5 transform is an approximation, good to 2 %.
    np.testing.assert_allclose(drawn.distance, exact, rtol=0.03, atol=0.1)


def test_centre_radius_and_border_describe_the_mask() -> None:
    drawn = lesion(1)
    np.testing.assert_allclose(drawn.centre, ndimage.center_of_mass(drawn.mask), atol=1e-6)
    assert np.pi * drawn.radius**2 == pytest.approx(drawn.mask.sum())
    y, x = drawn.border.T
    assert (drawn.distance[y, x] == 0.5).all()  # the outermost pixels, nothing else
    rim = drawn.mask & ~ndimage.binary_erosion(drawn.mask, border_value=1)
    assert set(zip(*np.nonzero(rim), strict=True)) == {(int(a), int(b)) for a, b in drawn.border}
    np.testing.assert_allclose(drawn.depth, drawn.distance / drawn.radius, rtol=1e-5)


def test_lesions_lie_near_the_middle() -> None:
    centres = np.array([lesion(seed).centre for seed in range(40)]) / (192, 256)
    assert np.abs(centres - 0.5).max() < 0.3
    assert (centres.std(axis=0) > 0.02).all()


def test_borders_are_irregular_to_different_degrees() -> None:
    # 1 for a disc, larger the longer the border is for its area.
    compactness = []
    for seed in range(30):
        drawn = lesion(seed)
        steps = np.diff(drawn.border, axis=0, append=drawn.border[:1])
        length = np.hypot(*steps.T).sum()
        compactness.append(length / (2 * np.pi * drawn.radius))
    assert min(compactness) < 1.1
    assert max(compactness) > 1.2


def test_a_resized_lesion_keeps_its_place_and_shape() -> None:
    drawn = lesion(4)
    larger = drawn.resized((576, 768))
    assert larger.radius == pytest.approx(3 * drawn.radius, rel=0.01)
    np.testing.assert_allclose(
        np.array(larger.centre) + 0.5, 3 * (np.array(drawn.centre) + 0.5), atol=1
    )
    np.testing.assert_allclose(larger.distance[1::3, 1::3], 3 * drawn.distance, rtol=0.03, atol=2.5)
