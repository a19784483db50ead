"""The five structures, how often they occur, and what a drawing of them can be told."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from dermseg.errors import UsageError

__all__ = ["ATTRIBUTES", "OBSERVED_FREQUENCIES", "TRAINING_FREQUENCIES", "AttributeOptions"]

ATTRIBUTES = ("globules", "milia_like_cyst", "negative_network", "pigment_network", "streaks")
"""Names of the structures, as in the file names of ISIC 2018 Task 2 and in their order."""

OBSERVED_FREQUENCIES: Mapping[str, float] = {
    "globules": 0.23,
    "milia_like_cyst": 0.26,
    "negative_network": 0.07,
    "pigment_network": 0.59,
    "streaks": 0.04,
}
"""Share of the ISIC 2018 Task 2 training images in which each structure is marked."""

TRAINING_FREQUENCIES: Mapping[str, float] = {
    "globules": 0.4,
    "milia_like_cyst": 0.4,
    "negative_network": 0.3,
    "pigment_network": 0.5,
    "streaks": 0.3,
}
"""For training: the rare structures often enough to be learnt, none of them in most images."""


@dataclass(frozen=True)
class AttributeOptions:
    """How often structures and their look-alikes are drawn.

    Attributes:
        frequencies: Probability of each of ``ATTRIBUTES``, 0 to 1; what is not named is never
            drawn, so that ``{"streaks": 1}`` gives streaks alone.
        distractors: Probability of each kind of look-alike, 0 to 1.
        contrast: Factor on the strength of structures and look-alikes alike; 1 has the whole range
            from what can hardly be seen to what is obvious.

    Raises:
        UsageError: If a name is not known, a probability is outside [0, 1], or the contrast is
            not above 0.
    """

    frequencies: Mapping[str, float] = field(default_factory=lambda: dict(OBSERVED_FREQUENCIES))
    distractors: float = 0.4
    contrast: float = 1.0

    def __post_init__(self) -> None:
        for name, frequency in self.frequencies.items():
            if name not in ATTRIBUTES:
                raise UsageError(
                    f"no attribute is called {name!r}; there are {', '.join(ATTRIBUTES)}"
                )
            _check_probability(f"the frequency of {name!r}", frequency)
        _check_probability("distractors", self.distractors)
        if not 0 < self.contrast < float("inf"):
            raise UsageError(f"contrast is {self.contrast}; give a number above 0, 1 for as usual")


def _check_probability(name: str, value: float) -> None:
    if not 0 <= value <= 1:  # also refuses NaN
        raise UsageError(f"{name} is {value}; give a number from 0 (never) to 1 (always)")
