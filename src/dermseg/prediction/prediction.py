"""What a model says about one image."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np

from dermseg.prediction.measurements import Measurements, measure
from dermseg.prediction.overlay import draw_contour
from dermseg.prediction.postprocessing import postprocess
from dermseg.preprocessing import Box, resize_probability
from dermseg.recipes import Postprocessing
from dermseg.types import BoolMask, FloatArray, ImageArray, Size

__all__ = ["Prediction"]


@dataclass(frozen=True, eq=False)
class Prediction:
    """The class probabilities of one image, and what follows from them.

    Probabilities stay at the network's size; everything at the image's native size is made when
    it is first asked for.

    Attributes:
        image: (H, W, 3) uint8 RGB; at native size, unless a smaller one was asked for.
        size: Native (height, width) of the image.
        class_probabilities: (classes, h, w) float32 in [0, 1], at the network's size.
        classes: The name of each class.
        postprocessing: How masks are made from probabilities.
        seconds: Time spent on reading the image and on its share of the inference.
        box: The part of the image that the network saw; None where it saw all of it.
    """

    image: ImageArray
    size: Size
    class_probabilities: FloatArray
    classes: tuple[str, ...]
    postprocessing: Postprocessing
    seconds: float
    box: Box | None = None

    @cached_property
    def probabilities(self) -> dict[str, FloatArray]:
        """Probability of each class, (H, W) float32 in [0, 1]; 0 where the network saw nothing."""
        maps = zip(self.classes, self.class_probabilities, strict=True)
        return {name: self._at_native_size(values) for name, values in maps}

    @cached_property
    def masks(self) -> dict[str, BoolMask]:
        """Mask of each class, (H, W) bool."""
        return {
            name: postprocess(probability, self.postprocessing, name)
            for name, probability in self.probabilities.items()
        }

    @property
    def probability(self) -> FloatArray:
        """Probability of the first class, the lesion; (H, W) float32 in [0, 1]."""
        return self.probabilities[self.classes[0]]

    @property
    def mask(self) -> BoolMask:
        """Mask of the first class, the lesion; (H, W) bool."""
        return self.masks[self.classes[0]]

    @cached_property
    def measurements(self) -> Measurements:
        """Size and shape of :attr:`mask`."""
        return measure(self.mask, self.probability)

    def overlay(self, *, max_side: int | None = None) -> ImageArray:
        """The image with the contour of :attr:`mask` on it.

        Args:
            max_side: Reduce the picture so that its longer side is at most this.

        Returns:
            (H, W, 3) uint8 RGB, as large as :attr:`image` or smaller.
        """
        return draw_contour(self.image, self.mask, max_side=max_side)

    def _at_native_size(self, probability: FloatArray) -> FloatArray:
        if self.box is None:
            return resize_probability(probability, self.size)
        native = np.zeros(self.size, np.float32)
        native[self.box.slices] = resize_probability(probability, (self.box.height, self.box.width))
        return native
