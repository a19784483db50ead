"""The scores of single images."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TypeAlias

from dermseg.errors import ImageError
from dermseg.evaluation.matching import Pair, Skipped
from dermseg.images import read_mask
from dermseg.metrics import ConfusionCounts, confusion_counts
from dermseg.types import BoolMask

__all__ = ["ImageScore", "Item", "read_predictions", "score_item", "score_mask"]

Item: TypeAlias = tuple[str, BoolMask | ImageError, Path | None]
"""Id, predicted mask (H, W) or the error that prevented it, and the file of the true mask.

None for the truth where a sample has none.
"""


@dataclass(frozen=True)
class ImageScore:
    """The scores of one image at the native size of its truth.

    Undefined scores are 1, as in the ISIC challenge.

    Attributes:
        id: The image.
        counts: Pixels by prediction and truth; the scores follow from them.
    """

    id: str
    counts: ConfusionCounts
    jaccard: float
    thresholded_jaccard: float
    dice: float
    accuracy: float
    sensitivity: float
    specificity: float
    precision: float

    @classmethod
    def from_counts(cls, id: str, counts: ConfusionCounts) -> ImageScore:
        """Compute all scores of an image."""
        return cls(
            id,
            counts,
            jaccard=counts.jaccard(),
            thresholded_jaccard=counts.thresholded_jaccard(),
            dice=counts.dice(),
            accuracy=counts.accuracy(),
            sensitivity=counts.sensitivity(),
            specificity=counts.specificity(),
            precision=counts.precision(),
        )


def score_mask(id: str, prediction: BoolMask, truth: Path) -> ImageScore:
    """Score a predicted mask, (H, W) bool, against a truth file of the same size.

    Raises:
        ImageError: If the truth cannot be read, or the sizes differ: a mask is not resized to be
            scored, because that would change it.
    """
    target = read_mask(truth)
    if prediction.shape != target.shape:
        raise ImageError(
            id,
            f"the prediction is {_size(prediction)} pixels, the truth {truth.name} is "
            f"{_size(target)} (height x width); predict at the image's native size",
        )
    return ImageScore.from_counts(id, confusion_counts(prediction, target))


def score_item(item: Item) -> ImageScore | Skipped:
    """Score what was predicted for one image, or say why it cannot be scored."""
    id, prediction, truth = item
    if truth is None:
        return Skipped(id, "there is no true mask for it")
    if isinstance(prediction, ImageError):
        return Skipped(id, str(prediction))
    try:
        return score_mask(id, prediction, truth)
    except ImageError as error:
        return Skipped(id, error.reason if error.source == id else str(error))


def read_predictions(pairs: Iterable[Pair]) -> Iterator[Item]:
    """Read the predicted masks one by one; for one that cannot be read, hand on the error."""
    for pair in pairs:
        try:
            prediction: BoolMask | ImageError = read_mask(pair.prediction)
        except ImageError as error:
            prediction = error
        yield pair.id, prediction, pair.truth


def _size(mask: BoolMask) -> str:
    return " x ".join(map(str, mask.shape))
