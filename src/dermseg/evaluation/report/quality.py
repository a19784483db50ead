"""Charts of expected against true quality, for the page of an evaluation."""

from __future__ import annotations

import numpy as np

from dermseg.evaluation.figures import REVIEW_SHARE
from dermseg.evaluation.report.content import Chart
from dermseg.evaluation.results import Evaluation
from dermseg.metrics import JACCARD_THRESHOLD
from dermseg.pages.charts import Curve, curve_chart, scatter_chart

__all__ = ["draw_quality"]


def draw_quality(evaluation: Evaluation) -> list[Chart]:
    """Draw expected against true Jaccard indices, and how many poor masks a look at some finds."""
    figures = evaluation.quality
    if figures is None:
        return []
    known = [(score.jaccard, score.quality) for score in evaluation.scores if score.quality]
    truth = np.array([jaccard for jaccard, _ in known])
    expected = np.array([quality.expected_jaccard for _, quality in known])
    flagged = [quality.review for _, quality in known]
    error = figures.mean_error
    caption = (
        f"They differ by {error.value:.3f} [{error.low:.3f}, {error.high:.3f}] on average. "
        f"Rings: the {figures.num_review} of {figures.num_images} masks flagged for review."
    )
    svg = scatter_chart(
        list(zip(expected.tolist(), truth.tolist(), strict=True)),
        flagged,
        x_label="expected Jaccard index",
        y_label="true Jaccard index",
        description=f"Expected and true Jaccard index of each mask. {caption}",
        guide=JACCARD_THRESHOLD,
    )
    charts = [Chart("Expected and true", svg, caption)]
    if figures.caught is not None:
        poor = truth[np.argsort(expected, kind="stable")] < JACCARD_THRESHOLD
        looked_at = np.arange(len(poor) + 1) / len(poor)
        caught = np.concatenate([[0.0], np.cumsum(poor) / poor.sum()])
        share = figures.caught
        caption = (
            f"Masks below {JACCARD_THRESHOLD}: {figures.num_poor}. A look at the "
            f"{REVIEW_SHARE:.0%} of the images of which least is expected finds {share.value:.0%} "
            f"of them [{share.low:.0%}, {share.high:.0%}]. The diagonal is chance."
        )
        svg = curve_chart(
            [Curve(list(zip(looked_at.tolist(), caught.tolist(), strict=True)), "caught")],
            x_label="share of the images that is looked at",
            y_label="share of the poor masks",
            description=f"Poor masks found against images looked at. {caption}",
            diagonal=True,
        )
        charts.append(Chart("Poor masks found", svg, caption))
    return charts
