"""The contents of the page of an evaluation."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
from markupsafe import Markup

from dermseg.evaluation.figures import measured
from dermseg.evaluation.image_score import BORDER_WIDTH, ImageScore
from dermseg.evaluation.intervals import NUM_RESAMPLES
from dermseg.evaluation.matching import ImageFiles
from dermseg.evaluation.report.cases import choose_cases, draw_case
from dermseg.evaluation.report.curves import (
    precision_recall_points,
    reliability_points,
    roc_points,
)
from dermseg.evaluation.results import Evaluation
from dermseg.evaluation.score_table import SCORES
from dermseg.metrics import JACCARD_THRESHOLD, ProbabilityCounts
from dermseg.pages.charts import Curve, curve_chart, histogram, reliability_chart
from dermseg.pages.scales import Axis, fit_axis, format_number

__all__ = [
    "Chart",
    "Picture",
    "describe_setup",
    "draw_cases",
    "draw_distributions",
    "draw_probabilities",
    "list_tiles",
]

_IN_UNIT: Final = ("jaccard", "dice", "sensitivity", "specificity")
_WITHOUT_BOUNDARY: Final = ("precision", "accuracy")
_DISTANCES: Final = ("normalized_surface_distance", "hausdorff_95")
_TILES: Final = (
    "dice",
    "thresholded_jaccard",
    "sensitivity",
    "specificity",
    "hausdorff_95",
    "normalized_surface_distance",
    "auc",
    "expected_calibration_error",
)
_CASE_TITLES: Final = {
    "worst": "Lowest Jaccard indices",
    "median": "Around the median",
    "best": "Highest Jaccard indices",
}
_FACTS: Final = {
    "model": "Model",
    "dataset": "Dataset",
    "part": "Part",
    "truth": "Truth",
    "predictions": "Predictions",
    "images": "Images",
}


@dataclass(frozen=True)
class Chart:
    """A figure of the page.

    Attributes:
        title: Above it.
        svg: The figure.
        caption: Below it.
    """

    title: str
    svg: Markup
    caption: str = ""


@dataclass(frozen=True)
class Picture:
    """An image that is shown.

    Attributes:
        score: Its scores.
        svg: The picture; None if a file is not known or cannot be read any more.
    """

    score: ImageScore
    svg: Markup | None


def list_tiles(aggregates: Mapping[str, Any]) -> list[tuple[str, Any]]:
    """Return the names and the figures that stand beside the headline."""
    return [
        (SCORES[name].label, aggregates[f"mean_{name}"])
        for name in _TILES
        if f"mean_{name}" in aggregates
    ]


def draw_distributions(evaluation: Evaluation) -> list[Chart]:
    """Draw how the scores of the images are spread."""
    scores = evaluation.scores
    if not scores:
        return []
    names = _IN_UNIT if evaluation.measures.boundary else (*_IN_UNIT, *_WITHOUT_BOUNDARY)
    charts = [_unit_histogram(name, scores) for name in names]
    for name in _DISTANCES:
        values = _finite(name, scores)
        if values.size and name in measured(scores):
            is_share = name == "normalized_surface_distance"
            charts.append(
                _unit_histogram(name, scores) if is_share else _distance_histogram(name, values)
            )
    return charts


def draw_probabilities(evaluation: Evaluation) -> list[Chart]:
    """Draw the ROC, precision-recall and reliability curves of all pixels; none without them."""
    pooled = evaluation.pooled_probabilities
    if pooled is None:
        return []
    everywhere, border = pooled
    charts = []
    if points := roc_points(everywhere):
        caption = f"Area under the curve {format_number(everywhere.auc(), 4)}."
        svg = curve_chart(
            [Curve(points, "ROC")],
            x_label="1 - specificity",
            y_label="sensitivity",
            description=f"ROC curve of all pixels. {caption}",
            diagonal=True,
        )
        charts.append(Chart("ROC curve", svg, caption))
    if points := precision_recall_points(everywhere):
        caption = f"Average precision {format_number(everywhere.average_precision(), 4)}."
        svg = curve_chart(
            [Curve(points, "precision")],
            x_label="recall (sensitivity)",
            y_label="precision",
            description=f"Precision-recall curve of all pixels. {caption}",
        )
        charts.append(Chart("Precision and recall", svg, caption))
    return [*charts, _reliability(everywhere, border)]


def draw_cases(evaluation: Evaluation) -> list[tuple[str, list[Picture]]]:
    """Choose and draw the worst, the median and the best images, with a title for each."""
    return [
        (
            _CASE_TITLES[case.name],
            [Picture(score, _draw(score, evaluation)) for score in case.scores],
        )
        for case in choose_cases(evaluation.scores)
    ]


def describe_setup(evaluation: Evaluation, about: Mapping[str, str]) -> list[tuple[str, str]]:
    """List what the figures depend on, as names and values."""
    measures = evaluation.measures
    facts = [(_FACTS.get(name, name.capitalize()), value) for name, value in about.items()]
    num_groups = len({evaluation.groups.get(score.id, score.id) for score in evaluation.scores})
    grouped = "groups of images, such as lesions" if evaluation.is_grouped else "images"
    facts += [
        ("Protocol", evaluation.protocol),
        (
            "Intervals",
            f"95 %, percentile bootstrap, {NUM_RESAMPLES:,} resamples of {num_groups:,} {grouped}, "
            f"seed {evaluation.seed}",
        ),
    ]
    if measures.boundary:
        facts.append(
            (
                "Tolerance of the normalised surface distance",
                f"{measures.tolerance:g} pixels; relative, {measures.relative_tolerance:g} of the "
                "lesion's diameter",
            )
        )
    return facts


def _unit_histogram(name: str, scores: Sequence[ImageScore]) -> Chart:
    values = _finite(name, scores)
    low = 0.0 if values.min() < 0.5 else 0.5
    axis = Axis(low, 1.0)
    counts, _ = np.histogram(values, bins=20, range=(axis.low, axis.high))
    title = SCORES[name].label
    guide = None
    caption = f"Median {format_number(float(np.median(values)))}."
    if name == "jaccard":
        guide = (JACCARD_THRESHOLD, str(JACCARD_THRESHOLD))
        num_below = int((values < JACCARD_THRESHOLD).sum())
        caption += f" {num_below} of {values.size} images are below {JACCARD_THRESHOLD}."
    svg = histogram(
        counts.tolist(),
        axis,
        label=title,
        description=f"Histogram of the {title} of {values.size} images. {caption}",
        mean=float(values.mean()),
        guide=guide,
    )
    return Chart(title, svg, caption)


def _distance_histogram(name: str, values: np.ndarray[Any, Any]) -> Chart:
    end = fit_axis([0.0, float(np.quantile(values, 0.95))], highest=math.inf).high
    counts, _ = np.histogram(np.minimum(values, end), bins=20, range=(0, end))
    title = SCORES[name].label
    num_above = int((values > end).sum())
    caption = f"Median {format_number(float(np.median(values)))}."
    if num_above:
        caption += f" The last bar also holds {num_above} above {end:g}."
    svg = histogram(
        counts.tolist(),
        Axis(0, end),
        label=title,
        description=f"Histogram of the {title} of {values.size} images. {caption}",
        mean=float(values.mean()),
        overflow=bool(num_above),
    )
    return Chart(title, svg, caption)


def _reliability(everywhere: ProbabilityCounts, border: ProbabilityCounts) -> Chart:
    points, shares = reliability_points(everywhere)
    border_points, _ = reliability_points(border)
    error = format_number(everywhere.expected_calibration_error(), 4)
    border_error = format_number(border.expected_calibration_error(), 4)
    caption = (
        f"Expected calibration error {error}; within {BORDER_WIDTH} pixels of either border "
        f"{border_error}. On the diagonal, probabilities mean what they say. Pale bars: share of "
        "all pixels."
    )
    curves = [Curve(points, "all pixels")]
    if border_points:
        curves.append(Curve(border_points, "near borders", second=True))
    svg = reliability_chart(curves, shares, description=f"Reliability diagram. {caption}")
    return Chart("Reliability", svg, caption)


def _draw(score: ImageScore, evaluation: Evaluation) -> Markup | None:
    description = f"{score.id}: Jaccard index {format_number(score.jaccard)}"
    return draw_case(evaluation.files.get(score.id, ImageFiles()), description)


def _finite(name: str, scores: Sequence[ImageScore]) -> np.ndarray[Any, np.dtype[np.float64]]:
    values = np.array([score.value(name) for score in scores], np.float64)
    return values[np.isfinite(values)]
