"""Generated dermoscopic images with exact masks, and artefacts for any image.

For demonstrations, tests, robustness checks and augmentation: images that look like dermoscopy,
whose truth is known to the pixel. numpy and OpenCV only.
"""

from __future__ import annotations

from dermseg.phantom.artefacts import ARTEFACTS
from dermseg.phantom.generator import Phantom, create_phantom, create_plain_skin
from dermseg.phantom.lesion import Lesion
from dermseg.phantom.options import PhantomOptions, PhantomParameters
from dermseg.phantom.pictures import PICTURES, create_picture

__all__ = [
    "ARTEFACTS",
    "PICTURES",
    "Lesion",
    "Phantom",
    "PhantomOptions",
    "PhantomParameters",
    "create_phantom",
    "create_picture",
    "create_plain_skin",
]
