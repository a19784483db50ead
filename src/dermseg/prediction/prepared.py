"""An image on its way into a network."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from dermseg.prediction.prediction import Prediction
from dermseg.preprocessing import Box
from dermseg.types import ImageArray, Size

__all__ = ["Prepared"]


@dataclass(frozen=True, eq=False)
class Prepared:
    """One image, read and preprocessed.

    Attributes:
        name: What to call it in messages.
        image: (H, W, 3) uint8, as large as the prediction keeps it.
        size: Native (height, width).
        box: The part that the network sees, at native size; None where it sees all.
        tensor: (3, h, w) float32, the network's input.
        seconds: Time spent so far.
        seen: (h, w, 3) uint8, the same before normalisation; None where it is cut to a lesion.
        lesion: What was found before, where the image is searched for attributes.
    """

    name: str
    image: ImageArray
    size: Size
    box: Box | None
    tensor: NDArray[np.float32]
    seconds: float
    seen: ImageArray | None = None
    lesion: Prediction | None = None
