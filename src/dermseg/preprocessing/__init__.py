"""From any image to what a network sees; the same code in training and in prediction."""

from dermseg.preprocessing.normalization import UNIT_RANGE, Normalization, fit_normalization
from dermseg.preprocessing.pipeline import preprocess, to_unit_range
from dermseg.preprocessing.resizing import resize_image, resize_mask, resize_probability

__all__ = [
    "UNIT_RANGE",
    "Normalization",
    "fit_normalization",
    "preprocess",
    "resize_image",
    "resize_mask",
    "resize_probability",
    "to_unit_range",
]
