"""The prediction of one image."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any

import numpy as np

from dermseg.errors import RefusedImageError
from dermseg.images import encode_png
from dermseg.package import OutOfDistributionModel, PresenceModel, QualityModel
from dermseg.prediction.attribute_overlay import draw_attributes
from dermseg.prediction.features import describe
from dermseg.prediction.measurements import Measurements, attribute_cells, measure
from dermseg.prediction.overlay import draw_contour
from dermseg.prediction.postprocessing import postprocess
from dermseg.prediction.presence import describe_presence, presence_score
from dermseg.prediction.quality import Quality, estimate_quality, find_refusal
from dermseg.prediction.quality_overlay import draw_quality, draw_refusal
from dermseg.preprocessing import Box, resize_mask, resize_probability, scale_box
from dermseg.recipes import Postprocessing
from dermseg.types import BoolMask, FloatArray, ImageArray, Size

__all__ = ["EXPERIMENTAL", "Prediction"]

_NOTEBOOK_SIDE = 640
_MEASURED = tuple(measure(np.zeros((1, 1), np.bool_), np.zeros((1, 1), np.float32)).to_dict())

EXPERIMENTAL = "(experimental)"
"""What pictures say of a model whose package says so."""


@dataclass(frozen=True, eq=False, repr=False)
class Prediction:
    """The class probabilities of one image, and what follows from them.

    Probabilities stay at the network's size; everything at the image's native size is made when
    it is first asked for. If the model was not made for the image, :attr:`refusal` says why, and
    masks, probabilities at native size, measurements and overlays raise ``RefusedImageError``,
    unless the prediction was made with ``force=True``.

    Attributes:
        image: (H, W, 3) uint8 RGB; at native size, unless a smaller one was asked for.
        size: Native (height, width) of the image.
        class_probabilities: (classes, h, w) float32 in [0, 1], at the network's size.
        classes: The name of each class.
        postprocessing: How masks are made from probabilities.
        seconds: Time spent on reading the image and on its share of the inference.
        box: The part of the image that the network saw; None where it saw all of it.
        lesion: What a lesion model found in the same image, where the classes are attributes.
            Without it, the class ``lesion`` is the lesion, or else the first class.
        inside_only: Whether the classes are cleared outside the lesion's mask.
        experimental: Whether the model says so of itself.
        seen: (h, w, 3) uint8 RGB, what the network saw, for the two below.
        quality_model: Estimates how good the lesion's mask is.
        out_of_distribution_model: Tells images that the model was not made for.
        presence_model: Estimates how likely it is that the image shows each attribute.
        forced: Whether there is a mask even if the image is refused.
    """

    image: ImageArray
    size: Size
    class_probabilities: FloatArray
    classes: tuple[str, ...]
    postprocessing: Postprocessing
    seconds: float
    box: Box | None = None
    lesion: Prediction | None = None
    inside_only: bool = False
    experimental: bool = False
    seen: ImageArray | None = None
    quality_model: QualityModel | None = None
    out_of_distribution_model: OutOfDistributionModel | None = None
    presence_model: PresenceModel | None = None
    forced: bool = False

    def __repr__(self) -> str:
        """Size, classes and threshold; nothing is computed for it."""
        height, width = self.size
        threshold = self.postprocessing.threshold_of(self._main)
        classes = ", ".join(self.classes)
        return f"Prediction({width} x {height} pixels, {classes}, threshold {threshold:g})"

    def _repr_png_(self) -> bytes:
        """The overlay, as notebooks show it; of a refused image, the image with the reason."""
        if self.is_usable:
            return encode_png(self.overlay(max_side=_NOTEBOOK_SIDE))
        refusal = str(self.refusal)
        return encode_png(draw_refusal(self.image, refusal, max_side=_NOTEBOOK_SIDE))

    def to_dict(self, *, spacing_mm: float | None = None) -> dict[str, Any]:
        """Everything in numbers and words, as plain values for JSON.

        The keys are the columns of ``predictions.csv``, and ``refusal``; what an empty mask or the
        model does not have is None. A refused image has no measurements in mm and no
        attributes, and all other measurements are None.

        Args:
            spacing_mm: Width of a pixel in millimetres, for measurements in mm as well.

        Raises:
            ValueError: If ``spacing_mm`` is not a finite number above 0.
        """
        described: dict[str, Any] = {"width": self.size[1], "height": self.size[0]}
        described |= self.measurements.to_dict() if self.is_usable else dict.fromkeys(_MEASURED)
        described["expected_jaccard"] = self.quality and self.quality.expected_jaccard
        described["review"] = self.quality and self.quality.review
        described["refusal"] = self.refusal
        if not self.is_usable:
            return described
        if spacing_mm is not None:
            described |= self.measurements.in_mm(spacing_mm)
        for name in self.attributes:
            _, mask = self.class_at_native_size(name)
            described |= attribute_cells(name, mask, self.mask, self.presence[name])
        return described

    @cached_property
    def probability(self) -> FloatArray:
        """Probability of the lesion, (H, W) float32 in [0, 1]."""
        return self._probability_of(self._main) if self.lesion is None else self.lesion.probability

    @cached_property
    def mask(self) -> BoolMask:
        """Mask of the lesion, (H, W) bool."""
        if self.lesion is None:
            return self.mask_from(self.probability, self._main, self.postprocessing)
        return self.lesion.mask

    @cached_property
    def probabilities(self) -> dict[str, FloatArray]:
        """Probability of each class, (H, W) float32 in [0, 1]; 0 where the network saw nothing."""
        return {
            name: self._probability_of(name) if name in self.attributes else self.probability
            for name in self.classes
        }

    @cached_property
    def masks(self) -> dict[str, BoolMask]:
        """Mask of each class, (H, W) bool."""
        return {
            name: self.mask_from(probability, name, self.postprocessing)
            if name in self.attributes
            else self.mask
            for name, probability in self.probabilities.items()
        }

    @cached_property
    def measurements(self) -> Measurements:
        """Size and shape of :attr:`mask`."""
        return measure(self.mask, self.probability)

    @cached_property
    def quality(self) -> Quality | None:
        """How good :attr:`mask` is expected to be; None where the model cannot tell.

        For a refused image it is 0, with `review` set.
        """
        if self.lesion is not None:
            return self.lesion.quality
        if self.quality_model is None or self.seen is None:
            return None
        if self.refusal is not None:
            return Quality(0.0, review=True)
        return estimate_quality(self.quality_model, self.described)

    @cached_property
    def refusal(self) -> str | None:
        """Why the model was not made for this image; None where it was, or cannot tell.

        It does not depend on the threshold that was asked for.
        """
        if self.lesion is not None:
            return self.lesion.refusal
        if self.out_of_distribution_model is None or self.seen is None:
            return None
        threshold = self.out_of_distribution_model.threshold
        described = self.described if threshold == self._threshold else self._describe(threshold)
        return find_refusal(self.out_of_distribution_model, described)

    @property
    def is_usable(self) -> bool:
        """Whether there is a mask: the image is not refused, or the prediction is forced."""
        return self.forced or self.refusal is None

    @cached_property
    def described(self) -> dict[str, float]:
        """Features of the image and of the lesion in it, see `describe`.

        Empty where :attr:`seen` was not kept.
        """
        return self._describe(self._threshold)

    @property
    def attributes(self) -> tuple[str, ...]:
        """The classes that are structures inside the lesion."""
        if self.lesion is not None:
            return self.classes
        return tuple(name for name in self.classes if name != self._main)

    @cached_property
    def presence(self) -> dict[str, float]:
        """How likely it is that the image shows each class, in [0, 1].

        A probability where the package was calibrated for it, else the rank of `presence_score`.

        Where the classes are cleared outside the lesion, only pixels in the lesion's mask count.
        """
        models = {} if self.presence_model is None else self.presence_model.classes
        return {
            name: models[name].model(self.presence_features[name])
            if name in models
            else presence_score(probability, self._inside)
            for name, probability in zip(self.classes, self.class_probabilities, strict=True)
        }

    @cached_property
    def presence_features(self) -> dict[str, dict[str, float]]:
        """What tells images that show a class from others, by class: see `describe_presence`."""
        return {
            name: describe_presence(probability, self._inside)
            for name, probability in zip(self.classes, self.class_probabilities, strict=True)
        }

    def class_at_native_size(self, name: str) -> tuple[FloatArray, BoolMask]:
        """Probability and mask of one class, as in :attr:`probabilities` and :attr:`masks`.

        They are not kept, so that a large image need not hold those of all classes at once.

        Args:
            name: One of :attr:`classes`.
        """
        probability = self._probability_of(name)
        return probability, self.mask_from(probability, name, self.postprocessing)

    def mask_from(self, probability: FloatArray, name: str, options: Postprocessing) -> BoolMask:
        """Make the mask of a class as options say, which may be others than the model's.

        Only what the network saw is looked at: kernels and areas are shares of that.

        Args:
            probability: (H, W) of the class, at native size.
            name: One of :attr:`classes`.
            options: Thresholds and cleaning.

        Returns:
            (H, W) bool; nothing outside the lesion where :attr:`inside_only` is set.
        """
        if self.box is None:
            mask = postprocess(probability, options, name)
        else:
            mask = np.zeros(self.size, np.bool_)
            mask[self.box.slices] = postprocess(probability[self.box.slices], options, name)
        if self.inside_only and self.lesion is not None:
            mask = mask & self.lesion.mask
        return mask

    def force(self) -> Prediction:
        """The same prediction, which has a mask even if the image is refused."""
        return replace(self, forced=True, lesion=self.lesion and self.lesion.force())

    def at_size(self, size: Size) -> Prediction:
        """The same prediction for the same picture at another native size.

        Args:
            size: (height, width).
        """
        box = None if self.box is None else scale_box(self.box, self.size, size)
        lesion = None if self.lesion is None else self.lesion.at_size(size)
        return replace(self, size=size, box=box, lesion=lesion)

    def overlay(self, *, max_side: int | None = None) -> ImageArray:
        """The image with the contour of :attr:`mask` on it; attributes in colours, with a legend.

        The expected quality of the lesion's mask is written into it, where it is known.

        Args:
            max_side: Reduce the picture so that its longer side is at most this; a legend is
                added to it.

        Returns:
            (H, W, 3) uint8 RGB, as large as :attr:`image` or smaller. With attributes: (H +
            legend, W, 3), see :func:`draw_attributes`.
        """
        if not self.attributes:
            picture = draw_contour(self.image, self.mask, max_side=max_side)
            found = self.quality
            return picture if found is None else draw_quality(picture, self.mask, found)
        return self.draw({name: self.masks[name] for name in self.attributes}, max_side=max_side)

    def draw(self, masks: Mapping[str, BoolMask], *, max_side: int | None = None) -> ImageArray:
        """As `overlay`, from masks of the attributes that have been made before.

        Args:
            masks: Of all :attr:`attributes`, at any size.
            max_side: As for `overlay`.
        """
        return draw_attributes(
            self.image,
            masks,
            self.mask,
            max_side=max_side,
            note=EXPERIMENTAL if self.experimental else "",
            quality=self.quality,
        )

    @cached_property
    def _inside(self) -> BoolMask | None:
        """The pixels of the network's size that are lesion, where only these are looked at."""
        if not self.inside_only or self.lesion is None:
            return None
        mask = self.lesion.mask
        seen = mask if self.box is None else mask[self.box.slices]
        return resize_mask(seen, self.class_probabilities.shape[1:])

    def _describe(self, threshold: float) -> dict[str, float]:
        if self.seen is None:
            return {}
        probability = self.class_probabilities[self.classes.index(self._main)]
        return describe(probability, self.seen, threshold=threshold)

    @property
    def _threshold(self) -> float:
        return self.postprocessing.threshold_of(self._main)

    @property
    def _main(self) -> str:
        return "lesion" if "lesion" in self.classes else self.classes[0]

    def _probability_of(self, name: str) -> FloatArray:
        if not self.forced and self.refusal is not None:
            raise RefusedImageError(self.refusal)
        probability = self._at_native_size(self.class_probabilities[self.classes.index(name)])
        if self.inside_only and self.lesion is not None:
            probability[~self.lesion.mask] = 0
        return probability

    def _at_native_size(self, probability: FloatArray) -> FloatArray:
        if self.box is None:
            return resize_probability(probability, self.size)
        native = np.zeros(self.size, np.float32)
        native[self.box.slices] = resize_probability(probability, (self.box.height, self.box.width))
        return native
