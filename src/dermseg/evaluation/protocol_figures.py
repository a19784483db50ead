"""The figures that a protocol makes of scored images."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import lru_cache

import numpy as np

from dermseg.evaluation.aggregation import attribute_of, group_of, mean_of_defined
from dermseg.evaluation.image_score import ImageScore
from dermseg.evaluation.intervals import Interval, bootstrap_pooled
from dermseg.evaluation.protocol_rules import Values
from dermseg.evaluation.protocols import NATIVE, Protocol

__all__ = ["ProtocolFigures", "applies", "protocol_figures"]


@dataclass(frozen=True)
class ProtocolFigures:
    """What a set of masks scores under a protocol.

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


def applies(protocol: Protocol, scores: Sequence[ImageScore]) -> bool:
    """Whether a protocol is made for these masks: some are for dermoscopic attributes only."""
    return not protocol.attributes_only or all(attribute_of(score.id) for score in scores)


def protocol_figures(
    protocol: Protocol, scores: Sequence[ImageScore], *, groups: Mapping[str, str], seed: int
) -> ProtocolFigures:
    """Compute the figures of a protocol, with 95 % bootstrap intervals.

    Whole groups are resampled; under ``batch``, whole batches, whose members must not change.

    Args:
        protocol: What to compute.
        scores: Images in order of their ids, counted at the protocol's size.
        groups: As for `aggregate`.
        seed: Seed of the resampling.
    """
    kept = [score for score in scores if _is_admitted(score, protocol)]
    refused = tuple(score.id for score in scores if not _is_admitted(score, protocol))
    figures: dict[str, Interval] = {}
    undefined: dict[str, int] = {}
    counts = _counts(protocol, kept)
    names = [group_of(score.id, groups) for score in kept]
    for part, chosen in _parts(protocol, kept).items():
        for score, rule in protocol.scores.items():
            name = f"{protocol.prefix}_{score}{part}"
            figure = _figure(protocol, rule, counts[chosen], [names[i] for i in chosen], seed)
            if figure is not None:
                figures[name] = figure
            if protocol.level == "image":
                num_undefined = int(np.isnan(rule(counts[chosen])).sum())
                if num_undefined:
                    undefined[name] = num_undefined
    return ProtocolFigures(protocol, figures, len(kept), refused, undefined)


def _is_admitted(score: ImageScore, protocol: Protocol) -> bool:
    truth = score.truth_is_binary or protocol.binary == "neither"
    return truth and (score.prediction_is_binary or protocol.binary != "both")


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


def _figure(
    protocol: Protocol,
    rule: Callable[[Values], Values],
    counts: Values,
    groups: Sequence[str],
    seed: int,
) -> Interval | None:
    if not len(counts):
        return None
    if protocol.level == "image":
        return _mean(rule(counts).tobytes(), tuple(groups), seed)
    if protocol.level == "batch":
        batches = np.arange(len(counts)) // protocol.batch_size
        columns = [np.bincount(batches, column) for column in counts.T]
        sums = np.stack(columns, axis=1).astype(np.float64)
        sizes = np.bincount(batches).astype(np.float64)
        weighted = np.stack([rule(sums) * sizes, sizes], axis=1)
        return bootstrap_pooled(weighted, lambda drawn: drawn[..., 0] / drawn[..., 1], seed=seed)
    if np.isnan(rule(counts.sum(axis=0))):
        return None
    return bootstrap_pooled(counts, rule, groups=groups, seed=seed)


@lru_cache(maxsize=64)
def _mean(values: bytes, groups: tuple[str, ...], seed: int) -> Interval | None:
    """Most protocols give most images the same score, and resampling takes its time."""
    return mean_of_defined(np.frombuffer(values, np.float64).tolist(), groups=groups, seed=seed)
