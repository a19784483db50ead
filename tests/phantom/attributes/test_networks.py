import numpy as np
import pytest

from dermseg.phantom.attributes.networks import mesh


@pytest.mark.parametrize("spacing", [5.0, 10.0, 24.0])
def test_a_mesh_has_as_many_holes_as_its_spacing_says(spacing: float) -> None:
    distance = mesh(np.random.default_rng(0), (240, 240), spacing, jitter=0.4, stretch=1.0)
    below = distance[1:-1, 1:-1] > 0.3
    for y, x in ((0, 1), (1, 0), (0, -1), (-1, 0), (1, 1), (-1, -1), (1, -1), (-1, 1)):
        neighbour = np.roll(distance, (y, x), (0, 1))[1:-1, 1:-1]
        below &= distance[1:-1, 1:-1] >= neighbour
    expected = 240**2 / spacing**2
    assert 0.6 * expected < below.sum() < 1.8 * expected


def test_a_mesh_is_zero_on_its_lines_and_nearly_half_a_spacing_amid_its_holes() -> None:
    distance = mesh(np.random.default_rng(1), (200, 200), 20.0, jitter=0.3, stretch=1.0)
    assert distance.dtype == np.float32
    assert distance.min() < 0.06
    assert 0.33 < np.quantile(distance, 0.99) < 0.55


def test_a_mesh_follows_its_generator() -> None:
    first, same, other = (
        mesh(np.random.default_rng(seed), (64, 80), 8.0, jitter=0.4, stretch=1.2)
        for seed in (2, 2, 3)
    )
    assert np.array_equal(first, same)
    assert not np.array_equal(first, other)
