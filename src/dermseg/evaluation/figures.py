"""From the scores of images to the figures of a test set."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from typing import Any, Final

import numpy as np
from numpy.typing import ArrayLike

from dermseg.evaluation.image_score import ImageScore, are_attributes, attribute_of, group_of
from dermseg.evaluation.intervals import (
    Interval,
    bootstrap_interval,
    bootstrap_means,
    bootstrap_weighted,
)
from dermseg.evaluation.protocol_rules import Values
from dermseg.evaluation.protocols import NATIVE, Protocol
from dermseg.evaluation.score_table import BOUNDARY_SCORES, PROBABILITY_SCORES
from dermseg.metrics import JACCARD_THRESHOLD

__all__ = [
    "REVIEW_SHARE",
    "ProtocolFigures",
    "QualityFigures",
    "applies",
    "mean_measures",
    "measured",
    "protocol_figures",
    "quality_figures",
    "share_caught",
]


REVIEW_SHARE: Final = 0.2
"""Share of the images that somebody has time to look at."""


@dataclass(frozen=True)
class ProtocolFigures:
    """The figures of a set of masks under a protocol.

    Attributes:
        protocol: The protocol.
        figures: Its figures, e.g. ``mean_jaccard`` or ``pooled_dice``; for attributes also
            ``mean_jaccard_globules`` and so on.
        num_images: Number of images that play a part.
        refused: Ids that the protocol does not score, because their masks are not binary.
        num_undefined: For each figure, the number of images that have no such score and are not
            in the mean, where there are any.
    """

    protocol: Protocol
    figures: Mapping[str, Interval]
    num_images: int
    refused: tuple[str, ...] = ()
    num_undefined: Mapping[str, int] = field(default_factory=dict)

    @property
    def headline(self) -> Interval | None:
        """The figure that the protocol's users rank by."""
        return self.figures.get(f"{self.protocol.prefix}_{self.protocol.headline}")


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


def applies(protocol: Protocol, scores: Sequence[ImageScore]) -> bool:
    """Whether a protocol is made for these masks: some are for dermoscopic attributes only."""
    return not protocol.attributes_only or are_attributes(scores)


def protocol_figures(
    protocol: Protocol, scores: Sequence[ImageScore], *, groups: Mapping[str, str], seed: int
) -> ProtocolFigures:
    """Compute the figures of a protocol, with 95 % bootstrap intervals.

    Whole groups are resampled; under ``batch``, whole batches, whose members must not change.

    Args:
        protocol: What to compute.
        scores: Images in order of their ids, counted at the protocol's size.
        groups: The group of each id, e.g. its lesion; an id that is not in it is a group of its
            own, together with the other attributes of its image.
        seed: Seed of the resampling.
    """
    kept = [score for score in scores if _is_admitted(score, protocol)]
    refused = tuple(score.id for score in scores if not _is_admitted(score, protocol))
    figures: dict[str, Interval] = {}
    undefined: dict[str, int] = {}
    counts = _counts(protocol, kept)
    names = [group_of(score.id, groups) for score in kept]
    for part, chosen in _parts(protocol, kept).items():
        of_images = [names[i] for i in chosen]
        named = [f"{protocol.prefix}_{score}{part}" for score in protocol.scores]
        intervals = _figures(protocol, counts[chosen], of_images, seed)
        figures |= {n: i for n, i in zip(named, intervals, strict=True) if i is not None}
        if protocol.level == "image":
            missing = np.isnan(_values(protocol, counts[chosen])).sum(axis=1).tolist()
            undefined |= {n: number for n, number in zip(named, missing, strict=True) if number}
        if protocol.auc:
            figures |= _mean_auc(protocol, [kept[i] for i in chosen], of_images, seed, part)
    return ProtocolFigures(protocol, figures, len(kept), refused, undefined)


def measured(scores: Sequence[ImageScore]) -> tuple[str, ...]:
    """Return the names of the scores beyond overlap that some image has."""
    boundary = any(score.boundary is not None for score in scores)
    probability = any(score.probability is not None for score in scores)
    return (*(BOUNDARY_SCORES if boundary else ()), *(PROBABILITY_SCORES if probability else ()))


def mean_measures(
    scores: Sequence[ImageScore], *, groups: Mapping[str, str], seed: int
) -> dict[str, Interval]:
    """Average over the images what no protocol knows: border distances and probabilities.

    Args:
        scores: One or more images.
        groups: As for `protocol_figures`.
        seed: Seed of the resampling.

    Returns:
        ``mean_hausdorff_95`` and so on, for whatever was measured. Images without a defined score
        are not in its mean; a score that no image has is left out.
    """
    names = measured(scores)
    if not names:
        return {}
    values = np.array([[score.value(name) for score in scores] for name in names])
    of_images = [group_of(score.id, groups) for score in scores]
    means = bootstrap_means(values, groups=of_images, seed=seed)
    return {
        f"mean_{name}": mean for name, mean in zip(names, means, strict=True) if mean is not None
    }


def quality_figures(
    scores: Sequence[ImageScore], *, groups: Mapping[str, str], seed: int
) -> QualityFigures | None:
    """Hold what was expected of the masks against their Jaccard indices.

    Args:
        scores: Scores of the images; those without an expected quality do not count.
        groups: The group of each id that is not a group of its own; groups are resampled whole.
        seed: Seed of the bootstrap intervals.

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

    def by_review(times: Values) -> Values:
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
        expected: (images,); only the order counts; ties keep their order.
        jaccards: (images,), the truth.
        groups: The group of each image; None makes every image one.
        seed: Seed of the bootstrap interval.

    Returns:
        In [0, 1]; None where no mask is poor.

    Example:
        >>> share_caught([0.1, 0.9, 0.5, 0.8, 0.7], [0.3, 0.6, 0.9, 0.9, 0.9]).value
        0.5
    """
    order = np.argsort(np.asarray(expected, np.float64), kind="stable")
    poor = np.asarray(jaccards, np.float64)[order] < JACCARD_THRESHOLD

    def caught(times: Values) -> Values:
        times = times[:, order]
        upto = np.cumsum(times, axis=1)
        # An image that was drawn twice may be the last that there is time for.
        looked_at = np.clip(np.rint(REVIEW_SHARE * upto[:, -1:]) - upto + times, 0, times)
        return _ratio(looked_at @ poor, times @ poor)[None]

    (interval,) = bootstrap_weighted(caught, len(order), seed=seed, groups=groups)
    return interval


def _is_admitted(score: ImageScore, protocol: Protocol) -> bool:
    return score.not_binary.isdisjoint(protocol.binary)


def _counts(protocol: Protocol, scores: Sequence[ImageScore]) -> Values:
    scaled = protocol.scaling != NATIVE
    rows = [score.scaled_counts[protocol.scaling] if scaled else score.counts for score in scores]
    counts = np.array([(row.tp, row.fp, row.fn, row.tn) for row in rows], np.float64).reshape(-1, 4)
    return counts / counts.sum(axis=1, keepdims=True) if protocol.level == "share" else counts


def _parts(protocol: Protocol, scores: Sequence[ImageScore]) -> dict[str, list[int]]:
    """Positions of the images by what is added to a figure's name: all, and each attribute."""
    parts = {"": list(range(len(scores)))}
    if protocol.attributes_only:
        for position, score in enumerate(scores):
            parts.setdefault(f"_{attribute_of(score.id)}", []).append(position)
    return parts


def _figures(
    protocol: Protocol, counts: Values, groups: Sequence[str], seed: int
) -> list[Interval | None]:
    """An interval for each of the protocol's scores, over images with the counts (N, 4)."""
    if not len(counts):
        return [None] * len(protocol.scores)
    if protocol.level == "image":
        return bootstrap_means(_values(protocol, counts), groups=groups, seed=seed)
    if protocol.level == "batch":
        batches = np.arange(len(counts)) // protocol.batch_size
        columns = [np.bincount(batches, column) for column in counts.T]
        sums = np.stack(columns, axis=1).astype(np.float64)
        sizes, values = np.bincount(batches), _values(protocol, sums)
        return bootstrap_weighted(
            lambda times: (values * sizes) @ times.T / (times @ sizes), len(sizes), seed=seed
        )
    return bootstrap_weighted(
        lambda times: _values(protocol, times @ counts), len(counts), groups=groups, seed=seed
    )


def _mean_auc(
    protocol: Protocol, scores: Sequence[ImageScore], groups: Sequence[str], seed: int, part: str
) -> dict[str, Interval]:
    """The mean area under the curve of the images that have one; nothing where none has."""
    values = np.array([[score.scaled_auc.get(protocol.scaling, np.nan) for score in scores]])
    if not scores:
        return {}
    (mean,) = bootstrap_means(values, groups=groups, seed=seed)
    return {} if mean is None else {f"{protocol.prefix}_auc{part}": mean}


def _values(protocol: Protocol, counts: Values) -> Values:
    """Each of the protocol's scores of counts (N, 4), as (scores, N)."""
    return np.stack([rule(counts) for rule in protocol.scores.values()])


def _ratio(part: Values, whole: Values) -> Values:
    """NaN where the whole is 0."""
    nothing = np.full(len(whole), np.nan)
    return np.asarray(np.divide(part, whole, out=nothing, where=whole > 0), np.float64)
