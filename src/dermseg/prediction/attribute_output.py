"""The files and table columns of the attributes of one image."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from dermseg.images import write_mask, write_probability
from dermseg.prediction.coco import entry_of
from dermseg.prediction.inputs import (
    Job,
    attribute_ending,
    attribute_probability_ending,
)
from dermseg.prediction.overlay import limited_size
from dermseg.prediction.prediction import Prediction
from dermseg.preprocessing import resize_mask
from dermseg.types import BoolMask

__all__ = ["AttributeOutput", "attribute_columns", "write_attributes"]

# Whatever the table has found is to be seen in the picture, however small it is there.
_LEAST_SHARE = 0.02


def attribute_columns(name: str) -> tuple[str, str]:
    """Columns of an attribute: its share of the lesion, and how sure it is that it is there."""
    return f"attribute_{name}_share", f"attribute_{name}_presence"


@dataclass(frozen=True)
class AttributeOutput:
    """What was made of the attributes of one image.

    Attributes:
        columns: The image's table columns for attributes; the share is None where there is no
            lesion.
        pictures: The masks, reduced for a picture.
        entries: The masks as run lengths, if they are not in files; None for those that are empty.
    """

    columns: dict[str, Any] = field(default_factory=dict)
    pictures: dict[str, BoolMask] = field(default_factory=dict)
    entries: list[dict[str, Any] | None] = field(default_factory=list)


def write_attributes(
    prediction: Prediction,
    job: Job,
    folder: Path,
    *,
    as_files: bool,
    probability: bool,
    picture_side: int,
) -> AttributeOutput:
    """Write the mask of each attribute, one after the other, and measure it.

    Args:
        prediction: What was found.
        job: Where it goes.
        folder: The output folder.
        as_files: Write each mask as a file, and not as run lengths.
        probability: Write the probabilities too.
        picture_side: Longer side to which the returned masks are reduced.

    Raises:
        OutputError: If a file cannot be written.
    """
    written = AttributeOutput()
    size = limited_size(prediction.size, picture_side)
    for name in prediction.attributes:
        values, mask = prediction.class_at_native_size(name)
        if probability:
            write_probability(job.output(folder, attribute_probability_ending(name)), values)
        if as_files:
            write_mask(job.output(folder, attribute_ending(name)), mask)
        else:
            written.entries.append(entry_of(name, mask))
        measured = (_share_of(prediction.mask, mask), prediction.presence[name])
        written.columns.update(zip(attribute_columns(name), measured, strict=True))
        reduced = mask if mask.shape == size else resize_mask(mask, size, share=_LEAST_SHARE)
        written.pictures[name] = reduced
    return written


def _share_of(lesion: BoolMask, mask: BoolMask) -> float | None:
    area = np.count_nonzero(lesion)
    return np.count_nonzero(mask & lesion) / area if area else None
