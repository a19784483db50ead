"""The scores of single images, and the pixels of all images by probability."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

from dermseg.errors import ImageError
from dermseg.evaluation.image_score import (
    BORDER_WIDTH,
    Histograms,
    ImageScore,
    ImageStatistics,
    Measures,
    attribute_of,
    image_of,
    measure_image,
    probability_scores,
)
from dermseg.evaluation.masks import (
    CheckedMask,
    MaskFile,
    read_checked_mask,
    scaled_auc,
    scaled_counts,
)
from dermseg.evaluation.matching import MaskPair, Skipped
from dermseg.evaluation.protocols import MaskRole
from dermseg.images import read_image, read_mask_values, read_size
from dermseg.metrics import (
    ConfusionCounts,
    ProbabilityCounts,
    boundary_measures,
    confusion_counts,
    near_boundary,
)
from dermseg.prediction import Quality
from dermseg.prediction.memory_budget import MemoryBudget
from dermseg.storage import DAMAGED_ZIP
from dermseg.threads import map_in_order
from dermseg.types import BoolMask, ImageArray

__all__ = [
    "ImageScore",
    "Item",
    "PixelPool",
    "Predicted",
    "Truth",
    "complement_fits",
    "read_predictions",
    "score_item",
    "score_mask",
    "score_pairs",
]

_PLAIN = Measures()
# At most some 40 bytes each, where distances are measured.
_PIXELS_AT_ONCE = 25_000_000
_INVERTED_BELOW, _INVERTED_ABOVE = 0.1, 0.5


@dataclass(frozen=True)
class Predicted:
    """A predicted mask with what else is known of it.

    Attributes:
        mask: (H, W) bool.
        levels: Probability of lesion times 255, (H, W) uint8, or None.
        is_binary: See `CheckedMask`.
        findings: What is odd about the files.
        image: The photograph, (H, W, 3) uint8, or None.
        quality: What the model expects of the mask, or None.
    """

    mask: BoolMask
    levels: NDArray[np.uint8] | None = None
    is_binary: bool = True
    findings: tuple[str, ...] = ()
    image: ImageArray | None = None
    quality: Quality | None = None


Truth: TypeAlias = MaskFile | CheckedMask
"""A true mask: its file, or the mask itself where it is not a file of its own."""

Item: TypeAlias = tuple[str, BoolMask | Predicted | ImageError, Truth | None]
"""Id, predicted mask (H, W) or the error that prevented it, and the true mask.

None for the truth where a sample has none.
"""


def score_mask(
    id: str,
    prediction: BoolMask | Predicted,
    truth: Truth,
    measures: Measures = _PLAIN,
) -> ImageScore:
    """Score a predicted mask against a true one of the same size.

    Raises:
        ImageError: If the truth cannot be read, or the sizes differ: a mask is not resized to be
            scored, because that would change it.
    """
    if not isinstance(prediction, Predicted):
        prediction = Predicted(prediction)
    true = truth if isinstance(truth, CheckedMask) else read_checked_mask(truth)
    mask, target = prediction.mask, true.mask
    if mask.shape != target.shape:
        raise _SizeError(
            id,
            f"the prediction is {_size(mask)} pixels, the truth{_name(truth)} is "
            f"{_size(target)} (height x width); predict at the image's native size",
        )
    counts = confusion_counts(mask, target)
    lesion = _read_lesion(id, target, measures)
    boundary = None
    if measures.boundary:
        boundary = boundary_measures(
            mask,
            target,
            tolerance=measures.tolerance,
            relative_tolerance=measures.relative_tolerance,
        )
    histograms, aucs = None, {}
    if measures.probability and prediction.levels is not None:
        levels = prediction.levels
        histograms = _count_levels(id, levels, mask, target)
        aucs = {
            scaling: scaled_auc(levels, target, scaling, lesion=lesion)
            for scaling in measures.auc_scalings
        }
    binary: dict[MaskRole, bool] = {
        "truth": true.is_binary,
        "prediction": prediction.is_binary,
    }
    return ImageScore(
        id,
        counts,
        scaled_counts={
            scaling: scaled_counts(mask, target, scaling, lesion=lesion)
            for scaling in measures.scalings
        },
        scaled_auc=aucs,
        boundary=boundary,
        probability=None if histograms is None else probability_scores(histograms),
        histograms=histograms,
        statistics=_measure(prediction, target, measures),
        quality=prediction.quality,
        not_binary=frozenset(role for role, is_binary in binary.items() if not is_binary),
        findings=_findings(prediction, true, counts),
    )


def score_item(
    item: Item,
    measures: Measures = _PLAIN,
) -> ImageScore | Skipped:
    """Score what was predicted for one image, or say why it cannot be scored."""
    id, prediction, truth = item
    if isinstance(prediction, ImageError):
        return Skipped(id, str(prediction))
    if truth is None:
        return Skipped(id, "there is no true mask for it", "no truth")
    try:
        return score_mask(id, prediction, truth, measures)
    except _SizeError as error:
        return Skipped(id, error.reason, "size")
    except ImageError as error:
        return Skipped(id, str(error))


def read_predictions(pairs: Iterable[MaskPair], *, probability: bool = False) -> Iterator[Item]:
    """Read the predicted masks one by one; for one that cannot be read, hand on the error."""
    for pair in pairs:
        yield _read_pair(pair, Measures(probability=probability))


def score_pairs(pairs: Iterable[MaskPair], measures: Measures) -> Iterator[ImageScore | Skipped]:
    """Score pairs of files, in their order, a few at a time in memory, and large ones alone."""
    budget = MemoryBudget(_PIXELS_AT_ONCE)

    def score(pair: MaskPair) -> ImageScore | Skipped:
        with budget.hold(_num_pixels(pair.truth)):
            try:
                return score_item(_read_pair(pair, measures), measures)
            except MemoryError:
                return Skipped(pair.id, "there is not enough memory to score masks of this size")

    yield from map_in_order(score, pairs, num_threads=min(4, os.cpu_count() or 1))


def _num_pixels(file: MaskFile) -> int:
    """Pixels of a mask by its header; 0 where that cannot be read, which scoring will say."""
    try:
        height, width = read_size(file if isinstance(file, Path) else file.read_bytes())
    except (ImageError, *DAMAGED_ZIP, OSError):
        return 0
    return height * width


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


class _SizeError(ImageError):
    """Two masks of one image differ in size."""


def _read_pair(pair: MaskPair, measures: Measures) -> Item:
    try:
        checked = read_checked_mask(pair.prediction)
        levels = None
        if measures.probability and pair.probability is not None:
            levels = read_mask_values(pair.probability)
    except ImageError as error:
        return pair.id, error, pair.truth
    findings = [] if checked.finding is None else [f"the prediction: {checked.finding}"]
    image = None
    if measures.statistics and pair.image is not None:
        image, finding = _read_image_of(pair.image, checked.mask)
        findings += [finding] if finding else []
    predicted = Predicted(
        checked.mask, levels, checked.is_binary, tuple(findings), image, pair.quality
    )
    return pair.id, predicted, pair.truth


def _read_image_of(path: Path, mask: BoolMask) -> tuple[ImageArray | None, str | None]:
    """The image if it can be measured with the mask, else what is wrong with it."""
    try:
        image = read_image(path)
    except ImageError as error:
        return None, f"the image is not measured: {error}"
    if image.shape[:2] != mask.shape:
        size = " x ".join(map(str, image.shape[:2]))
        return None, f"the image is not measured: it is {size} pixels, the masks {_size(mask)}"
    return image, None


def _measure(prediction: Predicted, target: BoolMask, measures: Measures) -> ImageStatistics | None:
    if not measures.statistics or prediction.image is None:
        return None
    return measure_image(prediction.image, target)


def _read_lesion(id: str, target: BoolMask, measures: Measures) -> BoolMask | None:
    file = measures.lesions.get(image_of(id))
    if file is None or not any(scaling.inside_lesion for scaling in measures.scalings):
        return None
    lesion = read_checked_mask(file).mask
    if lesion.shape != target.shape:
        raise _SizeError(
            id,
            f"the lesion mask {file.name} is {_size(lesion)} pixels, the truth is {_size(target)} "
            "(height x width); give the lesion of the same image",
        )
    return lesion


def _count_levels(
    id: str, levels: NDArray[np.uint8], mask: BoolMask, target: BoolMask
) -> Histograms:
    if levels.shape != target.shape:
        raise _SizeError(
            id,
            f"the probabilities are {_size(levels)} pixels, the truth is {_size(target)} "
            "(height x width); predict at the image's native size",
        )
    near = near_boundary(mask, target, distance=BORDER_WIDTH)
    return (
        ProbabilityCounts.of(levels, target),
        ProbabilityCounts.of(levels[near], target[near]),
    )


def _findings(
    prediction: Predicted, truth: CheckedMask, counts: ConfusionCounts
) -> tuple[str, ...]:
    findings = [*prediction.findings]
    if truth.finding is not None:
        findings.append(f"the truth: {truth.finding}")
    if _covers_edge(prediction.mask) and complement_fits(counts):
        findings.append(
            f"the prediction looks inverted: its Jaccard index is {counts.jaccard():.2f}, and "
            f"{_inverted(counts).jaccard():.2f} with lesion and skin swapped"
        )
    return tuple(findings)


def complement_fits(counts: ConfusionCounts) -> bool:
    """Whether the masks overlap by less than 0.1, and by more than 0.5 if one is inverted."""
    return counts.jaccard() < _INVERTED_BELOW and _inverted(counts).jaccard() > _INVERTED_ABOVE


def _inverted(counts: ConfusionCounts) -> ConfusionCounts:
    return ConfusionCounts(tp=counts.fn, fp=counts.tn, fn=counts.tp, tn=counts.fp)


def _covers_edge(mask: BoolMask) -> bool:
    """Whether at least 90 % of the image's edge is lesion: seldom so, and always if inverted."""
    edge = np.concatenate([mask[0], mask[-1], mask[:, 0], mask[:, -1]])
    return bool(edge.mean() >= 0.9)


def _name(truth: Truth) -> str:
    return "" if isinstance(truth, CheckedMask) else f" {truth.name}"


def _size(mask: NDArray[np.uint8] | BoolMask) -> str:
    return " x ".join(map(str, mask.shape))
