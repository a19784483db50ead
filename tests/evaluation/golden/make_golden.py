"""Make masks, and score them with the official scorer of the ISIC challenges.

Writes `truth/`, `predictions/` and `scores.json` beside this file. Run it in an environment of
its own, because the scorer brings pandas:

    pip install isic-challenge-scoring==5.6.0
    python make_golden.py
"""

from __future__ import annotations

import importlib.metadata
import json
from pathlib import Path
from typing import Any, TypeAlias

import numpy as np
from isic_challenge_scoring import metrics  # type: ignore[import-not-found]
from isic_challenge_scoring.confusion import (  # type: ignore[import-not-found]
    create_binary_confusion_matrix,
)
from isic_challenge_scoring.load_image import (  # type: ignore[import-not-found]
    iter_image_pairs,
)
from isic_challenge_scoring.segmentation import (  # type: ignore[import-not-found]
    SegmentationScore,
)
from numpy.typing import NDArray
from PIL import Image

Mask: TypeAlias = NDArray[np.bool_]

FOLDER = Path(__file__).parent
HEIGHT, WIDTH = 48, 64


def ellipse(y: float, x: float, height: float, width: float) -> Mask:
    rows, columns = np.mgrid[:HEIGHT, :WIDTH]
    inside: Mask = ((rows - y) / height) ** 2 + ((columns - x) / width) ** 2 <= 1
    return inside


def rectangle(top: int, left: int, height: int, width: int) -> Mask:
    mask = np.zeros((HEIGHT, WIDTH), np.bool_)
    mask[top : top + height, left : left + width] = True
    return mask


def cases() -> dict[str, tuple[Mask, Mask]]:
    """Truth and prediction by what is special about them."""
    empty, full = np.zeros((HEIGHT, WIDTH), np.bool_), np.ones((HEIGHT, WIDTH), np.bool_)
    lesion, pixel = ellipse(24, 32, 15, 20), rectangle(10, 11, 1, 1)
    return {
        "equal": (lesion, lesion),
        "both empty": (empty, empty),
        "both full": (full, full),
        "truth empty": (empty, lesion),
        "prediction empty": (lesion, empty),
        "truth full": (full, lesion),
        "prediction full": (lesion, full),
        "full against empty": (full, empty),
        "one pixel found": (pixel, pixel),
        "one pixel missed": (pixel, rectangle(10, 12, 1, 1)),
        "touching along an edge": (rectangle(10, 10, 20, 20), rectangle(10, 30, 20, 20)),
        "touching the border": (ellipse(0, 0, 20, 30), ellipse(2, 2, 20, 30)),
        "shifted": (lesion, ellipse(27, 36, 15, 20)),
        "too small": (lesion, ellipse(24, 32, 12, 16)),
        "two regions": (lesion, ellipse(24, 16, 8, 8) | ellipse(24, 48, 8, 8)),
        "jaccard is 0.65": (rectangle(0, 0, 20, 5), rectangle(0, 0, 13, 5)),
        "jaccard is just below 0.65": (rectangle(0, 0, 20, 5), rectangle(0, 0, 16, 4)),
    }


def main() -> None:
    truths, predictions = FOLDER / "truth", FOLDER / "predictions"
    for folder in (truths, predictions):
        folder.mkdir(exist_ok=True)
    names = {}
    for number, (name, masks) in enumerate(cases().items()):
        names[f"ISIC_{number:07}"] = name
        for folder, mask in zip((truths, predictions), masks, strict=True):
            file = folder / f"ISIC_{number:07}_segmentation.png"
            Image.fromarray(mask.astype(np.uint8) * 255).save(file, optimize=True)
    # Grey levels on both sides of the threshold, as an upsampled mask has them.
    names["ISIC_0000100"] = "grey levels"
    levels = np.array([0, 100, 127, 128, 129, 200, 255, 254], np.uint8)
    truth = Image.fromarray(np.tile(np.repeat([0, 255], 4).astype(np.uint8), (6, 1)))
    truth.save(truths / "ISIC_0000100_segmentation.png")
    Image.fromarray(np.tile(levels, (6, 1))).save(predictions / "ISIC_0000100_segmentation.png")

    images: dict[str, dict[str, Any]] = {}
    for pair in iter_image_pairs(truths, predictions):
        counts = create_binary_confusion_matrix(pair.truth_image > 128, pair.prediction_image > 128)
        # The class keeps only the means: the mean of one image is its score.
        scores = SegmentationScore([pair]).macro_average.to_dict()
        images[pair.image_id] = {
            "case": names[pair.image_id],
            **{name.lower(): int(value) for name, value in counts.items()},
            **{name: float(value) for name, value in scores.items()},
            "precision": float(metrics.binary_ppv(counts)),
        }
    means = SegmentationScore.from_dir(truths, predictions).macro_average.to_dict()
    content = {
        "scorer": f"isic-challenge-scoring {importlib.metadata.version('isic-challenge-scoring')}",
        "means": {name: float(value) for name, value in means.items()},
        "images": images,
    }
    (FOLDER / "scores.json").write_text(json.dumps(content, indent=1) + "\n")


if __name__ == "__main__":
    main()
