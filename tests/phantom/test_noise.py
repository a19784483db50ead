from __future__ import annotations

import numpy as np
import pytest

from dermseg.phantom.noise import fractal_noise, oriented_noise, smoothstep


@pytest.mark.parametrize(("cells", "octaves"), [(12, 1), (12, 4), (60, 2), (400, 1)])
def test_fractal_noise_is_centred_and_of_unit_spread(cells: float, octaves: int) -> None:
    fields = [
        fractal_noise(np.random.default_rng(seed), (192, 256), cells=cells, octaves=octaves)
        for seed in range(10)
    ]
    assert np.mean(fields) == pytest.approx(0, abs=0.1)
    assert np.std(fields) == pytest.approx(1, abs=0.2)


def test_fractal_noise_is_the_same_at_every_size() -> None:
    small, large = (
        fractal_noise(np.random.default_rng(3), size, cells=5, octaves=3)
        for size in [(96, 128), (960, 1280)]
    )
    reduced = large.reshape(96, 10, 128, 10).mean(axis=(1, 3))
    assert np.corrcoef(small.ravel(), reduced.ravel())[0, 1] > 0.99


def test_the_callers_stream_goes_on_the_same_whatever_was_asked() -> None:
    first, second = np.random.default_rng(1), np.random.default_rng(1)
    fractal_noise(first, (64, 64), cells=4, octaves=5)
    oriented_noise(second, (200, 90), cells=9, stretch=3, angle=1.0)
    assert first.random() == second.random()


def test_more_octaves_add_finer_detail() -> None:
    smooth, rough = (
        fractal_noise(np.random.default_rng(2), (192, 256), cells=4, octaves=octaves)
        for octaves in (1, 5)
    )
    assert np.abs(np.diff(rough, axis=0)).mean() > 1.7 * np.abs(np.diff(smooth, axis=0)).mean()


@pytest.mark.parametrize(("angle", "along"), [(0.0, 1), (np.pi / 2, 0)])
def test_oriented_noise_varies_least_along_its_grain(angle: float, along: int) -> None:
    field = oriented_noise(np.random.default_rng(0), (192, 256), cells=24, stretch=5, angle=angle)
    steps = [np.abs(np.diff(field, axis=axis)).mean() for axis in (0, 1)]
    assert steps[along] < 0.35 * steps[1 - along]
    assert field.std() == pytest.approx(1, abs=0.25)


def test_smoothstep_rises_from_zero_to_one() -> None:
    values = np.array([-1, 0, 0.5, 1, 1.5, 2, 3], np.float32)
    expected = [0, 0, 0.15625, 0.5, 0.84375, 1, 1]  # 3 t^2 - 2 t^3 at t = values / 2
    np.testing.assert_allclose(smoothstep(values, 0, 2), expected, atol=1e-6)
