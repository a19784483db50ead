"""Fit what tells images that a model was not made for."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import compress
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

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

# Parts of the images; each is judged by models of the others, to set the limits.
_NUM_PARTS: Final = 5

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

    Limits are set so that hardly a photograph is refused by a model that has not seen it: at most
    0.5 % by the first, and 1 % by the second.
    What is reported was measured on one half of each kind by models and limits of the other halves.

    Args:
        photographs: Dermoscopic images with a lesion, that the network was not trained on.
        phantoms: Generated ones; they keep the models from learning what is generated.
        plain: Skin without a lesion.
        pictures: Anything else.
        groups: Of the photographs; one group is in one part.
        threshold: At which all were described.
    """
    kinds = _Kinds(photographs, phantoms, plain, pictures, groups)
    half, other = next(kinds.divide(2))
    judged = _fit(half, threshold=threshold)
    values = {
        "photographs": _share_refused(judged, other.photographs),
        "phantoms": _share_refused(judged, other.phantoms),
        "plain": _share_refused(judged, other.plain),
        "pictures": _share_refused(judged, other.pictures),
    }
    return _fit(kinds, threshold=threshold).model_copy(update={"values": values})


@dataclass(frozen=True)
class _Kinds:
    """Images of all kinds, and the groups of the photographs."""

    photographs: Described
    phantoms: Described
    plain: Described
    pictures: Described
    groups: Sequence[str]

    def divide(self, num_parts: int) -> Iterator[tuple[_Kinds, _Kinds]]:
        """For each part, the images of all others, and its own."""
        of_photographs = divide(self.groups, num_parts)
        generated = [self.phantoms, self.plain, self.pictures]
        parts = [
            of_photographs,
            *(divide([str(index) for index in range(len(kind))], num_parts) for kind in generated),
            of_photographs,
        ]
        columns = [self.photographs, *generated, self.groups]
        for part in range(num_parts):
            kept = [of_kind == part for of_kind in parts]
            yield (
                _Kinds(*map(_chosen, columns, [~chosen for chosen in kept])),
                _Kinds(*map(_chosen, columns, kept)),
            )


def _chosen(column: Sequence[Any], kept: NDArray[np.bool_]) -> list[Any]:
    return list(compress(column, kept))


def _fit(kinds: _Kinds, *, threshold: float) -> ScopeModel:
    photograph, least_photograph = _fit_limited(_fit_photograph, kinds, _REFUSED_AS_NO_PHOTOGRAPH)
    lesion, least_lesion = _fit_limited(_fit_lesion, kinds, _REFUSED_AS_NO_LESION)
    return ScopeModel(
        threshold=threshold,
        photograph=photograph,
        least_photograph=min(_STRICTEST_PHOTOGRAPH, least_photograph),
        lesion=lesion,
        least_lesion=min(_STRICTEST_LESION, least_lesion),
    )


def _fit_limited(
    fit: Callable[[_Kinds], LinearModel], kinds: _Kinds, refused: float
) -> tuple[LinearModel, float]:
    """A model, and the limit at which it refuses that share of the photographs, and no more.

    The share holds for photographs that it was fitted on, and for those that it was not: these it
    knows less surely to be photographs.
    """
    model = fit(kinds)
    seen = [model(entry) for entry in kinds.photographs]
    unseen = []
    for others, own in kinds.divide(_NUM_PARTS):
        judge = fit(others)
        unseen += [judge(entry) for entry in own.photographs]
    limits = [np.quantile(values, refused, method="lower") for values in (seen, unseen)]
    return model, float(min(limits))


def _fit_photograph(kinds: _Kinds) -> LinearModel:
    return _fit_two([*kinds.photographs, *kinds.phantoms], kinds.pictures, squares=True)


def _fit_lesion(kinds: _Kinds) -> LinearModel:
    return _fit_two([*kinds.photographs, *kinds.phantoms], kinds.plain, squares=False)


def _fit_two(wanted: Described, others: Described, *, squares: bool) -> LinearModel:
    """A model that gives 1 for what is wanted, both kinds counting the same."""
    targets = np.repeat([1.0, 0.0], [len(wanted), len(others)])
    num = len(targets)
    weights = np.where(targets > 0, num / (2 * len(wanted)), num / (2 * len(others)))
    return fit_linear(
        [*wanted, *others], targets, penalty=_PENALTY, squares=squares, weights=weights
    )


def _share_refused(model: ScopeModel, entries: Described) -> float:
    return float(np.mean([find_refusal(model, entry) is not None for entry in entries]))
