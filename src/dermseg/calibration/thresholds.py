"""Thresholds and kernels that make the best masks of images that a model did not learn from."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from itertools import product
from typing import Final

import numpy as np
from numpy.typing import NDArray

from dermseg.calibration.held_out import HeldOut
from dermseg.datasets.class_masks import has_mask, known_masks
from dermseg.errors import ImageError
from dermseg.evaluation.protocol_rules import Values
from dermseg.metrics import ProbabilityCounts, RocCounts, confusion_counts, to_levels
from dermseg.metrics.ranking import THRESHOLDS, middle_of_best
from dermseg.prediction import Prediction, Predictor
from dermseg.prediction.postprocessing import threshold_probability
from dermseg.recipes import Postprocessing
from dermseg.types import BoolMask, Sample

__all__ = ["KERNELS", "fit_kernels", "fit_threshold", "fit_thresholds", "predict_known"]

KERNELS: Final = (0.0, 0.005, 0.012, 0.026)
"""Sides of the kernels that are tried, as shares of the shorter side of what the network saw.

0 is no kernel.
"""

# Levels of 255 among which the threshold is sought.
_THRESHOLDS: Final = slice(51, 205)
# Mean Jaccard indices closer to the best than this count as equal: about a quarter of the interval
# of a thousand images.
_NEARLY: Final = 2e-3


def fit_threshold(
    held_out: HeldOut, scaling: Mapping[str, float], options: Postprocessing
) -> Postprocessing:
    """Give the lesion a threshold with a mean Jaccard index as high as any.

    Args:
        held_out: The images; masks are not cleaned for this.
        scaling: ``temperature`` and ``bias``.
        options: The other options stay.
    """
    total = np.zeros(256)
    for _, prediction, truth in held_out.predict(**scaling):
        total += _jaccard_by_level(to_levels(prediction.probability), truth)
    threshold = _choose_threshold(total / len(held_out.samples))
    return options.model_copy(update={"threshold": threshold, "thresholds": {}})


def fit_thresholds(
    options: Postprocessing, classes: Sequence[str], pixels: Mapping[str, RocCounts]
) -> Postprocessing:
    """Give the classes the thresholds with the highest Jaccard index of all of them together.

    A class that is hardly recognised is then marked only where it is as sure as the others:
    the threshold that is best for it alone would mark far more that is wrong than right.

    Args:
        options: Classes that have a threshold of their own keep it.
        classes: Their names.
        pixels: The pixels of each class. A class that is in no mask keeps the threshold of all.
    """
    chosen = [
        name for name in classes if pixels[name].positives.any() and name not in options.thresholds
    ]
    reached = [pixels[name].reached() for name in chosen]
    total = sum(float(pixels[name].positives.sum()) for name in chosen)
    if not chosen:
        return options
    found, wrong = zip(*reached, strict=True)
    best = _best_together(found, wrong, total, pick=middle_of_best)
    fitted = {name: float(THRESHOLDS[place]) for name, place in zip(chosen, best, strict=True)}
    return options.model_copy(update={"thresholds": fitted | options.thresholds})


def fit_kernels(
    predictor: Predictor, samples: Sequence[Sample], options: Postprocessing
) -> Postprocessing:
    """Give the classes the erosions and dilations with the highest Jaccard index of all together.

    The index is that of the protocol ``isic2018_task2``: at native size, each image counting the
    same. If several pairs of kernels are equally good, the one with the smallest sum is taken, so
    kernels that do nothing are left out. Only counts of pixels are kept of every image.

    Args:
        predictor: The model.
        samples: Those with known masks count.
        options: The thresholds in force. Kernels that it names, also of 0, stay as they are; a
            class that is in no mask gets none.
    """
    variants = {name: _variants(options, name) for name in predictor.spec.classes}
    if all(len(tried) == 1 for tried in variants.values()):
        return options
    counts = {name: np.zeros((len(tried), 4)) for name, tried in variants.items()}
    for _, prediction, truths in predict_known(predictor, samples):
        for name, truth in truths.items():
            counts[name] += _share_of_counts(prediction, truth, variants[name], name)
    totals = {name: rows[0, 0] + rows[0, 2] for name, rows in counts.items()}
    shown = [name for name, total in totals.items() if total]
    if not shown:
        return options
    best = _best_together(
        [counts[name][:, 0] for name in shown],
        [counts[name][:, 1] for name in shown],
        sum(totals.values()),
        # Small ones are first.
        pick=lambda gains: int(gains.argmax()),
    )
    erosion, dilation = dict(options.erosion), dict(options.dilation)
    for name, place in zip(shown, best, strict=True):
        chosen = variants[name][place]
        for kernels, side in ((erosion, chosen.erosion[name]), (dilation, chosen.dilation[name])):
            if side:
                kernels[name] = side
    return options.model_copy(update={"erosion": erosion, "dilation": dilation})


def predict_known(
    predictor: Predictor, samples: Sequence[Sample]
) -> Iterator[tuple[Sample, Prediction, dict[str, BoolMask]]]:
    """Predict the samples of which a mask is known; those that cannot be read are left out."""
    masked = [sample for sample in samples if has_mask(sample, predictor.spec.classes)]
    results = predictor.predict_many(
        (sample.image for sample in masked), force=True, on_error="return"
    )
    for sample, result in zip(masked, results, strict=True):
        if not isinstance(result, ImageError):
            yield sample, result, known_masks(sample, predictor.spec.classes)


def _choose_threshold(mean_jaccard: NDArray[np.float64]) -> float:
    """A threshold as good as any, from the mean Jaccard index at each of 256 levels.

    It is the middle one of those that are nearly as good as the best: the very best is a matter of
    chance, and a threshold at an edge costs most on other images.
    """
    candidates = mean_jaccard[_THRESHOLDS]
    good = np.flatnonzero(candidates >= candidates.max() - _NEARLY) + _THRESHOLDS.start
    # Between two levels, so that it parts them whatever rounding does.
    return round(float((np.median(good) - 0.5) / 255), 4)


def _jaccard_by_level(levels: NDArray[np.uint8], truth: BoolMask) -> NDArray[np.float64]:
    """The Jaccard index of an image if each of the 256 levels is where the lesion begins."""
    counts = ProbabilityCounts.of(levels, truth)
    found = np.cumsum(counts.positives[::-1])[::-1]
    union = counts.positives.sum() + np.cumsum(counts.negatives[::-1])[::-1]
    # Two empty masks agree.
    return np.where(union > 0, found / np.maximum(union, 1), 1.0)


def _best_together(
    found: Sequence[Values],
    wrong: Sequence[Values],
    total: float,
    *,
    pick: Callable[[Values], int],
) -> list[int]:
    """The choice for each class with which the Jaccard index of all classes together is highest.

    Args:
        found: For each class the true positives of each choice.
        wrong: The false positives, likewise.
        total: Pixels of the classes, found or missed; above 0.
        pick: The place of the highest value.

    References:
        Dinkelbach (1967), doi:10.1287/mnsc.13.7.492: a ratio is highest where its numerator less
        that ratio times its denominator is.
    """
    index, before = 0.0, -1.0
    best: list[int] = []
    while index > before:
        before = index
        pairs = list(zip(found, wrong, strict=True))
        best = [pick(right - index * others) for right, others in pairs]
        right = sum(values[place] for values, place in zip(found, best, strict=True))
        others = sum(values[place] for values, place in zip(wrong, best, strict=True))
        index = float(right / (total + others))
    return best


def _variants(options: Postprocessing, name: str) -> list[Postprocessing]:
    """The options with each pair of kernels for a class, small ones first."""
    tried = [
        [kernels[name]] if name in kernels else list(KERNELS)
        for kernels in (options.erosion, options.dilation)
    ]
    return [
        options.model_copy(update={"erosion": {name: erosion}, "dilation": {name: dilation}})
        for erosion, dilation in sorted(product(*tried), key=sum)
    ]


def _share_of_counts(
    prediction: Prediction, truth: BoolMask, variants: Sequence[Postprocessing], name: str
) -> Values:
    """TP, FP, FN and TN of each variant's mask, (variants, 4), as shares of the image."""
    probability = prediction.probabilities[name]
    if not threshold_probability(probability, variants[0].threshold_of(name)).any():
        # No kernel makes a mask of nothing, and most images do not have most attributes.
        variants = variants[:1]
    masks = (prediction.mask_from(probability, name, tried) for tried in variants)
    counts = [confusion_counts(mask, truth) for mask in masks]
    rows = [(count.tp, count.fp, count.fn, count.tn) for count in counts]
    return np.array(rows, np.float64) / truth.size
