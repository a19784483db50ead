"""Make masks of attributes, and score them with the official scorer of ISIC 2018 Task 2.

Writes `truth/`, `predictions/` and `scores.json` beside this file. Run it in an environment of
its own, because the scorer brings pandas:

    pip install isic-challenge-scoring==5.6.0
    python make_golden.py
"""

from __future__ import annotations

import importlib.metadata
import json
from pathlib import Path
from typing import TypeAlias

import numpy as np
from isic_challenge_scoring import task2  # type: ignore[import-not-found]
from numpy.typing import NDArray
from PIL import Image

Mask: TypeAlias = NDArray[np.bool_]

FOLDER = Path(__file__).parent
# Images of several sizes: every one weighs the same.
SIZES = ((24, 32), (48, 64), (30, 20))
SMALL_SIZE = (16, 16)


def blobs(size: tuple[int, int], share: float, seed: int) -> Mask:
    """Scattered squares that cover about ``share`` of the image."""
    generator = np.random.default_rng(seed)
    coarse = generator.random((size[0] // 2 + 1, size[1] // 2 + 1)) < share
    return np.repeat(np.repeat(coarse, 2, axis=0), 2, axis=1)[: size[0], : size[1]]


def cases(size: tuple[int, int], seed: int) -> dict[str, tuple[Mask, Mask]]:
    """Truth and prediction by attribute."""
    empty, full = np.zeros(size, np.bool_), np.ones(size, np.bool_)
    network = blobs(size, 0.3, seed)
    return {
        "globules": (blobs(size, 0.05, seed + 1), blobs(size, 0.05, seed + 2)),
        "milia_like_cyst": (empty, empty),
        "negative_network": (empty, blobs(size, 0.02, seed + 3)) if seed else (full, full),
        "pigment_network": (network, network & blobs(size, 0.8, seed + 4)),
        "streaks": (blobs(size, 0.02, seed + 5), empty),
    }


def rectangle(top: int, left: int, height: int, width: int) -> Mask:
    mask = np.zeros(SMALL_SIZE, np.bool_)
    mask[top : top + height, left : left + width] = True
    return mask


def small_cases() -> dict[str, tuple[Mask, Mask]]:
    """Masks of one pixel, masks that touch, and the whole image."""
    pixel, full = rectangle(7, 7, 1, 1), rectangle(0, 0, *SMALL_SIZE)
    return {
        "globules": (pixel, pixel),
        "milia_like_cyst": (full & False, full & False),
        "negative_network": (pixel, full),
        "pigment_network": (rectangle(2, 2, 8, 4), rectangle(2, 6, 8, 4)),
        "streaks": (pixel, rectangle(7, 8, 1, 1)),
    }


def main() -> None:
    truths, predictions = FOLDER / "truth", FOLDER / "predictions"
    for folder in (truths, predictions):
        folder.mkdir(exist_ok=True)
    images = [cases(size, 10 * number) for number, size in enumerate(SIZES)]
    for number, attributes in enumerate([*images, small_cases()]):
        for attribute, masks in attributes.items():
            for folder, mask in zip((truths, predictions), masks, strict=True):
                file = folder / f"ISIC_{number:07}_attribute_{attribute}.png"
                Image.fromarray(mask.astype(np.uint8) * 255).save(file, optimize=True)
    version = importlib.metadata.version("isic-challenge-scoring")
    content = {
        "scorer": f"isic-challenge-scoring {version}, task2",
        "scores": task2.score(truths, predictions),
    }
    (FOLDER / "scores.json").write_text(json.dumps(content, indent=1, default=float) + "\n")


if __name__ == "__main__":
    main()
