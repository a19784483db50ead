"""The colour of light, against published values."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from dermseg.augmentation import Augmenter
from dermseg.augmentation.color import (
    RandomChannelGain,
    RandomColorTemperature,
    RandomGamma,
    RandomSkinTone,
    light_color,
)
from dermseg.recipes import Augmentation
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


def test_gamma_is_one_power_for_all_values_within_its_range() -> None:
    values = tv_tensors.Image(torch.tensor([0.0, 0.25, 0.5, 1.0]).reshape(1, 1, 4).repeat(3, 1, 1))
    powers = []
    for seed in range(60):
        torch.manual_seed(seed)
        zero, quarter, half, one = RandomGamma(0.5)(values)[0, 0].tolist()
        assert (zero, one) == (0, 1)
        assert quarter == pytest.approx(half**2, rel=1e-5)
        powers.append(np.log(half) / np.log(0.5))
    assert 1 / 1.5 - 1e-6 <= min(powers) < 0.75
    assert 1.35 < max(powers) <= 1.5 + 1e-6
    assert np.median(powers) == pytest.approx(1, abs=0.15)


def test_gamma_takes_what_interpolation_leaves_below_zero() -> None:
    changed = RandomGamma(0.5)(tv_tensors.Image(torch.full((3, 2, 2), -1e-7)))
    assert torch.equal(torch.as_tensor(changed), torch.zeros(3, 2, 2))


def test_skin_gets_darker_and_mostly_by_little() -> None:
    skin = tv_tensors.Image(torch.tensor([0.8, 0.63, 0.55]).reshape(3, 1, 1))
    blues = []
    for seed in range(80):
        torch.manual_seed(seed)
        red, green, blue = RandomSkinTone(1.2)(skin).flatten().tolist()
        assert red > green > blue
        blues.append(blue)
    # 0.05 + 0.5 * exp(-1.2) = 0.2006 at most; at the middle rank 0.05 + 0.5 * exp(-0.3) = 0.42.
    assert 0.2006 <= min(blues) < 0.23
    assert max(blues) <= 0.55
    assert np.median(blues) == pytest.approx(0.42, abs=0.05)


@pytest.mark.parametrize("key", ["skin_tone", "gamma"])
def test_what_is_off_draws_no_numbers(key: str) -> None:
    image = np.random.default_rng(0).random((24, 32, 3), dtype=np.float32)
    mask = image[..., 0] > 0.5
    values = {"preset": "dermoscopy", "hairs": 1.0, "noise": 1.0}
    found = [
        Augmenter(Augmentation.model_validate(options), seed=3)(
            image, mask, epoch=2, sample_id="a"
        )[0]
        for options in (values, values | {key: 0.0}, values | {key: 0.5})
    ]
    assert np.array_equal(found[0], found[1])
    assert not np.array_equal(found[0], found[2])
