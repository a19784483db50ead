from __future__ import annotations

import math

import cv2
import numpy as np
import pytest

from dermseg.evaluation import ImageStatistics, measure_image
from dermseg.evaluation.image_score import individual_typology_angle
from dermseg.phantom import create_phantom

# From independent tables of CIELAB (D65) of the sRGB colours.
_SKIN, _SKIN_LAB = (200, 150, 120), (66.0, 14.7, 23.3)
_LESION, _LESION_LAB = (0, 0, 0), (0.0, 0.0, 0.0)


def scene(size: tuple[int, int] = (300, 400), radius: int = 60) -> tuple[np.ndarray, np.ndarray]:
    """Skin of one colour with a black disc in the middle."""
    y, x = np.mgrid[: size[0], : size[1]]
    mask = (y - size[0] // 2) ** 2 + (x - size[1] // 2) ** 2 <= radius**2
    return np.where(mask[..., None], _LESION, _SKIN).astype(np.uint8), mask


def test_plain_colours_are_measured_as_computed_by_hand() -> None:
    image, mask = scene()
    found = measure_image(image, mask)
    assert found.lesion_share == pytest.approx(math.pi * 60**2 / (300 * 400), rel=0.01)
    distance = math.dist(_SKIN_LAB, _LESION_LAB)  # 71.5
    assert found.contrast == pytest.approx(distance, abs=0.2)
    angle = math.degrees(math.atan((_SKIN_LAB[0] - 50) / _SKIN_LAB[2]))  # 34.5
    assert found.skin_ita == pytest.approx(angle, abs=0.3)


def test_hairs_and_far_skin_do_not_change_the_skin() -> None:
    image, mask = scene()
    plain = measure_image(image, mask)
    for column in range(0, 400, 10):
        cv2.line(image, (column, 0), (column, 299), (30, 20, 15), 1)
    image[:30, :] = (255, 255, 255)
    assert measure_image(image, mask).skin_ita == pytest.approx(plain.skin_ita, abs=0.1)


def test_dark_corners_are_no_part_of_the_field() -> None:
    image, mask = scene()
    y, x = np.mgrid[:300, :400]
    outside = (y - 150) ** 2 + (x - 200) ** 2 > 180**2
    image[outside] = 5
    found = measure_image(image, mask)
    # The edge of the field is taken two hundredths of the long side wider.
    assert found.lesion_share == pytest.approx(mask.sum() / (~outside).sum(), rel=0.06)
    assert found.lesion_share > mask.mean() * 1.1
    assert found.skin_ita == pytest.approx(34.5, abs=0.5)


def test_without_lesion_there_is_no_contrast_and_the_skin_is_all() -> None:
    image = np.full((100, 100, 3), _SKIN, np.uint8)
    found = measure_image(image, np.zeros((100, 100), np.bool_))
    assert found.lesion_share == 0
    assert math.isnan(found.contrast)
    assert found.skin_ita == pytest.approx(34.5, abs=0.3)


def test_a_lesion_that_fills_the_image_leaves_no_skin() -> None:
    found = measure_image(np.full((64, 64, 3), 90, np.uint8), np.ones((64, 64), np.bool_))
    assert found.lesion_share == 1
    assert math.isnan(found.contrast)
    assert math.isnan(found.skin_ita)


def test_size_hardly_matters() -> None:
    small, large = (create_phantom(3, size=size) for size in ((384, 512), (768, 1024)))
    first, second = (measure_image(seen.image, seen.mask) for seen in (small, large))
    assert first.lesion_share == pytest.approx(second.lesion_share, rel=0.02)
    assert first.contrast == pytest.approx(second.contrast, rel=0.1)
    assert first.skin_ita == pytest.approx(second.skin_ita, abs=3)


@pytest.mark.parametrize(
    ("lightness", "yellowness", "angle"), [(70, 20, 45), (50, 10, 0), (30, 20, -45), (60, 0, 90)]
)
def test_the_angle_follows_its_formula(lightness: float, yellowness: float, angle: float) -> None:
    assert individual_typology_angle(lightness, yellowness) == pytest.approx(angle)


def test_other_sizes_are_refused() -> None:
    with pytest.raises(ValueError, match="the mask"):
        measure_image(np.zeros((4, 4, 3), np.uint8), np.zeros((4, 5), np.bool_))


def test_the_names_are_those_of_the_table() -> None:
    assert ImageStatistics(0.1, 2, 3).contrast == 2
