from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dermseg.errors import UsageError
from dermseg.phantom.artefacts import (
    ARTEFACTS,
    add_blur,
    add_color_cast,
    add_dark_corners,
    add_noise,
    add_uneven_light,
    draw_gel_bubbles,
    draw_hairs,
    draw_ruler,
    lower_contrast,
)
from dermseg.types import ImageArray, Size

NAMES = sorted(ARTEFACTS)
SKIN = (205, 165, 145)


def skin(size: Size = (192, 256)) -> ImageArray:
    return np.full((*size, 3), SKIN, np.uint8)


def photograph(size: Size = (192, 256)) -> ImageArray:
    """Skin with a dark disc and some grain: something for every artefact to change."""
    rng = np.random.default_rng(5)
    y, x = np.mgrid[: size[0], : size[1]]
    image = skin(size) + rng.normal(0, 4, (*size, 3))
    image[np.hypot(y - size[0] / 2, x - size[1] / 2) < min(size) / 4] -= 90
    return np.clip(image, 0, 255).astype(np.uint8)


def change(name: str, strength: float, seed: int = 0) -> float:
    """Mean absolute change in grey levels."""
    image = photograph()
    changed = ARTEFACTS[name](image, np.random.default_rng(seed), strength=strength)
    return float(np.abs(changed.astype(float) - image).mean())


@pytest.mark.parametrize("name", NAMES)
def test_an_artefact_changes_the_image_and_keeps_its_form(name: str) -> None:
    image = photograph()
    changed = ARTEFACTS[name](image, np.random.default_rng(1), strength=0.6)
    assert changed.shape == image.shape
    assert changed.dtype == np.uint8
    assert (changed != image).any()


@pytest.mark.parametrize("name", NAMES)
def test_strength_zero_gives_an_equal_copy(name: str) -> None:
    image = photograph()
    same = ARTEFACTS[name](image, np.random.default_rng(1), strength=0.0)
    np.testing.assert_array_equal(same, image)
    assert not np.shares_memory(same, image)


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("strength", [0.0, 0.7])
def test_the_given_image_is_not_changed(name: str, strength: float) -> None:
    image = photograph()
    image.flags.writeable = False
    before = image.copy()
    ARTEFACTS[name](image, np.random.default_rng(2), strength=strength)
    np.testing.assert_array_equal(image, before)


@pytest.mark.parametrize("name", NAMES)
def test_equal_generators_draw_the_same_and_others_do_not(name: str) -> None:
    image = photograph()
    first, second, other = (
        ARTEFACTS[name](image, np.random.default_rng(seed), strength=0.5) for seed in (3, 3, 4)
    )
    np.testing.assert_array_equal(first, second)
    assert (first != other).any()


@pytest.mark.parametrize("name", NAMES)
def test_more_strength_changes_more(name: str) -> None:
    weak, strong = (
        np.mean([change(name, strength, seed) for seed in range(8)]) for strength in (0.15, 0.9)
    )
    assert strong > 1.5 * weak > 0


@pytest.mark.parametrize("name", NAMES)
@settings(deadline=None, max_examples=25)
@given(
    size=st.tuples(st.integers(1, 70), st.integers(1, 70)),
    strength=st.floats(0, 1),
    seed=st.integers(0, 1000),
)
def test_any_image_and_strength_is_taken(name: str, size: Size, strength: float, seed: int) -> None:
    image = np.random.default_rng(seed).integers(0, 256, (*size, 3), np.uint8)
    changed = ARTEFACTS[name](image, np.random.default_rng(seed), strength=strength)
    assert changed.shape == image.shape
    assert changed.dtype == np.uint8


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("strength", [-0.1, 1.1, float("nan")])
def test_a_strength_outside_its_range_is_refused(name: str, strength: float) -> None:
    with pytest.raises(UsageError, match=r"strength is .*from 0 \(off\) to 1"):
        ARTEFACTS[name](skin(), np.random.default_rng(0), strength=strength)


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize(
    "image",
    [
        np.zeros((20, 30), np.uint8),
        np.zeros((20, 30, 4), np.uint8),
        np.zeros((20, 30, 3), np.float32),
        np.zeros((0, 30, 3), np.uint8),
    ],
    ids=["grey", "four channels", "float", "empty"],
)
def test_what_is_no_rgb_image_is_refused(name: str, image: ImageArray) -> None:
    with pytest.raises(UsageError, match="RGB images of shape"):
        ARTEFACTS[name](image, np.random.default_rng(0), strength=0.5)


@pytest.mark.parametrize("draw", [draw_hairs, draw_gel_bubbles, draw_ruler])
def test_lines_are_in_the_same_place_at_every_size(
    draw: Callable[..., ImageArray],
) -> None:
    small, large = (
        draw(skin(size), np.random.default_rng(11), strength=0.8)
        for size in [(192, 256), (768, 1024)]
    )
    reduced = large.reshape(192, 4, 256, 4, 3).mean(axis=(1, 3))
    drawn = [(image - np.array(SKIN, float)).ravel() for image in (small, reduced)]
    assert min(np.abs(change).max() for change in drawn) > 40
    # One ruled by the pixel grid of each size would agree far less.
    assert np.corrcoef(*drawn)[0, 1] > 0.75


def test_hairs_are_thin_and_leave_most_skin_alone() -> None:
    hairy = draw_hairs(skin(), np.random.default_rng(0), strength=0.3)
    share = (np.abs(hairy.astype(int) - SKIN).max(axis=2) > 12).mean()
    assert 0.005 < share < 0.3


def test_dark_corners_darken_the_corners_and_not_the_middle() -> None:
    for seed in range(5):
        image = add_dark_corners(skin(), np.random.default_rng(seed), strength=0.7)
        np.testing.assert_array_equal(image[86:106, 118:138], skin((20, 20)))
        corners = image[[0, 0, -1, -1], [0, -1, 0, -1]]
        assert (corners.mean(axis=0) < 0.5 * np.array(SKIN)).all()


def test_uneven_light_changes_brightness_smoothly_and_keeps_the_colour() -> None:
    image = add_uneven_light(skin(), np.random.default_rng(0), strength=0.8).astype(float)
    assert np.abs(np.diff(image, axis=0)).max() <= 4
    assert np.abs(np.diff(image, axis=1)).max() <= 4
    grey = image.mean(axis=2)
    assert grey.min() < 0.8 * grey.max()
    bright = grey > 60
    np.testing.assert_allclose((image[..., 0] / image[..., 2])[bright], 205 / 145, rtol=0.03)


def test_a_color_cast_changes_the_colour_and_keeps_the_brightness() -> None:
    grey = np.full((8, 8, 3), 128, np.uint8)
    casts = np.array(
        [add_color_cast(grey, np.random.default_rng(s), strength=1.0)[0, 0] for s in range(20)]
    )
    assert np.ptp(casts, axis=1).mean() > 15
    np.testing.assert_allclose(casts @ (0.299, 0.587, 0.114), 128, atol=4)


def test_lower_contrast_scales_the_standard_deviation_and_keeps_the_mean() -> None:
    image = photograph()
    faded = lower_contrast(image, np.random.default_rng(0), strength=1.0)
    ratio = faded.std(axis=(0, 1)) / image.std(axis=(0, 1))
    assert ((ratio > 0.18) & (ratio < 0.28)).all()
    np.testing.assert_allclose(faded.mean(axis=(0, 1)), image.mean(axis=(0, 1)), atol=1)


def test_blur_spreads_an_edge_over_a_share_of_the_image() -> None:
    edge = np.zeros((200, 200, 3), np.uint8)
    edge[:, 100:] = 255
    row = add_blur(edge, np.random.default_rng(0), strength=1.0)[100, :, 0].astype(float)
    sigma = np.sqrt(np.average((np.arange(199) - 99) ** 2, weights=np.diff(row)))
    assert 0.8 * 4 < sigma < 1.05 * 4  # 1/50 of the shorter side, up to 15 % less


def test_noise_has_the_stated_spread_and_no_bias() -> None:
    image = np.full((200, 200, 3), 128, np.uint8)
    noise = add_noise(image, np.random.default_rng(0), strength=1.0).astype(float) - 128
    assert noise.std() == pytest.approx(np.hypot(12, 20), rel=0.03)
    assert noise.mean() == pytest.approx(0, abs=0.5)
