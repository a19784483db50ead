from __future__ import annotations

import numpy as np
import pytest

from dermseg.phantom.chromophores import Chromophores
from dermseg.phantom.lesion import Lesion, create_lesion
from dermseg.phantom.pigment import create_pigment

SKIN = np.array([205, 170, 150], np.float32)
LUMA = np.array([0.299, 0.587, 0.114])


@pytest.fixture(params=range(6))
def pigmented(request: pytest.FixtureRequest) -> tuple[Lesion, Chromophores]:
    lesion = create_lesion(np.random.default_rng(request.param), (192, 256), area_share=0.15)
    rng = np.random.default_rng(100 + request.param)
    return lesion, create_pigment(rng, lesion, SKIN, contrast=0.35)


def test_pigment_lies_in_the_lesion_and_fades_out_around_it(
    pigmented: tuple[Lesion, Chromophores],
) -> None:
    lesion, pigment = pigmented
    total = pigment.melanin + pigment.blood + pigment.deep
    core, rim, skin = (
        float(total[place].mean())
        for place in (
            lesion.depth > 0.4,
            np.abs(lesion.depth) < 0.05,
            (lesion.depth < -0.1) & (lesion.depth > -0.3),
        )
    )
    assert core > rim > skin >= 0
    assert total[lesion.depth < -0.6].max() == 0


def test_the_contrast_is_met_in_grey_levels(pigmented: tuple[Lesion, Chromophores]) -> None:
    lesion, pigment = pigmented
    grey = (pigment.transmission() * SKIN) @ LUMA
    assert 1 - grey[lesion.mask].mean() / (SKIN @ LUMA) == pytest.approx(0.35, abs=0.01)


def test_a_lesion_has_several_colours(pigmented: tuple[Lesion, Chromophores]) -> None:
    lesion, pigment = pigmented
    light = pigment.transmission()[lesion.mask]
    low, high = np.quantile(light, [0.05, 0.95], axis=0)
    assert (high - low > 0.08).all()
