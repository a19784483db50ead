"""Cut an image to the lesion that was found in it, for the network that looks inside."""

from __future__ import annotations

import math
import time
from contextlib import ExitStack
from dataclasses import dataclass, replace
from typing import cast

import numpy as np

from dermseg.errors import ImageError
from dermseg.images import ImageLike, ImageSource, convert_pillow, name_of, open_image
from dermseg.package import ModelSpec
from dermseg.prediction.memory_budget import MemoryBudget
from dermseg.prediction.prediction import Prediction
from dermseg.prediction.prepared import Prepared
from dermseg.preprocessing import (
    Box,
    find_box,
    least_size,
    limited_size,
    preprocess,
    resize_image,
    scale_box,
)
from dermseg.types import ImageArray, Size

__all__ = ["LesionCutter"]

_LOOKS = 4


@dataclass(frozen=True)
class LesionCutter:
    """Makes the input of a network for attributes from an image and its lesion.

    Attributes:
        spec: The package of the network.
        memory: Budget for what threads hold at native size.
        max_megapixels: Larger images are refused.
    """

    spec: ModelSpec
    memory: MemoryBudget
    max_megapixels: float

    def view_side(self, image_side: int | None) -> int | None:
        """The longer side to which images may be reduced before they are cut.

        Lesions down to half of it are then cut without another look at the file.
        """
        if image_side is None:
            return None
        return max(image_side, _LOOKS * max(self.spec.input_size))

    def cut(
        self, source: ImageLike, lesion: Prediction | ImageError, *, image_side: int | None
    ) -> Prepared | ImageError:
        """Cut and preprocess one image, or say why that cannot be done.

        The box is found on a copy of limited size, so that it does not depend on whether the
        image was kept at native size. Where a small lesion has too few pixels in what was kept,
        the file is read again.

        Args:
            source: What the image was read from.
            lesion: What a lesion model found in it, with the image, or why it found nothing.
            image_side: Longer side of the image that the prediction keeps; None is native.
        """
        if isinstance(lesion, ImageError):
            return lesion
        try:
            return self._cut(source, lesion, image_side)
        except ImageError as error:
            return error

    def _cut(self, source: ImageLike, lesion: Prediction, image_side: int | None) -> Prepared:
        started = time.perf_counter()
        spec = self.spec
        view = _reduced(lesion.image, limited_size(lesion.size, self.view_side(0)))
        seen = (view.shape[0], view.shape[1])
        if spec.lesion_crop is None:
            box = find_box(view, spec.preprocessing)
        else:
            mask = lesion.at_size(seen).mask
            margin = spec.lesion_crop.margin
            box = find_box(view, spec.preprocessing, lesion=mask, margin=margin)
        native = scale_box(box, seen, lesion.size)
        with ExitStack() as stack:
            image = self._with_enough_pixels(source, lesion, view, native, stack)
            size = (image.shape[0], image.shape[1])
            tensor = preprocess(
                image,
                spec.input_size,
                spec.normalization,
                box=box if image is view else scale_box(native, lesion.size, size),
                cleaning=spec.preprocessing,
            )
        kept = _reduced(lesion.image, limited_size(lesion.size, image_side))
        seconds = lesion.seconds + time.perf_counter() - started
        return Prepared(
            name_of(source),
            kept,
            lesion.size,
            native,
            tensor,
            seconds,
            lesion=replace(lesion, image=kept),
        )

    def _with_enough_pixels(
        self, source: ImageLike, lesion: Prediction, view: ImageArray, box: Box, stack: ExitStack
    ) -> ImageArray:
        """The smallest copy of the image whose part inside the native box is sharp enough."""
        cut = (box.height, box.width)
        least = least_size(cut, self.spec.input_size, self.spec.preprocessing) or cut
        # The size of the whole image at which the box has that many pixels.
        height, width = (
            min(side, math.ceil(side * wanted / part))
            for side, wanted, part in zip(lesion.size, least, cut, strict=True)
        )
        for image in (view, lesion.image):
            if image.shape[0] >= height and image.shape[1] >= width:
                return image
        native = source if isinstance(source, np.ndarray) else convert_pillow(source)
        if native is not None:
            return native
        with open_image(cast("ImageSource", source), max_megapixels=self.max_megapixels) as encoded:
            num_rows, num_columns = encoded.reduced_size((height, width))
            stack.enter_context(self.memory.hold(num_rows * num_columns))
            return encoded.read((height, width))


def _reduced(image: ImageArray, size: Size) -> ImageArray:
    return image if image.shape[:2] == size else resize_image(image, size)
