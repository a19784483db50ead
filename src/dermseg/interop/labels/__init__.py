"""Masks in the formats of label tools, both ways and bit by bit."""

from dermseg.interop.labels.annotated import LESION, AnnotatedImage
from dermseg.interop.labels.converting import (
    LABEL_FORMATS,
    Converted,
    Habits,
    LabelFormat,
    convert,
)

__all__ = [
    "LABEL_FORMATS",
    "LESION",
    "AnnotatedImage",
    "Converted",
    "Habits",
    "LabelFormat",
    "convert",
]
