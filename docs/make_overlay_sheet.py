"""Write docs/overlays.jpg: what a prediction makes of generated images, in pictures and numbers.

python docs/make_overlay_sheet.py
"""

from __future__ import annotations

from pathlib import Path
from typing import Final

import cv2
import numpy as np

import dermseg
from dermseg.images import write_image
from dermseg.prediction import Prediction
from dermseg.types import ImageArray

_ROWS: Final = ((18, 11, 3), (4, 2, 13))  # seeds of the images that `dermseg demo` draws
_SIZE: Final = (768, 1024)
_SIDE: Final = 440
_STRIP, _GAP = 52, 8
_PAPER, _INK, _SOFT = (255, 255, 255), (27, 31, 36), (87, 96, 106)


def main() -> None:
    """Predict the images with the packaged model, and lay their overlays side by side."""
    predictor = dermseg.load_model()
    rows = []
    for seeds in _ROWS:
        images = [dermseg.create_phantom(seed, size=_SIZE).image for seed in seeds]
        # Generated images are no photographs, and the model may say so.
        rows.append(np.hstack([_tile(one) for one in predictor.predict_many(images, force=True)]))
    write_image(Path(__file__).with_name("overlays.jpg"), np.vstack(rows), quality=88)


def _tile(prediction: Prediction) -> ImageArray:
    """The overlay of a prediction above its measurements."""
    overlay = prediction.overlay(max_side=_SIDE)
    height, width, _ = overlay.shape
    tile = np.full((height + _STRIP, width + _GAP, 3), _PAPER, np.uint8)
    tile[:height, :width] = overlay
    found = prediction.measurements
    first = f"{100 * found.area_share:.1f} % of the image, {found.longest_diameter:.0f} pixels long"
    second = f"circularity {found.circularity:.2f}, asymmetry {found.asymmetry:.2f}"
    for line, (text, color) in enumerate([(first, _INK), (second, _SOFT)], start=1):
        at = (2, height + 19 * line)
        cv2.putText(tile, text, at, cv2.FONT_HERSHEY_SIMPLEX, 0.5, color, 1, cv2.LINE_AA)
    return tile


if __name__ == "__main__":
    main()
