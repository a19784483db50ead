from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from dermseg.errors import UsageError
from dermseg.phantom import ARTEFACTS, PhantomOptions
from dermseg.phantom.options import draw_parameters


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ({"ita_degrees": -61}, "ita_degrees is -61; give a number from -60 to 85"),
        ({"ita_degrees": 85.5}, "ita_degrees is 85.5"),
        ({"ita_degrees": float("nan")}, "ita_degrees is nan"),
        ({"contrast": 0.0}, "contrast is 0.0; give a number from 0.02 to 0.85"),
        ({"contrast": 1.0}, "contrast is 1.0"),
        ({"area_share": 0.0}, "area_share is 0.0; give a number from 0.005 to 0.8"),
        ({"area_share": 0.9}, "area_share is 0.9"),
        (
            {"artefacts": {"hair": 0.5}},
            "no artefact is called 'hair'; there are hairs, gel_bubbles",
        ),
        ({"artefacts": {"hairs": 1.5}}, "strength of 'hairs' is 1.5; give a number from 0"),
        ({"artefacts": {"blur": -1.0}}, "strength of 'blur' is -1.0"),
    ],
)
def test_a_value_out_of_range_is_refused_by_name(values: dict[str, Any], message: str) -> None:
    with pytest.raises(UsageError) as caught:
        PhantomOptions(**values)
    assert message in str(caught.value)


def test_the_ends_of_the_ranges_are_accepted() -> None:
    PhantomOptions(-60, 0.02, 0.005, {"hairs": 0.0})
    PhantomOptions(85, 0.85, 0.8, {"hairs": 1.0})


def test_artefacts_not_named_are_off() -> None:
    options = PhantomOptions(artefacts={"blur": 0.25})
    drawn = draw_parameters(np.random.default_rng(0), options).artefacts
    assert drawn == {name: 0.25 if name == "blur" else 0.0 for name in ARTEFACTS}


def test_every_artefact_but_ink_is_drawn_sometimes_and_none_always() -> None:
    rng = np.random.default_rng(0)
    draws = [draw_parameters(rng, PhantomOptions()).artefacts for _ in range(400)]
    for name in ARTEFACTS.keys() - {"ink"}:
        strengths = np.array([draw[name] for draw in draws])
        assert 0.03 < (strengths > 0).mean() < 0.97, name
        assert strengths.max() <= 1
        assert len(np.unique(strengths)) > 10


def test_tones_are_drawn_from_dark_to_very_light() -> None:
    rng = np.random.default_rng(0)
    tones = [draw_parameters(rng, PhantomOptions()).ita_degrees for _ in range(400)]
    assert min(tones) < -10
    assert max(tones) > 75
    assert -60 <= min(tones) <= max(tones) <= 85
