"""The pixels of all images by probability, added up while the images come.

Those of attributes are also kept by image, in little room, for figures of each attribute.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from dermseg.evaluation.image_score import Histograms, ImageScore, attribute_of
from dermseg.evaluation.matching import Skipped

__all__ = ["PixelPool"]


class PixelPool:
    """Adds up the histograms of images, so that no image has to keep its own.

    Attributes:
        total: Pixels by probability and truth, of all images and near their borders; None as
            long as no image has probabilities.
        attributes: Pixels by truth and probability of each mask of an attribute, by its id:
            (2, 256) uint32, first those outside of the true mask, by level, then those inside.
    """

    def __init__(self) -> None:
        self.total: Histograms | None = None
        self.attributes: dict[str, NDArray[np.uint32]] = {}

    def take(self, results: Iterable[ImageScore | Skipped]) -> Iterator[ImageScore | Skipped]:
        """Hand results on, with the histograms taken out of them and added to the total."""
        for result in results:
            yield self._taken(result) if isinstance(result, ImageScore) else result

    def _taken(self, score: ImageScore) -> ImageScore:
        if score.histograms is None:
            return score
        everywhere, border = score.histograms
        if attribute_of(score.id) is not None:
            # 2 KB a mask. No image has more pixels than 32 bits count.
            both = np.stack([everywhere.negatives, everywhere.positives])
            self.attributes[score.id] = both.astype(np.uint32)
        if self.total is None:
            self.total = score.histograms
        else:
            self.total = self.total[0] + everywhere, self.total[1] + border
        return replace(score, histograms=None)
