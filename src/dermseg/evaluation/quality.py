"""What a model's own estimates of its masks are worth, held against the truth."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any, Final

import numpy as np
from numpy.typing import ArrayLike, NDArray

from dermseg.evaluation.image_score import ImageScore, group_of
from dermseg.evaluation.intervals import Interval, bootstrap_interval, bootstrap_weighted
from dermseg.metrics import JACCARD_THRESHOLD

__all__ = ["REVIEW_SHARE", "QualityFigures", "quality_figures", "share_caught"]

REVIEW_SHARE: Final = 0.2
"""Share of the images that somebody has time to look at."""

_Values = NDArray[np.float64]


@dataclass(frozen=True)
class QualityFigures:
    """How well expected Jaccard indices and flags tell poor masks from good ones.

    A mask is poor if its Jaccard index is below `dermseg.metrics.JACCARD_THRESHOLD`.

    Attributes:
        num_images: Scored images of which a quality is expected.
        num_poor: Those whose mask is poor.
        num_review: Those that are flagged for review.
        caught: Share of the poor masks in the fifth with the lowest expected Jaccard index, see
            `share_caught`; None where no mask is poor.
        caught_by_review: Share of the poor masks that are flagged, however many are.
        mean_error: Mean difference of expected and true Jaccard index, without its sign.
    """

    num_images: int
    num_poor: int
    num_review: int
    caught: Interval | None
    caught_by_review: Interval | None
    mean_error: Interval

    def as_json(self) -> dict[str, Any]:
        """Return plain values, ready for JSON."""
        return {**asdict(self), "share": REVIEW_SHARE, "poor_below": JACCARD_THRESHOLD}


def quality_figures(
    scores: Sequence[ImageScore], *, groups: Mapping[str, str], seed: int
) -> QualityFigures | None:
    """Hold what was expected of the masks against their Jaccard indices.

    Args:
        scores: Of the images; those of which nothing is expected do not count.
        groups: The group of each id that is not a group of its own; groups are resampled whole.
        seed: Of the intervals.

    Returns:
        None where nothing is expected of any image.
    """
    known = [(score, score.quality) for score in scores if score.quality is not None]
    if not known:
        return None
    names = [group_of(score.id, groups) for score, _ in known]
    truth = np.array([score.jaccard for score, _ in known])
    expected = np.array([quality.expected_jaccard for _, quality in known])
    flagged = np.array([quality.review for _, quality in known])
    poor = truth < JACCARD_THRESHOLD

    def by_review(times: _Values) -> _Values:
        return _ratio(times @ (poor & flagged), times @ poor)[None]

    (caught_by_review,) = bootstrap_weighted(by_review, len(known), seed=seed, groups=names)
    return QualityFigures(
        num_images=len(known),
        num_poor=int(poor.sum()),
        num_review=int(flagged.sum()),
        caught=share_caught(expected, truth, groups=names, seed=seed),
        caught_by_review=caught_by_review,
        mean_error=bootstrap_interval(np.abs(expected - truth), groups=names, seed=seed),
    )


def share_caught(
    expected: ArrayLike,
    jaccards: ArrayLike,
    *,
    groups: Sequence[str] | None = None,
    seed: int = 0,
) -> Interval | None:
    """Share of the poor masks that are in the fifth of the images with the lowest expectation.

    Args:
        expected: (images,); only the order counts. Of equals the first comes first.
        jaccards: (images,), the truth.
        groups: The group of each image; None makes every image one.
        seed: Of the interval.

    Returns:
        In [0, 1]; None where no mask is poor.

    Example:
        >>> share_caught([0.1, 0.9, 0.5, 0.8, 0.7], [0.3, 0.6, 0.9, 0.9, 0.9]).value
        0.5
    """
    order = np.argsort(np.asarray(expected, np.float64), kind="stable")
    poor = np.asarray(jaccards, np.float64)[order] < JACCARD_THRESHOLD

    def caught(times: _Values) -> _Values:
        times = times[:, order]
        upto = np.cumsum(times, axis=1)
        # An image that was drawn twice may be the last that there is time for.
        looked_at = np.clip(np.rint(REVIEW_SHARE * upto[:, -1:]) - upto + times, 0, times)
        return _ratio(looked_at @ poor, times @ poor)[None]

    (interval,) = bootstrap_weighted(caught, len(order), seed=seed, groups=groups)
    return interval


def _ratio(part: _Values, whole: _Values) -> _Values:
    """NaN where the whole is 0."""
    nothing = np.full(len(whole), np.nan)
    return np.asarray(np.divide(part, whole, out=nothing, where=whole > 0), np.float64)
