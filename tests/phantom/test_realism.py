"""Phantoms against real photographs: neither easier nor stranger than they are."""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np
import pytest

from dermseg.images import read_image, read_mask
from dermseg.phantom import create_phantom
from dermseg.types import BoolMask, ImageArray

pytestmark = [pytest.mark.data, pytest.mark.slow]

Pair = tuple[ImageArray, BoolMask]


@pytest.fixture(scope="module")
def real(real_data: Path) -> list[Pair]:
    """Every fifth image of the official training part."""
    folder = real_data / "isic2017_256x192"
    images = sorted((folder / "ISIC-2017_Training_Data").glob("*.jpg"))[::5]
    masks = folder / "ISIC-2017_Training_Part1_GroundTruth"
    return [
        (read_image(path), read_mask(masks / f"{path.stem}_segmentation.png")) for path in images
    ]


@pytest.fixture(scope="module")
def generated() -> list[Pair]:
    return [(phantom.image, phantom.mask) for phantom in map(create_phantom, range(150))]


def otsu_jaccard(image: ImageArray, mask: BoolMask) -> float:
    """Jaccard index of the darker of Otsu's two classes on the smoothed grey image."""
    grey = cv2.GaussianBlur(cv2.cvtColor(image, cv2.COLOR_RGB2GRAY), (0, 0), 2)
    _, dark = cv2.threshold(grey, 0, 255, cv2.THRESH_BINARY_INV + cv2.THRESH_OTSU)
    return float((mask & (dark > 0)).sum() / (mask | (dark > 0)).sum())


def lab_statistics(pairs: list[Pair]) -> dict[str, np.ndarray]:
    """Mean and spread over images of the skin's and the lesion's mean Lab colour."""
    skins, lesions = [], []
    for image, mask in pairs:
        lab = cv2.cvtColor((image / 255).astype(np.float32), cv2.COLOR_RGB2Lab)
        height, width = mask.shape
        y, x = np.mgrid[:height, :width]
        field = np.hypot((y / height - 0.5), (x / width - 0.5)) < 0.5  # not the corners
        around = ~cv2.dilate(mask.astype(np.uint8), np.ones((9, 9))).astype(bool) & field
        if around.sum() >= 300:
            skins.append(np.median(lab[around], axis=0))
            lesions.append(lab[mask].mean(axis=0))
    return {
        "skin mean": np.mean(skins, axis=0),
        "skin spread": np.std(skins, axis=0),
        "lesion mean": np.mean(lesions, axis=0),
        "lesion spread": np.std(lesions, axis=0),
    }


def test_a_threshold_does_as_well_on_phantoms_as_on_photographs(
    real: list[Pair], generated: list[Pair]
) -> None:
    on_real, on_generated = (
        float(np.mean([otsu_jaccard(*pair) for pair in pairs])) for pairs in (real, generated)
    )
    assert on_generated == pytest.approx(on_real, abs=0.1)


def test_skin_and_lesion_have_the_colours_of_photographs(
    real: list[Pair], generated: list[Pair]
) -> None:
    expected, measured = lab_statistics(real), lab_statistics(generated)
    for name, value in expected.items():
        np.testing.assert_allclose(measured[name], value, atol=4, err_msg=name)


def test_lesions_cover_as_much_as_in_photographs(real: list[Pair], generated: list[Pair]) -> None:
    levels = [0.05, 0.25, 0.5, 0.75, 0.95]
    expected, measured = (
        np.quantile([mask.mean() for _, mask in pairs], levels) for pairs in (real, generated)
    )
    np.testing.assert_allclose(np.log(measured), np.log(expected), atol=0.35)
