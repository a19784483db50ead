"""The numbers of dermoscopy: analytic values, and what must not change them."""

from __future__ import annotations

import math

import cv2
import numpy as np
import pytest

from dermseg.prediction.dermoscopy import REFERENCE_COLORS, LesionDescription, describe_lesion
from dermseg.types import BoolMask, ImageArray

SIDE = 600
SKIN, DARK, LIGHT = (225, 180, 150), (95, 60, 40), (180, 125, 85)


def ellipse(a: float, b: float, angle: float = 0.0, side: int = SIDE) -> BoolMask:
    y, x = np.mgrid[:side, :side] - (side - 1) / 2
    cos, sin = math.cos(angle), math.sin(angle)
    inside: BoolMask = ((x * cos + y * sin) / a) ** 2 + ((y * cos - x * sin) / b) ** 2 < 1
    return inside


def picture(angle: float = 0.0, scale: float = 1.0) -> tuple[ImageArray, BoolMask]:
    """A lesion that is dark at one end, lighter at the other and has a blurred border there."""
    side = round(SIDE * scale)
    mask = ellipse(190 * scale, 120 * scale, angle, side)
    y, x = np.mgrid[:side, :side] - (side - 1) / 2
    along = (x * math.cos(angle) + y * math.sin(angle)) / scale
    across = (y * math.cos(angle) - x * math.sin(angle)) / scale
    share = 1 / (1 + np.exp(-(along + 0.5 * across) / 25))[..., None]
    body = share * np.array(DARK) + (1 - share) * np.array(LIGHT)
    image = np.where(mask[..., None], body, np.array(SKIN))
    return np.rint(image).astype(np.uint8), mask


def figures(described: LesionDescription) -> np.ndarray:
    """All figures; colour shares apart, whose smallest are a few pixels."""
    values = described.to_dict()
    return np.array([values[key] for key in values if not key.startswith("color_")], float)


FLAT = np.full((SIDE, SIDE, 3), 128, np.uint8)


@pytest.mark.parametrize(
    ("mask", "compactness", "solidity"),
    [
        (ellipse(200, 200), 1.0, 1.0),
        (ellipse(220, 110), 2 * 2 / (2**2 + 1), 1.0),
        (ellipse(220, 110, 0.7), 2 * 2 / (2**2 + 1), 1.0),
        (np.pad(np.ones((300, 300), bool), 150), 3 / math.pi, 1.0),
        (ellipse(200, 200) & ~ellipse(100, 100), 0.75**2 / (1 - 0.5**4), 0.75),
    ],
    ids=["disc", "ellipse", "turned ellipse", "square", "ring"],
)
def test_shapes_have_their_analytic_values(
    mask: BoolMask, compactness: float, solidity: float
) -> None:
    described = describe_lesion(FLAT, mask)
    assert described.compactness == pytest.approx(compactness, rel=0.01)
    assert described.solidity == pytest.approx(solidity, rel=0.01)


@pytest.mark.parametrize("scale", [0.5, 1.5])
@pytest.mark.parametrize("angle", [0.6, math.pi / 2])
def test_turning_and_scaling_change_nothing(angle: float, scale: float) -> None:
    upright = figures(describe_lesion(*picture()))
    changed = figures(describe_lesion(*picture(angle, scale)))
    assert changed == pytest.approx(upright, rel=0.015 if scale < 1 else 0.01, abs=0.05)


def test_a_mirror_changes_nothing() -> None:
    image, mask = picture(0.3)
    mirrored = describe_lesion(np.fliplr(image).copy(), np.fliplr(mask).copy())
    assert figures(mirrored) == pytest.approx(figures(describe_lesion(image, mask)), rel=0.01)


def test_the_image_may_be_smaller_than_the_mask() -> None:
    image, mask = picture(0.3)
    small = cv2.resize(image, (SIDE // 2, SIDE // 2), interpolation=cv2.INTER_AREA)
    expected = figures(describe_lesion(image, mask))
    assert figures(describe_lesion(small.astype(np.uint8), mask)) == pytest.approx(
        expected, rel=0.03, abs=0.2
    )


def test_pigment_is_symmetric_only_where_both_halves_are_alike() -> None:
    image, mask = picture()
    even = describe_lesion(np.where(mask[..., None], DARK, SKIN).astype(np.uint8), mask)
    assert even.pigment_asymmetry == pytest.approx(0, abs=0.3)
    assert even.variegation == pytest.approx(0, abs=0.3)
    uneven = describe_lesion(image, mask)
    assert uneven.pigment_asymmetry is not None
    assert uneven.pigment_asymmetry > 5


def test_the_border_is_abrupt_where_the_lightness_jumps() -> None:
    image, mask = picture()
    blurred = cv2.GaussianBlur(image, (0, 0), 20)
    left = np.arange(SIDE)[None, :, None] < SIDE / 2
    described = describe_lesion(np.where(left, blurred, image), mask)
    values = np.array(described.border_abruptness, float)
    right = describe_lesion(image, mask).border_abruptness[0]
    assert values[[0, 7]] == pytest.approx([right, right], rel=0.2)
    assert values[[3, 4]].max() < 0.7 * np.array(describe_lesion(image, mask).border_abruptness)[3]


def test_each_reference_color_is_told_from_the_others() -> None:
    mask = ellipse(200, 200)
    for name, color in REFERENCE_COLORS.items():
        image = np.where(mask[..., None], color, SKIN).astype(np.uint8)
        described = describe_lesion(image, mask)
        assert described.colors[name] > 0.97
        assert described.to_dict()["num_colors"] == 1


def test_the_typology_angle_is_that_of_the_skin() -> None:
    mask = ellipse(100, 100)
    image = np.where(mask[..., None], DARK, SKIN).astype(np.uint8)
    lightness, _, yellow = cv2.cvtColor(np.array([[SKIN]], np.float32) / 255, cv2.COLOR_RGB2Lab)[
        0, 0
    ]
    expected = math.degrees(math.atan((lightness - 50) / yellow))
    assert describe_lesion(image, mask).skin_ita == pytest.approx(expected, abs=0.2)


def test_nothing_is_said_of_what_is_not_there() -> None:
    empty = describe_lesion(FLAT, np.zeros((SIDE, SIDE), bool))
    assert set(empty.to_dict().values()) == {None}
    full = describe_lesion(FLAT, np.ones((SIDE, SIDE), bool))
    assert full.skin_ita is None
    assert full.border_abruptness == (None,) * 8
