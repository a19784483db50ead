"""The probability that an image shows an attribute."""

from __future__ import annotations

import numpy as np
import pytest

from dermseg.calibration.attributes import _calibration_error, _Described, _estimate
from dermseg.prediction.presence import describe_presence


def _describe(probabilities: np.ndarray, shown: np.ndarray) -> _Described:
    known = _Described()
    for number, (value, is_shown) in enumerate(zip(probabilities, shown, strict=True)):
        known.features.append(describe_presence(np.full((8, 8), value)))
        known.shown.append(bool(is_shown))
        known.ids.append(f"image {number}")
        known.groups.append(f"lesion {number // 2}")
    return known


def test_probability_is_the_share_of_images_that_show_the_class() -> None:
    rng = np.random.default_rng(0)
    said = rng.uniform(0.01, 0.6, 600)
    # The network is too modest: where it says p, the square root of p show the class.
    known = _describe(said, rng.uniform(size=600) < np.sqrt(said))
    found = _estimate("globules", known)
    assert found is not None
    assert found.error < 0.06
    assert found.num_present == sum(known.shown)
    assert found.auc[1] < found.auc[0] < found.auc[2]
    for value in (0.05, 0.2, 0.5):
        probability = found.model(describe_presence(np.full((8, 8), value)))
        assert probability == pytest.approx(np.sqrt(value), abs=0.1)


def test_class_that_every_image_shows_has_no_estimate() -> None:
    assert _estimate("globules", _describe(np.linspace(0.1, 0.9, 30), np.ones(30))) is None


def test_calibration_error_by_hand() -> None:
    expected = np.array([0.1, 0.2, 0.3, 0.4, 0.5])
    shown = np.array([0.0, 0.0, 0.0, 1.0, 1.0])
    assert _calibration_error(expected, shown) == pytest.approx((0.1 + 0.2 + 0.3 + 0.6 + 0.5) / 5)
