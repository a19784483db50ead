"""The options of a phantom, and the random choice of those left open."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from dermseg.errors import UsageError
from dermseg.phantom.artefacts import ARTEFACTS
from dermseg.phantom.artefacts.canvas import check_strength

__all__ = ["PhantomOptions", "PhantomParameters", "draw_parameters"]

# Quantiles of the ISIC 2017 training images.
_LEVELS = (0, 0.05, 0.25, 0.5, 0.75, 0.95, 1)
_AREA_SHARES = (0.01, 0.018, 0.054, 0.126, 0.286, 0.55, 0.7)
_CONTRASTS = (0.09, 0.12, 0.19, 0.3, 0.42, 0.58, 0.7)

# By artefact: how often it occurs in such images, the weakest and the strongest.
_OCCURRENCE = {
    "hairs": (0.42, 0.02, 0.5),
    "gel_bubbles": (0.2, 0.05, 0.8),
    "ruler": (0.3, 0.4, 1.0),
    "low_contrast": (0.08, 0.1, 0.4),
    "uneven_light": (0.9, 0.05, 0.8),
    "dark_corners": (0.33, 0.02, 0.6),
    "color_cast": (0.9, 0.2, 1.0),
    "blur": (0.4, 0.05, 0.25),
    "noise": (0.7, 0.02, 0.15),
    # Never by itself, and last: what is drawn of the others stays as it is.
    "ink": (0.0, 0.3, 1.0),
}


@dataclass(frozen=True)
class PhantomOptions:
    """Options of a phantom; None leaves the choice to the seed.

    Attributes:
        ita_degrees: Tone of the skin as Individual Typology Angle, -60 (dark) to 85 (very light).
        contrast: How much darker the lesion is than the skin, 0.02 to 0.85: 1 - mean grey of the
            lesion / grey of the skin.
        area_share: Share of the image that the lesion covers, 0.005 to 0.8.
        artefacts: Strength by name (``ARTEFACTS``), 0 to 1; what is not named is off, so that
            ``{}`` means none. None: each occurs as often and as strongly as in real images.

    Raises:
        UsageError: If a value is out of its range or an artefact is not known.
    """

    ita_degrees: float | None = None
    contrast: float | None = None
    area_share: float | None = None
    artefacts: Mapping[str, float] | None = None

    def __post_init__(self) -> None:
        _check_range("ita_degrees", self.ita_degrees, -60, 85)
        _check_range("contrast", self.contrast, 0.02, 0.85)
        _check_range("area_share", self.area_share, 0.005, 0.8)
        for name, strength in (self.artefacts or {}).items():
            if name not in ARTEFACTS:
                raise UsageError(
                    f"no artefact is called {name!r}; there are {', '.join(ARTEFACTS)}"
                )
            check_strength(f"the strength of {name!r}", strength)


@dataclass(frozen=True)
class PhantomParameters:
    """The values a phantom was made with, chosen or drawn.

    Attributes:
        ita_degrees: Tone of the bare skin.
        contrast: Contrast of the lesion against the bare skin.
        area_share: Share of the image that the lesion was asked to cover.
        artefacts: Strength of every artefact in ``ARTEFACTS``, 0 where it is off.
    """

    ita_degrees: float
    contrast: float
    area_share: float
    artefacts: dict[str, float]


def draw_parameters(rng: np.random.Generator, options: PhantomOptions) -> PhantomParameters:
    """Draw what the options leave open, as it occurs in real images.

    The same is drawn whatever the options fix, so that fixing one leaves the others as they were.
    """
    # Public collections hold mostly light skin; phantoms show all tones more often.
    light, dark = float(np.clip(rng.normal(70, 8), 35, 84)), rng.uniform(-30, 55)
    ita_degrees = light if rng.random() < 0.85 else dark
    contrast = float(np.interp(rng.random(), _LEVELS, _CONTRASTS))
    area_share = float(np.interp(rng.random(), _LEVELS, _AREA_SHARES))
    artefacts = {}
    for name, (chance, low, high) in _OCCURRENCE.items():
        occurs, rank = rng.random() < chance, rng.random()
        # Weak ones are more frequent than strong ones.
        artefacts[name] = low + (high - low) * rank**1.5 if occurs else 0.0
    if options.artefacts is not None:
        artefacts = {name: float(options.artefacts.get(name, 0.0)) for name in ARTEFACTS}
    return PhantomParameters(
        ita_degrees if options.ita_degrees is None else options.ita_degrees,
        contrast if options.contrast is None else options.contrast,
        area_share if options.area_share is None else options.area_share,
        artefacts,
    )


def _check_range(name: str, value: float | None, low: float, high: float) -> None:
    if value is not None and not low <= value <= high:  # also refuses NaN
        raise UsageError(
            f"{name} is {value}; give a number from {low} to {high}, or None to have it drawn"
        )
