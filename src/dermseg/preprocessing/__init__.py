"""From any image to what a network sees; the same code in training and in prediction."""

from dermseg.preprocessing.box_scaling import scale_box
from dermseg.preprocessing.color_constancy import correct_color, estimate_light
from dermseg.preprocessing.field_of_view import Box, fill_background, find_background, find_field
from dermseg.preprocessing.fingerprint import (
    DETAIL_SIDE,
    DISCS,
    Disc,
    Fingerprint,
    create_fingerprint,
    describe_discs,
)
from dermseg.preprocessing.hair import find_hair, remove_hair
from dermseg.preprocessing.lesion_box import lesion_box
from dermseg.preprocessing.normalization import UNIT_RANGE, Normalization, fit_normalization
from dermseg.preprocessing.pipeline import (
    find_box,
    least_size,
    prepare_image,
    preprocess,
    to_unit_range,
)
from dermseg.preprocessing.resizing import (
    limited_size,
    resize_image,
    resize_mask,
    resize_probability,
)

__all__ = [
    "DETAIL_SIDE",
    "DISCS",
    "UNIT_RANGE",
    "Box",
    "Disc",
    "Fingerprint",
    "Normalization",
    "correct_color",
    "create_fingerprint",
    "describe_discs",
    "estimate_light",
    "fill_background",
    "find_background",
    "find_box",
    "find_field",
    "find_hair",
    "fit_normalization",
    "least_size",
    "lesion_box",
    "limited_size",
    "prepare_image",
    "preprocess",
    "remove_hair",
    "resize_image",
    "resize_mask",
    "resize_probability",
    "scale_box",
    "to_unit_range",
]
