from __future__ import annotations

import numpy as np
import pytest

from dermseg.phantom import create_phantom, create_picture, create_plain_skin
from dermseg.prediction.features import describe_image, describe_prediction


def _disc(size: tuple[int, int] = (96, 128), radius: int = 24) -> np.ndarray:
    rows, columns = np.indices(size)
    return np.hypot(rows - size[0] // 2, columns - size[1] // 2) <= radius


def test_a_sure_mask_is_expected_to_overlap_wholly() -> None:
    probability = _disc().astype(np.float32)
    image = np.full((96, 128, 3), 200, np.uint8)
    image[_disc()] = 60
    found = describe_prediction(probability, image, threshold=0.5)
    assert found["expected_overlap"] == pytest.approx(1)
    assert found["entropy"] == pytest.approx(0, abs=1e-4)
    assert found["probability_inside"] == 1
    assert found["largest_region"] == 1
    assert found["edge_contact"] == 0
    assert found["solidity"] > 0.95
    assert found["contrast"] > 3


def test_the_expected_overlap_is_that_of_independent_pixels() -> None:
    probability = np.zeros((64, 64), np.float32)
    probability[:32], probability[32:48] = 0.8, 0.2
    found = describe_prediction(probability, np.zeros((64, 64, 3), np.uint8), threshold=0.5)
    # 0.8 of 32 rows are right; the union is 32 rows and 0.2 of 16 others.
    assert found["expected_overlap"] == pytest.approx(32 * 0.8 / (32 + 16 * 0.2))
    assert found["strict_by_loose"] == pytest.approx(32 / 48)


def test_a_mask_at_the_edge_touches_it() -> None:
    probability = np.zeros((64, 64), np.float32)
    probability[:, :20] = 1
    found = describe_prediction(probability, np.full((64, 64, 3), 128, np.uint8), threshold=0.5)
    assert found["edge_contact"] > 0.5


@pytest.mark.parametrize("value", [0.0, 1.0])
def test_empty_and_full_masks_have_finite_numbers(value: float) -> None:
    probability = np.full((48, 64), value, np.float32)
    for image in (create_phantom(0, size=(48, 64)).image, np.zeros((48, 64, 3), np.uint8)):
        numbers = describe_prediction(probability, image, threshold=0.5) | describe_image(image)
        assert np.isfinite(list(numbers.values())).all()


def test_descriptions_hardly_depend_on_the_size() -> None:
    large, small = (
        describe_image(create_phantom(4, size=size).image) for size in ((384, 512), (192, 256))
    )
    assert large.keys() == small.keys()
    assert large["lightness"] == pytest.approx(small["lightness"], abs=1)
    assert large["red"] == pytest.approx(small["red"], abs=1)


def test_pictures_have_stronger_gradients_than_skin() -> None:
    skin = [describe_image(create_plain_skin(seed))["gradient_2"] for seed in range(8)]
    pictures = [describe_image(create_picture(seed))["gradient_2"] for seed in range(8)]
    assert np.median(pictures) > np.median(skin) + 1
