"""The results of a comparison."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from dermseg.evaluation.comparison.aligning import Aligned
from dermseg.evaluation.comparison.significance import SignedRanks
from dermseg.evaluation.intervals import Interval
from dermseg.evaluation.score_table import SCORES

__all__ = ["LEVEL", "Comparison", "Difference", "PairTest", "Ranked"]

LEVEL: Final = 0.05
"""Corrected p-values below this are called significant."""


@dataclass(frozen=True)
class Difference:
    """How two models differ in a score, image by image.

    Attributes:
        score: The score.
        first: Name of a model.
        second: Name of another.
        mean: Score of the first minus that of the second, averaged over the images, with its 95 %
            bootstrap interval; not corrected for the number of pairs and scores.
        num_wins: Images on which the first is better.
        num_ties: Images on which both are equal, to 12 decimals.
        num_losses: Images on which the second is better.
    """

    score: str
    first: str
    second: str
    mean: Interval
    num_wins: int
    num_ties: int
    num_losses: int

    @property
    def excludes_zero(self) -> bool:
        """Whether the interval lies on one side of zero."""
        return self.mean.low > 0 or self.mean.high < 0


@dataclass(frozen=True)
class PairTest:
    """Whether two models can be told apart by the score of the comparison.

    Attributes:
        difference: The first is the one that ranks higher.
        ranks: The Wilcoxon signed-rank test; of the means of the groups where there are groups.
        adjusted_p_value: Its p-value after Holm's correction for the number of pairs.
    """

    difference: Difference
    ranks: SignedRanks
    adjusted_p_value: float

    @property
    def contradicts(self) -> bool:
        """Whether the test is significant and the mean does not clearly point the same way."""
        if self.adjusted_p_value >= LEVEL:
            return False
        same_way = (self.ranks.balance > 0) == (self.difference.mean.value > 0)
        return not (self.difference.excludes_zero and same_way)

    @property
    def told_apart(self) -> bool:
        """Whether test (corrected, below 0.05) and interval of the mean agree on the better one."""
        return self.adjusted_p_value < LEVEL and not self.contradicts


@dataclass(frozen=True)
class Ranked:
    """A model's place.

    Attributes:
        name: The model.
        mean: Mean of the score with its 95 % bootstrap interval.
        letters: Models that share a letter cannot be told apart.
        other_means: Means of the other scores that all models have.
    """

    name: str
    mean: Interval
    letters: str
    other_means: Mapping[str, Interval]


@dataclass(frozen=True)
class Comparison:
    """The result of a comparison.

    Attributes:
        score: What the models are ranked and tested by.
        aligned: The evaluations, with all images.
        num_images: Number of images on which every model has the score.
        ranking: Best mean first; equal means in the order given.
        pairs: Every pair of models, in the order of the ranking.
        differences: The same pairs for each score that all models have, ``score`` included.
        num_undefined: For each of these scores, the number of images on which a model has none,
            by model. Such images are left out for all models.
        warnings: What a reader must know, one sentence each.
    """

    score: str
    aligned: Aligned
    num_images: int
    ranking: tuple[Ranked, ...]
    pairs: tuple[PairTest, ...]
    differences: Mapping[str, tuple[Difference, ...]]
    num_undefined: Mapping[str, Mapping[str, int]]
    warnings: tuple[str, ...]

    @property
    def higher_is_better(self) -> bool:
        """Whether more of the score is better."""
        return SCORES[self.score].better == "higher"

    @property
    def num_groups(self) -> int | None:
        """Number of groups that are resampled and tested, or None where every image is one."""
        groups = self.aligned.groups
        return None if groups is None else len(set(groups))
