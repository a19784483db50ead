"""What a model's expectations of its masks are worth, in lines of text."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from dermseg.cli.interval_table import interval_lines

if TYPE_CHECKING:
    from dermseg.evaluation import QualityFigures

__all__ = ["quality_lines"]


def quality_lines(figures: QualityFigures) -> Iterator[str]:
    """Yield how many poor masks there are, and what of them is found."""
    from dermseg.evaluation import REVIEW_SHARE
    from dermseg.metrics import JACCARD_THRESHOLD

    yield (
        f"expected quality: {figures.num_poor} of {figures.num_images} masks are poor, below "
        f"{JACCARD_THRESHOLD}"
    )
    least = f"the {REVIEW_SHARE:.0%} with the lowest expected_jaccard"
    yield from interval_lines(
        {
            f"poor masks among {least}": figures.caught,
            f"poor masks among the {figures.num_review} flagged": figures.caught_by_review,
            "mean difference of expected and true Jaccard": figures.mean_error,
        }
    )
