"""Evaluate predicted masks: from files, from a dataset, or as they are predicted."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from dermseg.datasets.listing import list_some
from dermseg.errors import DatasetError
from dermseg.evaluation.aggregation import aggregate
from dermseg.evaluation.intervals import Interval
from dermseg.evaluation.matching import Matching, Skipped, match_folders, match_samples
from dermseg.evaluation.scoring import ImageScore, Item, read_predictions, score_item
from dermseg.types import Sample

__all__ = ["Evaluation", "evaluate_masks", "evaluate_predictions", "evaluate_samples"]


@dataclass(frozen=True)
class Evaluation:
    """What came out of an evaluation.

    Attributes:
        scores: The images that were scored, sorted by id.
        skipped: The images that were not, sorted by id; they are in no mean.
        aggregates: Means over the scored images with their intervals, e.g. ``mean_jaccard``.
        extra: Ids of predictions without truth; they are in no mean either.
        protocol: The rules. ``isic``: per image at native size, undefined scores are 1.
    """

    scores: tuple[ImageScore, ...]
    skipped: tuple[Skipped, ...]
    aggregates: Mapping[str, Interval]
    extra: tuple[str, ...] = ()
    protocol: str = "isic"

    @property
    def num_scored(self) -> int:
        """Number of images that the means are taken over."""
        return len(self.scores)

    @property
    def num_skipped(self) -> int:
        """Number of images that should have been scored and could not be."""
        return len(self.skipped)

    @property
    def warnings(self) -> tuple[str, ...]:
        """What a reader of the figures must know, one sentence each."""
        lines = []
        if self.skipped:
            num_images = self.num_scored + self.num_skipped
            lines.append(
                f"{self.num_skipped} of {num_images} images were skipped and do not enter the means"
            )
            lines += [f"skipped {skipped}" for skipped in self.skipped]
        if self.extra:
            lines.append(
                f"{len(self.extra)} predictions have no truth and were ignored: "
                f"{list_some(self.extra)}"
            )
        return tuple(lines)


def evaluate_masks(truth_dir: Path, predictions_dir: Path, *, seed: int = 0) -> Evaluation:
    """Evaluate a folder of predicted masks against a folder of true masks, matched by id.

    Args:
        truth_dir: Masks named as in `match_folders`.
        predictions_dir: The same; files without a truth are ignored with a warning.
        seed: Seed of the confidence intervals.

    Raises:
        DatasetError: If a folder is missing or empty, two files belong to the same image, or not
            a single image can be scored.
    """
    return _evaluate_matching(match_folders(truth_dir, predictions_dir), groups={}, seed=seed)


def evaluate_samples(
    samples: Sequence[Sample], predictions_dir: Path, *, seed: int = 0
) -> Evaluation:
    """Evaluate a folder of predicted masks against samples, e.g. ``dataset.part("test")``.

    The confidence intervals resample whole groups.

    Raises:
        DatasetError: If the folder is missing, two files in it belong to the same image, or not
            a single image can be scored.
    """
    groups = {sample.id: sample.group for sample in samples}
    return _evaluate_matching(match_samples(samples, predictions_dir), groups=groups, seed=seed)


def evaluate_predictions(
    items: Iterable[Item], *, groups: Mapping[str, str] | None = None, seed: int = 0
) -> Evaluation:
    """Evaluate masks as they come, e.g. from a model, one at a time in memory.

    Args:
        items: What was predicted, see `Item`. One that cannot be scored is skipped and named.
        groups: The group of each id for the confidence intervals; None makes every image a group.
        seed: Seed of the confidence intervals.

    Raises:
        DatasetError: If an id comes twice, or not a single image can be scored.
    """
    results: dict[str, ImageScore | Skipped] = {}
    for item in items:
        result = score_item(item)
        if result.id in results:
            raise DatasetError(f"the id '{result.id}' was predicted twice; ids must be unique")
        results[result.id] = result
    return _evaluation(results.values(), (), groups=groups or {}, seed=seed)


def _evaluate_matching(matching: Matching, *, groups: Mapping[str, str], seed: int) -> Evaluation:
    results = [*matching.skipped, *map(score_item, read_predictions(matching.pairs))]
    return _evaluation(results, matching.extra, groups=groups, seed=seed)


def _evaluation(
    results: Iterable[ImageScore | Skipped],
    extra: tuple[str, ...],
    *,
    groups: Mapping[str, str],
    seed: int,
) -> Evaluation:
    ordered = sorted(results, key=lambda result: result.id)
    scores = tuple(result for result in ordered if isinstance(result, ImageScore))
    skipped = tuple(result for result in ordered if isinstance(result, Skipped))
    if not scores:
        first = f", for example {skipped[0]}" if skipped else ""
        beside = f". Predictions without truth: {list_some(extra)}" if extra else ""
        raise DatasetError(f"none of {len(skipped)} images could be scored{first}{beside}")
    aggregates = aggregate(scores, groups=groups, seed=seed)
    return Evaluation(scores, skipped, aggregates, extra)
