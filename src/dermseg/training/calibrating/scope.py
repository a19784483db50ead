"""Fit what tells images that a model was not made for."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from dermseg.package import LinearModel, ScopeModel
from dermseg.prediction.quality import find_refusal
from dermseg.training.calibrating.logistic import fit_linear

__all__ = ["Described", "fit_scope"]

# Of the photographs that are kept; a false refusal is the worse harm.
_KEPT: Final = (0.995, 0.985)
_PENALTY: Final = 10.0


@dataclass(frozen=True)
class Described:
    """One image in numbers.

    Attributes:
        prediction: As `describe_prediction` gives it.
        image: As `describe_image` gives it.
    """

    prediction: Mapping[str, float]
    image: Mapping[str, float]


def fit_scope(
    photographs: Sequence[Described],
    phantoms: Sequence[Described],
    plain: Sequence[Described],
    pictures: Sequence[Described],
    *,
    on: str,
) -> ScopeModel:
    """Fit two models: is it a dermoscopic photograph, and if so, does it show a lesion?

    Limits are set so that hardly a photograph is refused: 0.5 % by the first, 1.5 % by the second.
    What is reported was measured on the second half of each kind by a model of the first halves.

    Args:
        photographs: Dermoscopic images with a lesion, that the network was not trained on.
        phantoms: Generated ones; they keep the models from learning what is generated.
        plain: Skin without a lesion.
        pictures: Anything else.
        on: What the photographs are.
    """
    kinds = {"photographs": photographs, "phantoms": phantoms, "plain": plain, "pictures": pictures}
    half = _fit(*(entries[::2] for entries in kinds.values()), on=on)
    values = {kind: _share_refused(half, entries[1::2]) for kind, entries in kinds.items()}
    return _fit(*kinds.values(), on=on).model_copy(update={"values": values})


def _fit(
    photographs: Sequence[Described],
    phantoms: Sequence[Described],
    plain: Sequence[Described],
    pictures: Sequence[Described],
    *,
    on: str,
) -> ScopeModel:
    wanted = [*photographs, *phantoms]
    photograph = _fit_two(
        [entry.image for entry in wanted], [entry.image for entry in pictures], squares=True
    )
    lesion = _fit_two(
        [entry.prediction for entry in wanted], [entry.prediction for entry in plain], squares=False
    )
    limits = [
        _limit(photograph, [entry.image for entry in photographs], _KEPT[0]),
        _limit(lesion, [entry.prediction for entry in photographs], _KEPT[1]),
    ]
    return ScopeModel(
        photograph=photograph,
        least_photograph=limits[0],
        lesion=lesion,
        least_lesion=limits[1],
        on=on,
        num_images=len(photographs),
    )


def _fit_two(
    wanted: Sequence[Mapping[str, float]], others: Sequence[Mapping[str, float]], *, squares: bool
) -> LinearModel:
    """A model that gives 1 for what is wanted, both kinds counting the same."""
    targets = np.repeat([1.0, 0.0], [len(wanted), len(others)])
    num = len(targets)
    weights = np.where(targets > 0, num / (2 * len(wanted)), num / (2 * len(others)))
    return fit_linear(
        [*wanted, *others], targets, penalty=_PENALTY, squares=squares, weights=weights
    )


def _limit(model: LinearModel, wanted: Sequence[Mapping[str, float]], kept: float) -> float:
    values: NDArray[Any] = np.array([model(entry) for entry in wanted])
    # Where kinds are told apart well, a stricter limit than the middle would refuse more for less.
    return min(0.5, float(np.quantile(values, 1 - kept, method="lower")))


def _share_refused(model: ScopeModel, entries: Sequence[Described]) -> float:
    refused = [find_refusal(model, entry.prediction, entry.image) is not None for entry in entries]
    return float(np.mean(refused)) if refused else 0.0
