"""The diagnostic structures inside a lesion, drawn with exact masks.

Globules, milia-like cysts, negative network, pigment network and streaks: the five attributes of
ISIC 2018 Task 2, on generated lesions and blended into real ones, with look-alikes that are not
labelled.
"""

from __future__ import annotations

from dermseg.phantom.attributes.drawing import AttributePhantom, draw_attributes
from dermseg.phantom.attributes.generator import create_attribute_phantom
from dermseg.phantom.attributes.options import (
    ATTRIBUTES,
    OBSERVED_FREQUENCIES,
    TRAINING_FREQUENCIES,
    AttributeOptions,
)

__all__ = [
    "ATTRIBUTES",
    "OBSERVED_FREQUENCIES",
    "TRAINING_FREQUENCIES",
    "AttributeOptions",
    "AttributePhantom",
    "create_attribute_phantom",
    "draw_attributes",
]
