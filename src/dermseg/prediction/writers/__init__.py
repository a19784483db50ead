"""The output formats by name. A new one is a file here, its endings in ``naming``, and a row."""

from __future__ import annotations

from typing import Final

from dermseg.prediction.writers.base import LESION, MaskFormat, MaskWriter
from dermseg.prediction.writers.coco import CocoMasks
from dermseg.prediction.writers.dicom import DicomMasks, DicomProbabilities
from dermseg.prediction.writers.overlay import OVERLAY_SIDE, Overlays
from dermseg.prediction.writers.png import PngMasks, PngProbabilities

__all__ = ["EXTRA_WRITERS", "LESION", "MASK_FORMATS", "OVERLAY_SIDE", "MaskFormat", "MaskWriter"]

MASK_FORMATS: Final[dict[str, type[MaskFormat]]] = {
    "png": PngMasks,
    "coco": CocoMasks,
    "dicom": DicomMasks,
    "dicom-probability": DicomProbabilities,
}
"""Formats of masks; a run has one of them."""

EXTRA_WRITERS: Final[dict[str, type[MaskWriter]]] = {
    "overlay": Overlays,
    "probability": PngProbabilities,
}
"""Writers of other files, by their option in ``OutputOptions``."""
