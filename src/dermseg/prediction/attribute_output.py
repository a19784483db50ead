"""The files and table columns of the attributes of one image."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np

from dermseg.images import write_mask, write_probability
from dermseg.prediction.inputs import (
    Job,
    attribute_ending,
    attribute_probability_ending,
)
from dermseg.prediction.overlay import limited_size
from dermseg.prediction.prediction import Prediction
from dermseg.preprocessing import resize_mask
from dermseg.types import BoolMask

__all__ = ["attribute_columns", "write_attributes"]

# Whatever the table has found is to be seen in the picture, however small it is there.
_LEAST_SHARE = 0.02


def attribute_columns(name: str) -> tuple[str, str]:
    """Columns of an attribute: its share of the lesion, and how sure it is that it is there."""
    return f"attribute_{name}_share", f"attribute_{name}_presence"


def write_attributes(
    prediction: Prediction,
    job: Job,
    folder: Path,
    *,
    probability: bool,
    picture_side: int,
) -> tuple[dict[str, Any], dict[str, BoolMask]]:
    """Write the mask of each attribute, one after the other, and measure it.

    Args:
        prediction: What was found.
        job: Where it goes.
        folder: The output folder.
        probability: Write the probabilities too.
        picture_side: Longer side to which the returned masks are reduced.

    Returns:
        The image's table columns for attributes; the share is None where there is no lesion.
        And the masks, reduced for a picture.

    Raises:
        OutputError: If a file cannot be written.
    """
    row: dict[str, Any] = {}
    reduced = {}
    size = limited_size(prediction.size, picture_side)
    for name in prediction.attributes:
        values, mask = prediction.class_at_native_size(name)
        if probability:
            write_probability(job.output(folder, attribute_probability_ending(name)), values)
        write_mask(job.output(folder, attribute_ending(name)), mask)
        measured = (_share_of(prediction.mask, mask), prediction.presence[name])
        row |= zip(attribute_columns(name), measured, strict=True)
        reduced[name] = mask if mask.shape == size else resize_mask(mask, size, share=_LEAST_SHARE)
    return row, reduced


def _share_of(lesion: BoolMask, mask: BoolMask) -> float | None:
    area = np.count_nonzero(lesion)
    return np.count_nonzero(mask & lesion) / area if area else None
