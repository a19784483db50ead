"""Masks and probabilities as PNG files, one for each class of an image."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from dermseg.images import encode_mask, encode_probability, is_whole
from dermseg.prediction.inputs import Job
from dermseg.prediction.naming import (
    MASK_ENDING,
    PROBABILITY_ENDING,
    attribute_ending,
    attribute_probability_ending,
)
from dermseg.prediction.writers.base import MaskFormat, MaskWriter
from dermseg.storage import Sink, StoredFile
from dermseg.types import BoolMask, FloatArray

__all__ = ["PngMasks", "PngProbabilities"]


class PngMasks(MaskFormat):
    """``NAME_segmentation.png``, and ``NAME_attribute_CLASS.png`` of each attribute: 0 and 255."""

    @classmethod
    def endings(cls, attributes: Sequence[str]) -> list[str]:
        """Those of the lesion and of each attribute."""
        return [MASK_ENDING, *map(attribute_ending, attributes)]

    def add_attribute(self, name: str, probability: FloatArray, mask: BoolMask) -> None:
        """Write the mask."""
        del probability
        self.sink.write(self.job.key(attribute_ending(name)), encode_mask(mask))

    def finish(self) -> None:
        """Write the lesion's mask."""
        self.sink.write(self.job.key(MASK_ENDING), encode_mask(self.prediction.mask))

    @classmethod
    def mask_name(cls, job: Job) -> str:
        """The key of the lesion's mask."""
        return job.key(MASK_ENDING)

    @classmethod
    def find_masks(cls, sink: Sink) -> Callable[[str], bool]:
        """Looks at the file."""
        return lambda name: is_whole(StoredFile(sink, name))


class PngProbabilities(MaskWriter):
    """``NAME_probability.png``, and ``NAME_attribute_CLASS_probability.png``: 255 is 1."""

    @classmethod
    def endings(cls, attributes: Sequence[str]) -> list[str]:
        """Those of the lesion and of each attribute."""
        return [PROBABILITY_ENDING, *map(attribute_probability_ending, attributes)]

    def add_attribute(self, name: str, probability: FloatArray, mask: BoolMask) -> None:
        """Write the probabilities."""
        del mask
        key = self.job.key(attribute_probability_ending(name))
        self.sink.write(key, encode_probability(probability))

    def finish(self) -> None:
        """Write the lesion's probabilities."""
        key = self.job.key(PROBABILITY_ENDING)
        self.sink.write(key, encode_probability(self.prediction.probability))
