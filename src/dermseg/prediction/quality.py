"""How good a mask is expected to be, and whether its image is one that the model was made for."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from dermseg.package import QualityModel, ScopeModel

__all__ = ["NOT_DERMOSCOPIC", "NO_LESION", "Quality", "estimate_quality", "find_refusal"]

NOT_DERMOSCOPIC: Final = (
    "out of scope: its colours and textures are not those of a dermoscopic photograph"
)
NO_LESION: Final = "out of scope: no lesion stands out from the skin"


@dataclass(frozen=True)
class Quality:
    """What is expected of a mask, without the truth.

    Attributes:
        expected_jaccard: Estimated Jaccard index with the true mask, in (0, 1).
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


def find_refusal(model: ScopeModel, described: Mapping[str, float]) -> str | None:
    """Why an image should not be predicted, in a few words; None where it should.

    Args:
        model: As the package holds it.
        described: As `describe` gives it, at the model's threshold.
    """
    if model.photograph(described) < model.least_photograph:
        return NOT_DERMOSCOPIC
    return NO_LESION if model.lesion(described) < model.least_lesion else None
