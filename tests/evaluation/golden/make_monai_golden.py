"""Score the golden masks with MONAI, whose conventions the protocol ``monai`` follows.

Writes `monai.json` beside this file. Run it in an environment of its own:

    pip install monai==1.6.1 pillow
    python make_monai_golden.py
"""

from __future__ import annotations

import json
import math
from pathlib import Path
from typing import Any

import monai  # type: ignore[import-not-found]
import numpy as np
import torch
from monai.metrics import (  # type: ignore[import-not-found]
    DiceMetric,
    MeanIoU,
    compute_average_surface_distance,
    compute_hausdorff_distance,
    compute_surface_dice,
)
from PIL import Image

FOLDER = Path(__file__).parent
TOLERANCE = 3.0


def read(path: Path) -> torch.Tensor:
    return torch.from_numpy(np.asarray(Image.open(path)) > 128)[None, None].float()


def main() -> None:
    dice, jaccard = DiceMetric(ignore_empty=True), MeanIoU(ignore_empty=True)
    images: dict[str, dict[str, Any]] = {}
    for path in sorted((FOLDER / "truth").glob("*.png")):
        truth, prediction = read(path), read(FOLDER / "predictions" / path.name)
        scores = {
            "dice": dice(prediction, truth),
            "jaccard": jaccard(prediction, truth),
        }
        if truth.any() and prediction.any():
            pair = {"include_background": True}
            scores["hausdorff_95"] = compute_hausdorff_distance(
                prediction, truth, percentile=95, **pair
            )
            scores["average_symmetric_surface_distance"] = compute_average_surface_distance(
                prediction, truth, symmetric=True, **pair
            )
            scores["normalized_surface_distance"] = compute_surface_dice(
                prediction, truth, class_thresholds=[TOLERANCE], **pair
            )
        values = {name: float(value.item()) for name, value in scores.items()}
        images[path.name.removesuffix("_segmentation.png")] = {
            name: None if math.isnan(value) else value for name, value in values.items()
        }
    content = {
        "scorer": f"monai {monai.__version__}",
        "means": {
            "dice": float(dice.aggregate().item()),
            "jaccard": float(jaccard.aggregate().item()),
        },
        "images": images,
    }
    (FOLDER / "monai.json").write_text(json.dumps(content, indent=1) + "\n")


if __name__ == "__main__":
    main()
