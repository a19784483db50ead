"""Thresholds and kernels of each class, fitted to the images that chose the checkpoint."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import product
from typing import Final

import numpy as np

from dermseg.evaluation.protocol_rules import Values, jaccard
from dermseg.metrics import confusion_counts
from dermseg.prediction import Prediction, Predictor
from dermseg.recipes import Postprocessing
from dermseg.training.final_scores import predict_known
from dermseg.training.roc import RocCounts
from dermseg.types import BoolMask, Sample

__all__ = ["KERNELS", "fit_kernels", "fit_thresholds"]

KERNELS: Final = (0.0, 0.005, 0.012, 0.026)
"""Sides of the kernels that are tried, as shares of the shorter side of what the network saw.

0 is no kernel.
"""


def fit_thresholds(
    options: Postprocessing, classes: Sequence[str], pixels: Mapping[str, RocCounts]
) -> Postprocessing:
    """Give each class the threshold with the highest pooled Jaccard index.

    Args:
        options: Classes that have a threshold of their own keep it.
        classes: Their names.
        pixels: Of each class. One that is in no mask keeps the threshold of all.
    """
    best = {name: pixels[name].best_threshold()[0] for name in classes}
    fitted = {name: threshold for name, threshold in best.items() if not np.isnan(threshold)}
    return options.model_copy(update={"thresholds": fitted | options.thresholds})


def fit_kernels(
    predictor: Predictor, samples: Sequence[Sample], options: Postprocessing
) -> Postprocessing:
    """Give each class the erosion and dilation with the highest pooled Jaccard index.

    The index is that of the protocol ``isic2018_task2``: at native size, each image counting the
    same. Of pairs of kernels that are equally good, the one with the smallest sum is taken, so
    kernels that do nothing are left out. Of every image only counts of pixels are kept.

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
    erosion, dilation = dict(options.erosion), dict(options.dilation)
    for name, tried in variants.items():
        found, _, missed, _ = counts[name][0]
        if not found + missed:
            continue
        best = tried[int(jaccard(counts[name], empty=0.0).argmax())]
        for kernels, side in ((erosion, best.erosion[name]), (dilation, best.dilation[name])):
            if side:
                kernels[name] = side
    return options.model_copy(update={"erosion": erosion, "dilation": dilation})


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
    if not (probability >= variants[0].threshold_of(name)).any():
        # No kernel makes a mask of nothing, and most images do not have most attributes.
        variants = variants[:1]
    masks = (prediction.mask_from(probability, name, tried) for tried in variants)
    counts = [confusion_counts(mask, truth) for mask in masks]
    rows = [(count.tp, count.fp, count.fn, count.tn) for count in counts]
    return np.array(rows, np.float64) / truth.size
