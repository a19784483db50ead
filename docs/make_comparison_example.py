"""Write generated true masks and the masks of three made-up models, to try the comparison on."""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from dermseg.images import write_mask

_SIZE = (96, 128)
_NUM_IMAGES = 40


def main(folder: Path) -> None:
    """Write ``truth``, ``steady``, ``similar`` and ``coarse``, 40 masks each."""
    generator = np.random.default_rng(0)
    for name in ("truth", "steady", "similar", "coarse"):
        (folder / name).mkdir(parents=True, exist_ok=True)
    for number in range(_NUM_IMAGES):
        centre = generator.uniform((36, 44), (60, 84))
        axes = generator.uniform(14, 30, 2)
        # How hard an image is, is the same for every model: that is what pairing takes out.
        hard = generator.exponential(1.5)
        masks = {
            "truth": _ellipse(centre, axes),
            "steady": _miss(centre, axes, hard, generator),
            "similar": _miss(centre, axes, hard, generator),
            "coarse": _miss(centre, axes, hard + 1.5, generator),
        }
        for name, mask in masks.items():
            write_mask(folder / name / f"generated_{number:02d}_segmentation.png", mask)


def _miss(
    centre: NDArray[np.float64],
    axes: NDArray[np.float64],
    pixels: float,
    generator: np.random.Generator,
) -> NDArray[np.bool_]:
    """The ellipse, shifted by so many pixels in some direction and a little too large or small."""
    angle = generator.uniform(0, 2 * np.pi)
    shift = pixels * np.array([np.sin(angle), np.cos(angle)])
    return _ellipse(centre + shift, axes + generator.normal(0, 1, 2))


def _ellipse(centre: NDArray[np.float64], axes: NDArray[np.float64]) -> NDArray[np.bool_]:
    y, x = np.mgrid[: _SIZE[0], : _SIZE[1]]
    return np.asarray(((y - centre[0]) / axes[0]) ** 2 + ((x - centre[1]) / axes[1]) ** 2 <= 1)


if __name__ == "__main__":
    main(Path(sys.argv[1]))
