"""Attributes in colours on the image, and the legend below."""

from __future__ import annotations

import itertools

import numpy as np
import pytest
from skimage.color import rgb2lab

from dermseg.prediction.attribute_overlay import PALETTE, draw_attributes
from dermseg.prediction.quality import Quality

GREY = 128
# Machado et al. (2009), severity 1: without red, green or blue cones, on linear RGB.
SIGHTS = {
    "normal": np.eye(3),
    "protanopia": [
        [0.152286, 1.052583, -0.204868],
        [0.114503, 0.786281, 0.099216],
        [-0.003882, -0.048116, 1.051998],
    ],
    "deuteranopia": [
        [0.367322, 0.860646, -0.227968],
        [0.280085, 0.672501, 0.047413],
        [-0.011820, 0.042940, 0.968881],
    ],
    "tritanopia": [
        [1.255528, -0.076749, -0.178779],
        [-0.078411, 0.930809, 0.147602],
        [0.004733, 0.691367, 0.303900],
    ],
}
SKIN = [
    (230, 185, 165), (205, 150, 130), (170, 110, 85), (130, 80, 60), (90, 55, 40), (50, 32, 28),
    (190, 90, 90),
]  # fmt: skip


def seen_lab(colors: object, sight: str) -> np.ndarray:
    values = np.asarray(colors, np.float64) / 255
    linear = np.where(values <= 0.04045, values / 12.92, ((values + 0.055) / 1.055) ** 2.4)
    seen = np.clip(linear @ np.asarray(SIGHTS[sight]).T, 0, 1)
    encoded = np.where(seen <= 0.0031308, 12.92 * seen, 1.055 * seen ** (1 / 2.4) - 0.055)
    lab: np.ndarray = rgb2lab(encoded)
    return lab


@pytest.mark.parametrize("sight", SIGHTS)
def test_colours_stay_apart_to_all_eyes(sight: str) -> None:
    colors, skin = seen_lab(PALETTE, sight), seen_lab(SKIN, sight)
    for one, other in itertools.combinations(colors, 2):
        assert np.linalg.norm(one - other) >= 36
    for color in colors:
        assert np.linalg.norm(skin - color, axis=1).min() >= 28


def square(size: tuple[int, int], top: int, left: int, side: int) -> np.ndarray:
    mask = np.zeros(size, np.bool_)
    mask[top : top + side, left : left + side] = True
    return mask


def canvas(size: tuple[int, int]) -> np.ndarray:
    return np.full((*size, 3), GREY, np.uint8)


def tints(picture: np.ndarray) -> set[tuple[int, ...]]:
    return {tuple(color) for color in picture.reshape(-1, 3).tolist()}


def tinted(number: int) -> tuple[int, ...]:
    return tuple(round(0.7 * GREY + 0.3 * value) for value in PALETTE[number])


def test_fills_are_translucent_and_overlaps_are_stripes_of_the_same_colours() -> None:
    size = (800, 1000)
    masks = {
        "globules": square(size, 100, 100, 400),
        "streaks": square(size, 300, 300, 400),
        "milia": square(size, 320, 250, 200),
    }
    picture = draw_attributes(canvas(size), masks, square(size, 50, 50, 700))
    assert tints(picture[120:280, 120:280]) == {tinted(0)}
    assert tints(picture[540:680, 520:680]) == {tinted(1)}
    # Inside all three: a third of each.
    overlap = picture[340:480, 320:430]
    assert tints(overlap) == {tinted(0), tinted(1), tinted(2)}
    for number in range(3):
        share = (overlap == tinted(number)).all(axis=2).mean()
        assert share == pytest.approx(1 / 3, abs=0.06)


def test_a_class_keeps_its_colour_where_others_are_missing() -> None:
    size = (800, 1000)
    nothing = np.zeros(size, np.bool_)
    found = square(size, 100, 100, 300)
    picture = draw_attributes(canvas(size), {"a": nothing, "b": found}, square(size, 50, 50, 600))
    assert tints(picture[150:350, 150:350]) == {tinted(1)}


def test_the_legend_shows_the_colours_of_what_was_found_alone() -> None:
    size = (800, 1000)
    masks = {"a": square(size, 100, 100, 300), "b": np.zeros(size, np.bool_)}
    picture = draw_attributes(canvas(size), masks, square(size, 50, 50, 600))
    legend = tints(picture[800:])
    assert PALETTE[0] in legend
    assert PALETTE[1] not in legend
    assert picture.shape[1] == 1000
    assert 820 < picture.shape[0] < 900


def test_what_is_said_makes_the_legend_longer() -> None:
    size = (700, 700)
    lesion, nothing = square(size, 100, 100, 300), np.zeros(size, np.bool_)
    silent = draw_attributes(canvas(size), {"a": nothing}, lesion)
    noted = draw_attributes(canvas(size), {"a": nothing}, lesion, note="(experimental)")
    assert np.array_equal(silent[:700], noted[:700])
    dark = [np.count_nonzero(picture[700:].max(axis=2) < 200) for picture in (silent, noted)]
    assert 0 < dark[0] < dark[1]


@pytest.mark.parametrize(
    ("size", "max_side", "expected"),
    [
        ((800, 1000), None, (800, 1000)),
        ((1600, 2000), 1024, (819, 1024)),
        ((225, 300), 1024, (450, 600)),
        ((225, 300), 400, (225, 300)),
        ((400, 500), 1024, (400, 500)),
    ],
)
def test_small_images_are_enlarged_and_large_ones_reduced(
    size: tuple[int, int], max_side: int | None, expected: tuple[int, int]
) -> None:
    mask = square(size, 50, 50, 100)
    picture = draw_attributes(canvas(size), {"a": mask}, mask, max_side=max_side)
    assert picture.shape[1] == expected[1]
    assert 10 < picture.shape[0] - expected[0] < 90


def test_a_name_that_is_wider_than_the_image_fits() -> None:
    size = (600, 40)
    mask = square(size, 10, 10, 20)
    picture = draw_attributes(canvas(size), {"a_very_long_name_of_a_structure": mask}, mask)
    assert picture.shape[1] > 200
    assert (picture[: size[0], 60:] == 255).all()
    assert (picture[:, -3:] == 255).all()


def test_neither_image_nor_masks_are_changed() -> None:
    size = (800, 1000)
    image, mask = canvas(size), square(size, 100, 100, 300)
    before = mask.copy()
    draw_attributes(image, {"a": mask}, mask)
    assert (image == GREY).all()
    assert np.array_equal(mask, before)


def test_doubt_of_the_lesion_stands_in_a_corner() -> None:
    image = np.full((600, 800, 3), 180, np.uint8)
    lesion = np.zeros((600, 800), np.bool_)
    lesion[200:400, 300:500] = True
    masks = {"globules": lesion}
    warned = draw_attributes(image, masks, lesion, quality=Quality(0.4, review=True))
    calm = draw_attributes(image, masks, lesion, quality=Quality(0.9, review=False))
    red = (176, 48, 0)
    assert (warned == red).all(axis=-1).sum() > 1000
    assert not (calm == red).all(axis=-1).any()
    assert np.array_equal(warned[200:400, 300:500], calm[200:400, 300:500])
