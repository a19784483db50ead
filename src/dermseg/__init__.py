"""Segment skin lesions in dermoscopic images, without torch and without a GPU.

Not a medical device: the masks and numbers are no diagnosis.

Example:
    >>> import dermseg
    >>> predictor = dermseg.load_model()
    >>> phantom = dermseg.create_phantom(seed=0)
    >>> prediction = predictor.predict(phantom.image)
    >>> prediction.mask.shape == phantom.mask.shape
    True
"""

from __future__ import annotations

import os
from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from dermseg.errors import DermsegError, ImageError
    from dermseg.images import read_image, read_mask
    from dermseg.phantom import create_phantom
    from dermseg.prediction import Measurements, Prediction, Predictor, Quality, load_model

__version__ = "0.1.0"

# ONNX Runtime reports on its use, with an identifier of the computer, unless this is set before it
# loads. What the environment says already is left alone.
os.environ.setdefault("ORT_DISABLE_TELEMETRY", "1")

__all__ = [
    "DermsegError",
    "ImageError",
    "Measurements",
    "Prediction",
    "Predictor",
    "Quality",
    "__version__",
    "create_phantom",
    "load_model",
    "read_image",
    "read_mask",
]

_HOMES = {
    "DermsegError": "dermseg.errors",
    "ImageError": "dermseg.errors",
    "Measurements": "dermseg.prediction",
    "Prediction": "dermseg.prediction",
    "Predictor": "dermseg.prediction",
    "Quality": "dermseg.prediction",
    "create_phantom": "dermseg.phantom",
    "load_model": "dermseg.prediction",
    "read_image": "dermseg.images",
    "read_mask": "dermseg.images",
}


def __getattr__(name: str) -> object:
    """Import public names when they are first used, so that ``import dermseg`` is quick."""
    if name in _HOMES:
        return getattr(import_module(_HOMES[name]), name)
    message = f"module 'dermseg' has no attribute '{name}'"
    raise AttributeError(message)


def __dir__() -> list[str]:
    return sorted(__all__)
