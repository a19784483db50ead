"""Artefacts between camera and lesion, drawn into training images at random."""

from __future__ import annotations

from typing import Any

import cv2
import numpy as np
import torch

from dermseg.phantom.artefacts import (
    Artefact,
    add_blur,
    add_dark_corners,
    add_noise,
    add_uneven_light,
    draw_gel_bubbles,
    draw_hairs,
    draw_ink,
    draw_ruler,
    lower_contrast,
)
from dermseg.torchvision_import import tv_tensors, v2
from dermseg.types import ImageArray

__all__ = ["CAMERA_ARTEFACTS", "SCENE_ARTEFACTS", "RandomArtefacts", "compress_jpeg"]

_BEST_QUALITY, _WORST_QUALITY = 95, 15


def compress_jpeg(
    image: ImageArray, rng: np.random.Generator, *, strength: float = 0.5
) -> ImageArray:
    """Compress an image as JPEG and read it again; its 8x8 blocks become visible.

    By OpenCV: torchvision's transform needs its compiled operators.

    Args:
        image: (H, W, 3) uint8 RGB; not changed.
        rng: Not used; compression draws nothing.
        strength: From quality 95 at 0 down to 15 at 1.
    """
    quality = round(_BEST_QUALITY + strength * (_WORST_QUALITY - _BEST_QUALITY))
    # OpenCV takes the channels for blue, green, red; JPEG weighs them differently.
    _, content = cv2.imencode(".jpg", image[..., ::-1], [cv2.IMWRITE_JPEG_QUALITY, quality])
    compressed = np.asarray(cv2.imdecode(content, cv2.IMREAD_COLOR), np.uint8)
    return np.ascontiguousarray(compressed[..., ::-1])


Row = tuple[Artefact, float, float]
"""The function, its weakest and its strongest strength."""

SCENE_ARTEFACTS: dict[str, Row] = {
    "hairs": (draw_hairs, 0.02, 0.5),
    "gel_bubbles": (draw_gel_bubbles, 0.05, 0.8),
    "ruler": (draw_ruler, 0.4, 1.0),
    "ink": (draw_ink, 0.5, 1.0),
    "low_contrast": (lower_contrast, 0.1, 0.7),
    "uneven_light": (add_uneven_light, 0.05, 0.8),
    "dark_corners": (add_dark_corners, 0.02, 0.6),
}
"""What lies on the skin and on the glass, by the recipe's key, with the range of strengths in
which generated images have it."""

CAMERA_ARTEFACTS: dict[str, Row] = {
    "blur": (add_blur, 0.2, 0.6),
    "noise": (add_noise, 0.05, 0.4),
    "jpeg": (compress_jpeg, 0.0, 1.0),
}
"""What the camera adds, in this order."""


class RandomArtefacts(v2.Transform):  # type: ignore[misc]  # torchvision ships no types
    """Draw artefacts into an image, each with its own probability; masks stay as they are.

    What an artefact hides is still there, and the network is to find it. Weak ones are more
    frequent than strong ones, as in real images.

    Args:
        rows: The artefacts, in the order in which they are drawn.
        probabilities: By artefact; what is not named or 0 does not occur, and draws nothing from
            the random generator.
    """

    def __init__(self, rows: dict[str, Row], probabilities: dict[str, float]) -> None:
        super().__init__()
        self.chosen = [
            (row, probabilities[name]) for name, row in rows.items() if probabilities.get(name)
        ]

    def make_params(self, flat_inputs: list[Any]) -> dict[str, Any]:
        """Draw which occur, how strongly, and a seed for each, from torch's generator."""
        calls = []
        for (draw, low, high), probability in self.chosen:
            occurs, rank = (float(torch.rand(())) for _ in range(2))
            seed = int(torch.randint(2**62, ()))
            if occurs < probability:
                calls.append((draw, low + (high - low) * rank**1.5, seed))
        return {"calls": calls}

    def transform(self, inpt: Any, params: dict[str, Any]) -> Any:
        """Draw on an image; anything else, and an image that nothing befalls, is left as it is."""
        if not isinstance(inpt, tv_tensors.Image) or not params["calls"]:
            return inpt
        values = inpt.permute(1, 2, 0).numpy()
        image = np.ascontiguousarray(values * 255 + 0.5, np.uint8)
        for draw, strength, seed in params["calls"]:
            image = draw(image, np.random.default_rng(seed), strength=strength)
        changed = torch.from_numpy(image.astype(np.float32) / 255).permute(2, 0, 1)
        return tv_tensors.wrap(changed, like=inpt)
