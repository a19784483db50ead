from __future__ import annotations

import numpy as np
import pytest
from skimage.color import rgb2lab

from dermseg.phantom import PhantomOptions, create_phantom
from dermseg.phantom.skin import create_skin_texture, skin_color


def ita(lab: np.ndarray) -> float:
    return float(np.degrees(np.arctan2(lab[0] - 50, lab[2])))


@pytest.mark.parametrize("ita_degrees", [-30.0, -10.0, 10.0, 28.0, 41.0, 60.0])
def test_the_skin_of_a_phantom_has_the_asked_tone(ita_degrees: float) -> None:
    options = PhantomOptions(ita_degrees=ita_degrees, area_share=0.1, artefacts={})
    for seed in range(8):
        phantom = create_phantom(seed, options=options)
        skin = phantom.image[phantom.lesion.depth < -0.6]
        lab = np.median(rgb2lab(skin[None] / 255.0)[0], axis=0)
        assert ita(lab) == pytest.approx(ita_degrees, abs=3)


@pytest.mark.parametrize("ita_degrees", [-60.0, -30.0, 0.0, 60.0, 85.0])
def test_the_skin_colour_is_a_skin_colour(ita_degrees: float) -> None:
    for seed in range(20):
        rgb = skin_color(np.random.default_rng(seed), ita_degrees)
        assert ita(rgb2lab(rgb[None, None] / 255.0)[0, 0]) == pytest.approx(ita_degrees, abs=1)
        assert 255 >= rgb[0] > rgb[1] > 0  # red before green on every tone


def test_lighter_tones_are_brighter() -> None:
    means = [
        np.mean([skin_color(np.random.default_rng(seed), tone).mean() for seed in range(20)])
        for tone in (-30, 0, 30, 60)
    ]
    assert means == sorted(means)


def test_the_texture_is_weak_and_centred() -> None:
    for seed in range(10):
        texture = create_skin_texture(np.random.default_rng(seed), (96, 128))
        assert abs(np.median(texture.melanin)) < 0.03
        assert abs(texture.blood.mean()) < 1e-4
        assert 0.01 < texture.melanin.std() < 0.2
        assert 0.01 < texture.blood.std() < 0.15
        assert not texture.deep.any()
