"""Names of all files that a prediction writes: every ending, and the files of a whole run."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Sequence
from typing import Final

__all__ = [
    "COCO",
    "DICOM_ENDING",
    "INDEX",
    "LINES",
    "MASK_ENDING",
    "OVERLAY_ENDING",
    "PARQUET",
    "PROBABILITY_ENDING",
    "RECORD",
    "REPORT_ENDING",
    "RUN_FILES",
    "TABLE",
    "all_endings",
    "attribute_ending",
    "attribute_probability_ending",
    "is_output_name",
    "is_superpixel_map",
    "shorten",
]

MASK_ENDING: Final = "_segmentation.png"
OVERLAY_ENDING: Final = "_overlay.jpg"
PROBABILITY_ENDING: Final = "_probability.png"
DICOM_ENDING: Final = "_segmentation.dcm"
REPORT_ENDING: Final = "_report.dcm"

TABLE: Final = "predictions.csv"
LINES: Final = "predictions.jsonl"
COCO: Final = "predictions.coco.json"
PARQUET: Final = "predictions.parquet"
RECORD: Final = "predictions.json"
INDEX: Final = "index.html"

RUN_FILES: Final = (TABLE, LINES, COCO, PARQUET)
"""Files of a whole run, besides the record of its settings."""

_IMAGE_ENDINGS = (
    MASK_ENDING,
    OVERLAY_ENDING,
    PROBABILITY_ENDING,
    DICOM_ENDING,
    REPORT_ENDING,
)
_OUTPUT = re.compile(
    rf".*({'|'.join(map(re.escape, _IMAGE_ENDINGS))}|_attribute_[\w-]+\.png)", re.DOTALL
)
_MAX_NAME_BYTES = 255


def attribute_ending(name: str) -> str:
    """The ending of the mask of an attribute, as ISIC names it."""
    return f"_attribute_{name}.png"


def attribute_probability_ending(name: str) -> str:
    """The ending of the probabilities of an attribute."""
    return f"_attribute_{name}{PROBABILITY_ENDING}"


def all_endings(attributes: Sequence[str] = ()) -> list[str]:
    """Endings of the files that an image may get, in whichever formats.

    Args:
        attributes: The structures that get files of their own.
    """
    own = (attribute_ending, attribute_probability_ending)
    return [*_IMAGE_ENDINGS, *(ending(name) for name in attributes for ending in own)]


def is_output_name(name: str) -> bool:
    """Whether a file's name is one that a prediction gives, so that it is no photograph.

    Example:
        >>> is_output_name("a_attribute_globules.png"), is_output_name("a.png")
        (True, False)
    """
    return _OUTPUT.fullmatch(name) is not None


def is_superpixel_map(name: str) -> bool:
    """Whether a file's name is one of the maps that ISIC 2017 gives beside its photographs."""
    return name.endswith("_superpixels.png")


def shorten(stem: str, endings: Sequence[str]) -> str:
    """Shorten a stem so that its name fits a file system's 255 bytes with every ending.

    One that is shortened ends with a hash of the whole.
    """
    room = _MAX_NAME_BYTES - max(map(len, endings))
    raw = stem.encode(errors="surrogateescape")
    if len(raw) <= room:
        return stem
    mark = "~" + hashlib.sha256(raw).hexdigest()[:8]
    return raw[: room - len(mark)].decode(errors="ignore") + mark
