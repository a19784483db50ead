"""The curves of probabilities, from histograms of pixels."""

from __future__ import annotations

import numpy as np

from dermseg.metrics import ProbabilityCounts

__all__ = ["precision_recall_points", "reliability_points", "roc_points"]

Points = list[tuple[float, float]]


def roc_points(counts: ProbabilityCounts) -> Points:
    """Return (1 - specificity, sensitivity) at each threshold, from (0, 0) to (1, 1).

    Empty where there are only lesion or only skin pixels.
    """
    positives, negatives = counts.positives.sum(), counts.negatives.sum()
    if not positives or not negatives:
        return []
    x = np.cumsum(counts.negatives[::-1]) / negatives
    y = np.cumsum(counts.positives[::-1]) / positives
    return [(0.0, 0.0), *_distinct(zip(x.tolist(), y.tolist(), strict=True))]


def precision_recall_points(counts: ProbabilityCounts) -> Points:
    """Return (recall, precision) at each threshold, from the highest; empty without lesion."""
    found = np.cumsum(counts.positives[::-1])
    if not found[-1]:
        return []
    called = found + np.cumsum(counts.negatives[::-1])
    kept = called > 0
    recall = found[kept] / found[-1]
    precision = found[kept] / called[kept]
    first = (0.0, float(precision[0]))
    return [first, *_distinct(zip(recall.tolist(), precision.tolist(), strict=True))]


def reliability_points(counts: ProbabilityCounts) -> tuple[Points, list[float]]:
    """Return (mean probability, share of lesion) of the bins that hold pixels.

    Returns:
        The points, and each bin's share of all pixels. The bins are those of
        `ProbabilityCounts.expected_calibration_error`.
    """
    pixels, probability, lesion = counts.calibration_bins()
    points = [
        (float(probability[bin] / pixels[bin]), float(lesion[bin] / pixels[bin]))
        for bin in np.flatnonzero(pixels)
    ]
    return points, (pixels / max(1, pixels.sum())).tolist()


def _distinct(points: zip[tuple[float, float]]) -> Points:
    """Without points that cannot be told from the one before; the last one stays."""
    kept: Points = []
    last: tuple[float, float] | None = None
    for last in points:
        if not kept or max(abs(last[0] - kept[-1][0]), abs(last[1] - kept[-1][1])) > 0.002:
            kept.append(last)
    if last is not None and kept[-1] != last:
        kept.append(last)
    return kept
