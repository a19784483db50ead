from __future__ import annotations

import math

import cv2
import numpy as np
import pytest

from dermseg.phantom import create_phantom, create_picture, create_plain_skin
from dermseg.prediction.features import describe
from dermseg.types import FloatArray, ImageArray

SKIN, LESION = (220, 170, 150), (90, 50, 40)


def _disc(size: tuple[int, int] = (96, 128), radius: int = 24) -> np.ndarray:
    rows, columns = np.indices(size)
    return np.hypot(rows - size[0] // 2, columns - size[1] // 2) <= radius


def _lab(color: tuple[int, int, int]) -> np.ndarray:
    pixel = np.array([[color]], np.float32) / 255
    return np.asarray(cv2.cvtColor(pixel, cv2.COLOR_RGB2Lab)[0, 0])


def _describe(probability: FloatArray, image: ImageArray) -> dict[str, float]:
    return describe(probability, image, threshold=0.5)


def _found_nowhere(image: ImageArray) -> dict[str, float]:
    return _describe(np.zeros(image.shape[:2], np.float32), image)


def test_a_sure_mask_on_plain_colours_is_described_exactly() -> None:
    image = np.full((96, 128, 3), SKIN, np.uint8)
    image[_disc()] = LESION
    found = _describe(_disc().astype(np.float32), image)
    assert found["expected_overlap"] == pytest.approx(1)
    assert found["entropy"] == pytest.approx(0, abs=1e-4)
    assert found["probability_inside"] == 1
    assert found["presence"] == 1
    assert found["log_area"] == pytest.approx(math.log(_disc().mean()))
    assert found["regions"] == pytest.approx(math.log(2))
    assert found["largest_region"] == 1
    assert found["edge_contact"] == 0
    assert found["solidity"] > 0.95
    assert found["compactness"] > 0.85
    skin, lesion = _lab(SKIN), _lab(LESION)
    # Pixels at the border are mixtures of both, at half the size.
    assert found["contrast"] == pytest.approx(math.log1p(np.linalg.norm(skin - lesion)), abs=0.1)
    assert found["darker"] > 1
    assert found["darkness_follows"] > 0.95
    assert found["lightness"] == pytest.approx(skin[0], abs=0.1)
    assert found["red"] == pytest.approx(skin[1], abs=0.1)
    assert found["yellow"] == pytest.approx(skin[2], abs=0.1)
    assert found["skin_hues"] == found["lit"] == 1
    assert found["grey"] == found["white"] == found["rim_light"] == found["rim_color"] == 0
    # Two thirds of the middle are lesion.
    assert 0.6 < found["centre_darker"] / (skin[0] - lesion[0]) < 0.8
    # Two colours, and mixtures of them, are on a line.
    assert found["one_pigment"] > 3


def test_what_is_lighter_than_the_skin_is_no_pigment() -> None:
    image = np.full((96, 128, 3), LESION, np.uint8)
    image[_disc()] = SKIN
    found = _describe(_disc().astype(np.float32), image)
    assert found["darker"] < -1
    assert found["darkness_follows"] < -0.95


def test_the_expected_overlap_is_that_of_independent_pixels() -> None:
    probability = np.zeros((64, 64), np.float32)
    probability[:32], probability[32:48] = 0.8, 0.2
    found = _describe(probability, np.zeros((64, 64, 3), np.uint8))
    # 0.8 of 32 rows are right; the union is 32 rows and 0.2 of 16 others.
    assert found["expected_overlap"] == pytest.approx(32 * 0.8 / (32 + 16 * 0.2))
    assert found["likely_by_possible"] == pytest.approx(32 / 48)
    assert found["probability_inside"] == pytest.approx(0.8)
    share = -(0.8 * math.log(0.8) + 0.2 * math.log(0.2))
    assert found["entropy"] == pytest.approx(share * 48 / 64, rel=1e-3)


def test_a_mask_at_the_edge_touches_it() -> None:
    probability = np.zeros((64, 64), np.float32)
    probability[:, :20] = 1
    found = _describe(probability, np.full((64, 64, 3), 128, np.uint8))
    assert found["edge_contact"] > 0.5


def test_a_soft_border_is_less_sharp() -> None:
    hard = _disc().astype(np.float32)
    soft = np.asarray(cv2.GaussianBlur(hard, (0, 0), 6), np.float32)
    image = np.full((96, 128, 3), SKIN, np.uint8)
    sharp, blurred = (_describe(probability, image) for probability in (hard, soft))
    assert sharp["sharpness"] > 3 * blurred["sharpness"]
    assert sharp["uncertain_by_area"] < blurred["uncertain_by_area"]


@pytest.mark.parametrize("size", [(48, 64), (1, 1), (3, 200), (300, 7)])
@pytest.mark.parametrize("value", [0.0, 1.0])
def test_empty_and_full_masks_have_finite_numbers(value: float, size: tuple[int, int]) -> None:
    probability = np.full(size, value, np.float32)
    names = set()
    rng = np.random.default_rng(0)
    for image in (rng.integers(0, 256, (*size, 3), np.uint8), np.zeros((*size, 3), np.uint8)):
        numbers = _describe(probability, image)
        assert np.isfinite(list(numbers.values())).all()
        names.add(tuple(numbers))
    assert len(names) == 1


def test_descriptions_hardly_depend_on_the_size() -> None:
    large, small = (
        _found_nowhere(create_phantom(4, size=size).image) for size in ((384, 512), (192, 256))
    )
    for name in ("lightness", "red", "yellow", "gradient_2", "gradient_4", "rim_light"):
        assert large[name] == pytest.approx(small[name], abs=0.5)


def test_colours_of_all_kinds_are_not_on_a_line() -> None:
    rng = np.random.default_rng(0)
    blocks = rng.integers(0, 256, (6, 8, 3), np.uint8).repeat(16, axis=0).repeat(16, axis=1)
    found = _found_nowhere(blocks)
    assert found["one_pigment"] < 2
    assert found["rim_color"] > 3
    assert found["flat"] > 0.5


def test_pictures_have_stronger_gradients_than_skin() -> None:
    skin = [_found_nowhere(create_plain_skin(seed))["gradient_2"] for seed in range(8)]
    # The first half of the kinds: a room has plain walls, and a landscape a plain sky.
    textured = [seed for seed in range(16) if seed % 8 < 4]
    pictures = [_found_nowhere(create_picture(seed))["gradient_2"] for seed in textured]
    assert np.median(pictures) > np.median(skin) + 1
