"""Fit what tells images that a model was not made for."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import compress
from typing import Final

import numpy as np

from dermseg.package import LinearModel, ScopeModel
from dermseg.prediction.quality import find_refusal
from dermseg.training.calibrating.logistic import fit_linear
from dermseg.training.calibrating.parts import divide

__all__ = ["fit_scope"]

# Share of the photographs that each model refuses at most; a false refusal is the worse harm.
_REFUSED_AS_NO_PHOTOGRAPH: Final = 0.005
_REFUSED_AS_NO_LESION: Final = 0.01
# Limits are not above these, however well the kinds are told apart: photographs of other cameras
# are less sure to be some, and lesions in them to be lesions, than those that were fitted on.
_STRICTEST_PHOTOGRAPH: Final = 0.6
_STRICTEST_LESION: Final = 0.2
_PENALTY: Final = 30.0

Described = Sequence[Mapping[str, float]]
"""Images as `describe` gives them, all at one threshold."""


def fit_scope(
    photographs: Described,
    phantoms: Described,
    plain: Described,
    pictures: Described,
    *,
    groups: Sequence[str],
    threshold: float,
) -> ScopeModel:
    """Fit two models: is it a dermoscopic photograph, and if so, does it show a lesion?

    Limits are set so that hardly a photograph is refused: at most 0.5 % by the first, and 1 % by
    the second.
    What is reported was measured on one half of each kind by a model of the other halves.

    Args:
        photographs: Dermoscopic images with a lesion, that the network was not trained on.
        phantoms: Generated ones; they keep the models from learning what is generated.
        plain: Skin without a lesion.
        pictures: Anything else.
        groups: Of the photographs; one group is in one half.
        threshold: At which all were described.
    """
    kinds = {"photographs": photographs, "phantoms": phantoms, "plain": plain, "pictures": pictures}
    halves = {kind: np.arange(len(entries)) % 2 == 1 for kind, entries in kinds.items()}
    halves["photographs"] = divide(groups, 2) == 1
    half = _fit(
        *(list(compress(entries, ~halves[kind])) for kind, entries in kinds.items()),
        threshold=threshold,
    )
    values = {
        kind: _share_refused(half, list(compress(entries, halves[kind])))
        for kind, entries in kinds.items()
    }
    fitted = _fit(*kinds.values(), threshold=threshold)
    return fitted.model_copy(update={"values": values})


def _fit(
    photographs: Described,
    phantoms: Described,
    plain: Described,
    pictures: Described,
    *,
    threshold: float,
) -> ScopeModel:
    wanted = [*photographs, *phantoms]
    photograph = _fit_two(wanted, pictures, squares=True)
    lesion = _fit_two(wanted, plain, squares=False)
    return ScopeModel(
        threshold=threshold,
        photograph=photograph,
        least_photograph=min(
            _STRICTEST_PHOTOGRAPH, _limit(photograph, photographs, _REFUSED_AS_NO_PHOTOGRAPH)
        ),
        lesion=lesion,
        least_lesion=min(_STRICTEST_LESION, _limit(lesion, photographs, _REFUSED_AS_NO_LESION)),
    )


def _fit_two(wanted: Described, others: Described, *, squares: bool) -> LinearModel:
    """A model that gives 1 for what is wanted, both kinds counting the same."""
    targets = np.repeat([1.0, 0.0], [len(wanted), len(others)])
    num = len(targets)
    weights = np.where(targets > 0, num / (2 * len(wanted)), num / (2 * len(others)))
    return fit_linear(
        [*wanted, *others], targets, penalty=_PENALTY, squares=squares, weights=weights
    )


def _limit(model: LinearModel, photographs: Described, refused: float) -> float:
    values = [model(entry) for entry in photographs]
    return float(np.quantile(values, refused, method="lower"))


def _share_refused(model: ScopeModel, entries: Described) -> float:
    return float(np.mean([find_refusal(model, entry) is not None for entry in entries]))
