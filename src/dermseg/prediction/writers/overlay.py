"""Overlays as JPEG files: the image with what was found drawn on it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from dermseg.images import encode_jpeg
from dermseg.prediction.inputs import Job
from dermseg.prediction.naming import OVERLAY_ENDING
from dermseg.prediction.prediction import Prediction
from dermseg.prediction.writers.base import MaskWriter
from dermseg.preprocessing import limited_size, resize_mask
from dermseg.storage import Sink
from dermseg.types import BoolMask, FloatArray

__all__ = ["OVERLAY_SIDE", "Overlays"]

OVERLAY_SIDE: Final = 1024
"""The longer side of an overlay, at most; a legend is added to it."""

# Whatever the table has found is to be seen in the picture, however small it is there.
_LEAST_SHARE = 0.02


class Overlays(MaskWriter):
    """``NAME_overlay.jpg``, see :meth:`Prediction.overlay`."""

    def __init__(self, sink: Sink, job: Job, prediction: Prediction) -> None:
        super().__init__(sink, job, prediction)
        self._masks: dict[str, BoolMask] = {}

    @classmethod
    def endings(cls, attributes: Sequence[str]) -> list[str]:
        """One file, whatever is drawn."""
        del attributes
        return [OVERLAY_ENDING]

    def add_attribute(self, name: str, probability: FloatArray, mask: BoolMask) -> None:
        """Keep the mask, reduced to the picture's size."""
        del probability
        size = limited_size(self.prediction.size, OVERLAY_SIDE)
        same = mask.shape == size
        self._masks[name] = mask if same else resize_mask(mask, size, share=_LEAST_SHARE)

    def finish(self) -> None:
        """Draw and write the picture."""
        prediction = self.prediction
        if self._masks:
            picture = prediction.draw(self._masks, max_side=OVERLAY_SIDE)
        else:
            picture = prediction.overlay(max_side=OVERLAY_SIDE)
        self.sink.write(self.job.key(OVERLAY_ENDING), encode_jpeg(picture))
