"""The colour of light, against published values."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from dermseg.augmentation.color import RandomChannelGain, RandomColorTemperature, light_color
from dermseg.torchvision_import import tv_tensors


@pytest.mark.parametrize(
    ("kelvin", "x", "y"),
    # CIE 15: chromaticities of the Planckian locus.
    [
        (4000, 0.3805, 0.3768),
        (5000, 0.3451, 0.3516),
        (6504, 0.3135, 0.3237),
        (10000, 0.2807, 0.2884),
    ],
)
def test_light_has_the_chromaticity_of_a_glowing_body(kelvin: float, x: float, y: float) -> None:
    to_xyz = np.array(
        [
            [0.4124564, 0.3575761, 0.1804375],
            [0.2126729, 0.7151522, 0.0721750],
            [0.0193339, 0.1191920, 0.9503041],
        ]
    )
    xyz = to_xyz @ light_color(kelvin)
    assert xyz[0] / xyz.sum() == pytest.approx(x, abs=2e-3)
    assert xyz[1] / xyz.sum() == pytest.approx(y, abs=2e-3)
    assert xyz[1] == pytest.approx(1, abs=1e-3)


def test_warm_light_is_red_and_cold_light_blue() -> None:
    warm, cold = light_color(4500), light_color(12000)
    assert warm[0] > warm[2]
    assert cold[2] > cold[0]


def test_colour_temperature_moves_red_against_blue_and_keeps_grey_bright() -> None:
    grey = tv_tensors.Image(torch.full((3, 4, 4), 0.5))
    transform = RandomColorTemperature(40.0)
    ratios = []
    for seed in range(50):
        torch.manual_seed(seed)
        red, green, blue = transform(grey)[:, 0, 0].tolist()
        ratios.append(red / blue)
        linear = np.array([red, green, blue]) ** 2.2
        assert linear @ (0.2126, 0.7152, 0.0722) == pytest.approx(0.5**2.2, rel=1e-3)
    assert min(ratios) < 0.95
    assert max(ratios) > 1.05


def test_temperatures_move_along_one_line_and_gains_in_every_direction() -> None:
    grey = tv_tensors.Image(torch.full((3, 1, 1), 0.5))
    spread = {}
    for transform in (RandomColorTemperature(40.0), RandomChannelGain(0.1)):
        torch.manual_seed(0)
        colours = np.log([transform(grey).flatten().tolist() for _ in range(200)])
        values = np.linalg.svd(colours - colours.mean(axis=0), compute_uv=False)
        spread[type(transform)] = values / values[0]
    assert spread[RandomColorTemperature][1] < 0.05
    assert spread[RandomChannelGain][2] > 0.5
