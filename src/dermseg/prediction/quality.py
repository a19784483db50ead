"""How good a mask is expected to be, and whether its image is one that the model was made for."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from dermseg.package import OutOfDistributionModel, QualityModel

__all__ = [
    "NOT_DERMOSCOPIC",
    "NO_LESION",
    "REFUSALS",
    "Quality",
    "estimate_quality",
    "find_refusal",
]

NOT_DERMOSCOPIC: Final = "out of scope: it does not look like a dermoscopic photograph"
NO_LESION: Final = "out of scope: no lesion stands out from the skin"

REFUSALS: Final = frozenset({NOT_DERMOSCOPIC, NO_LESION})
"""All reasons that `find_refusal` gives."""


@dataclass(frozen=True)
class Quality:
    """The estimated quality of a mask, without the truth.

    Attributes:
        expected_jaccard: Estimated Jaccard index with the true mask, in [0, 1].
        review: Whether it is so low that somebody should look at the mask.
    """

    expected_jaccard: float
    review: bool


def estimate_quality(model: QualityModel, described: Mapping[str, float]) -> Quality:
    """Estimate the quality of a mask.

    Args:
        model: As the package holds it.
        described: As `describe` gives it, at the threshold of the mask.
    """
    expected = model.jaccard(described)
    return Quality(expected, expected < model.review_below)


def find_refusal(model: OutOfDistributionModel, described: Mapping[str, float]) -> str | None:
    """Why an image should not be predicted, in a few words; None where it should.

    Args:
        model: As the package holds it.
        described: As `describe` gives it, at the model's threshold.
    """
    # As shares of what is asked for: the smaller one names the reason, where both are too small.
    photograph = model.photograph(described) / model.least_photograph
    lesion = model.lesion(described) / model.least_lesion
    if min(photograph, lesion) >= 1:
        return None
    return NOT_DERMOSCOPIC if photograph < lesion else NO_LESION
