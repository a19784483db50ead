"""Skin around the lesion: its tone, its mottling and its relief."""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

from dermseg.phantom.chromophores import Chromophores
from dermseg.phantom.noise import fractal_noise, oriented_noise, smoothstep
from dermseg.types import Size

__all__ = ["create_skin_texture", "skin_color"]


def skin_color(rng: np.random.Generator, ita_degrees: float) -> NDArray[np.float32]:
    """Mean colour of skin of a tone.

    The Individual Typology Angle fixes the direction of (b*, L* - 50); how far from grey the skin
    is, and how pink, is drawn. Above 55 degrees skin counts as very light, below -30 as dark.

    Args:
        rng: Source of chroma and redness.
        ita_degrees: atan2(L* - 50, b*) in degrees (D65).

    Returns:
        (3,) float32 sRGB in 0 to 255.

    References:
        Chardon et al. (1991), doi:10.1111/j.1467-2494.1991.tb00561.x.
    """
    angle = np.radians(ita_degrees)
    light = float(np.clip(ita_degrees / 60, 0, 1))
    distance = rng.uniform(15, 20) + light * rng.uniform(4, 22)
    redness = rng.normal(8.5, 2.5) + light
    lab = [50 + distance * np.sin(angle), float(np.clip(redness, 3, 18)), distance * np.cos(angle)]
    rgb = cv2.cvtColor(np.array([[lab]], np.float32), cv2.COLOR_Lab2RGB)
    return np.asarray(np.clip(255 * rgb[0, 0], 0, 255), np.float32)


def create_skin_texture(rng: np.random.Generator, size: Size) -> Chromophores:
    """Mottling, freckles and fine lines of healthy skin, as densities around zero.

    Args:
        rng: Source of everything that differs between patients.
        size: (height, width).
    """
    melanin = 0.03 * rng.uniform(0.4, 1.4) * fractal_noise(rng, size, cells=3, octaves=7, gain=0.7)
    melanin += (
        0.02 * rng.uniform(0.3, 1.5) * fractal_noise(rng, size, cells=48, octaves=3, gain=0.8)
    )

    blood = 0.045 * rng.uniform(0.3, 1.6) * fractal_noise(rng, size, cells=4, octaves=6, gain=0.75)

    # Relief shows here and there: where light grazes the skin and the gel does not level it.
    relief = rng.uniform(0.1, 1.0) * smoothstep(fractal_noise(rng, size, cells=3, octaves=2), -1, 1)
    grain = rng.uniform(0, np.pi)
    for angle in (grain, grain + rng.uniform(0.8, 1.6)):
        lines = oriented_noise(
            rng, size, cells=rng.uniform(30, 70), stretch=rng.uniform(2, 5), angle=angle
        )
        melanin += np.float32(0.024) * relief * lines

    melanin -= melanin.mean()  # the asked tone is the tone of the whole
    blood -= blood.mean()
    if rng.random() < 0.3:  # freckles, sun spots, other small moles
        spots = fractal_noise(rng, size, cells=rng.uniform(6, 16), octaves=2, gain=0.35)
        melanin += np.float32(rng.uniform(0.1, 0.5)) * smoothstep(spots, 1.3, 3.2)
    return Chromophores(melanin, blood, np.zeros(size, np.float32))
