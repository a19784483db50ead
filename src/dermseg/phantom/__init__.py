"""Generated dermoscopic images with exact masks, and artefacts for any image.

For demonstrations, tests, robustness checks and augmentation: images that look like dermoscopy,
whose truth is known to the pixel. numpy and OpenCV only.
"""

from __future__ import annotations

from dermseg.phantom.artefacts import ARTEFACTS
from dermseg.phantom.generator import Phantom, create_phantom
from dermseg.phantom.lesion import Lesion
from dermseg.phantom.options import PhantomOptions, PhantomParameters

__all__ = [
    "ARTEFACTS",
    "Lesion",
    "Phantom",
    "PhantomOptions",
    "PhantomParameters",
    "create_phantom",
]
