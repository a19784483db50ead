from __future__ import annotations

import numpy as np
import pytest

from dermseg.phantom.chromophores import Chromophores, change_skin_tone, render
from dermseg.phantom.skin import skin_color

SKIN = np.array([200, 160, 140], np.float32)


def layers(melanin: float = 0, blood: float = 0, deep: float = 0) -> Chromophores:
    return Chromophores(
        *(np.full((2, 3), density, np.float32) for density in (melanin, blood, deep))
    )


def test_without_densities_the_skin_keeps_its_colour() -> None:
    image = render(SKIN, layers())
    assert image.shape == (2, 3, 3)
    assert image.dtype == np.uint8
    assert (image == SKIN).all()


def test_densities_take_light_by_the_exponential_law() -> None:
    # Green under melanin 1: 160 * (0.05 + 0.95 * exp(-0.64)) = 88.1
    assert render(SKIN, layers(melanin=1))[0, 0, 1] == 88


def test_melanin_turns_skin_brown_and_then_dark() -> None:
    tan, brown, black = (render(SKIN, layers(melanin=m))[0, 0].astype(int) for m in (0.4, 1.2, 6))
    for color in (tan, brown):
        assert color[0] > color[1] > color[2]
    assert tan.sum() > brown.sum() > black.sum()


def test_blood_is_pink_and_deep_pigment_bluish() -> None:
    pink = render(SKIN, layers(blood=0.4))[0, 0] / SKIN
    assert pink[0] > pink[2] > pink[1]
    blue = render(SKIN, layers(deep=0.8))[0, 0] / SKIN
    assert blue[2] > blue[1] > blue[0]


def test_densities_below_zero_lighten_up_to_white() -> None:
    assert (render(SKIN, layers(melanin=-0.1))[0, 0] > SKIN).all()
    assert (render(SKIN, layers(melanin=-5))[0, 0] == 255).all()


def test_layers_add_and_scale() -> None:
    total = layers(1, 2, 3) + layers(0.5, 0, 1).scaled(2)
    assert (total.melanin[0, 0], total.blood[0, 0], total.deep[0, 0]) == pytest.approx((2, 2, 5))


def test_tone_is_moved_by_adding_to_the_absorbance() -> None:
    colors = np.array([[0.8, 0.6, 0.5], [0.3, 0.2, 0.1]], np.float32)
    found = change_skin_tone(colors, 0.7, lesion_share=1.0)
    # As melanin of a lesion: (0.27, 0.64, 1.00) times 0.7. The surface reflects 0.05.
    before, after = (-np.log((each - 0.05) / 0.95) for each in (colors, found))
    assert after - before == pytest.approx(np.array([[0.189, 0.448, 0.7]] * 2), abs=1e-3)


def test_no_change_of_tone_changes_nothing_and_a_change_back_restores() -> None:
    colors = np.random.default_rng(0).random((5, 7, 3), dtype=np.float32) * np.float32(0.9)
    assert np.array_equal(change_skin_tone(colors, 0.0), colors)
    again = change_skin_tone(change_skin_tone(colors, 0.8), -0.8)
    assert again == pytest.approx(colors, abs=1e-5)


def test_what_is_darker_than_any_skin_stays_and_nothing_gets_brighter_than_white() -> None:
    dark = np.full((1, 1, 3), 0.03, np.float32)
    assert np.array_equal(change_skin_tone(dark, 1.5), dark)
    assert change_skin_tone(np.full((1, 1, 3), 0.9, np.float32), -2.0).max() == 1


def test_light_skin_with_more_melanin_has_the_colour_of_the_phantoms_dark_skin() -> None:
    rng = [np.random.default_rng(seed) for seed in range(200)]
    light, dark = (
        np.mean([skin_color(each, ita) for each in rng], axis=0) / 255 for ita in (70, -30)
    )
    found = change_skin_tone(light.astype(np.float32), 1.0)
    assert found == pytest.approx(dark, abs=0.015)
