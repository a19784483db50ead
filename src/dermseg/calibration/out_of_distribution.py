"""Fit the models that recognise images that a package was not made for."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, fields
from itertools import compress
from typing import Final

import numpy as np
from numpy.typing import NDArray

from dermseg.calibration.logistic import divide_by_group, fit_linear
from dermseg.package import LinearModel, OutOfDistributionModel
from dermseg.prediction.quality import find_refusal

__all__ = ["Kind", "fit_out_of_distribution"]

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


@dataclass(frozen=True)
class Kind:
    """Images of one kind.

    Attributes:
        described: As `describe` gives them, all at one threshold.
        groups: One group is in one part.
    """

    described: Sequence[Mapping[str, float]]
    groups: Sequence[str]

    @classmethod
    def ungrouped(cls, described: Sequence[Mapping[str, float]]) -> Kind:
        """Images of which each is a group of its own."""
        return cls(described, [str(row) for row in range(len(described))])

    def choose(self, kept: NDArray[np.bool_]) -> Kind:
        """Those images alone."""
        return Kind(list(compress(self.described, kept)), list(compress(self.groups, kept)))


def fit_out_of_distribution(
    photographs: Kind, dark: Kind, phantoms: Kind, plain: Kind, pictures: Kind, *, threshold: float
) -> OutOfDistributionModel:
    """Fit two models: is it a dermoscopic photograph, and if so, does it show a lesion?

    Limits are set so that hardly a photograph is refused by a model that has not seen it, and
    hardly one of dark skin: at most 0.5 % of either kind by the first, and 1 % by the second.
    What is reported was measured on one half of each kind by models and limits of the other halves.

    Args:
        photographs: Dermoscopic images with a lesion, that the network was not trained on.
        dark: The same on dark skin, so that no image is refused because of its skin.
        phantoms: Generated ones; they keep the models from learning what is generated.
        plain: Skin without a lesion.
        pictures: Anything else.
        threshold: At which all were described.
    """
    kinds = _Kinds(photographs, dark, phantoms, plain, pictures)
    half, other = next(kinds.divide(2))
    judged = _fit(half, threshold=threshold)
    values = {
        entry.name: _share_refused(judged, getattr(other, entry.name).described)
        for entry in fields(kinds)
    }
    return _fit(kinds, threshold=threshold).model_copy(update={"values": values})


@dataclass(frozen=True)
class _Kinds:
    """Images of all kinds, in the order in which a card names them."""

    photographs: Kind
    dark: Kind
    phantoms: Kind
    plain: Kind
    pictures: Kind

    def divide(self, num_parts: int) -> Iterator[tuple[_Kinds, _Kinds]]:
        """For each part, the images of all others, and its own."""
        kinds = [getattr(self, entry.name) for entry in fields(self)]
        # The dark ones are of some of the photographs: their groups are in the same part.
        shared = [*self.photographs.groups, *self.dark.groups]
        of_shared = divide_by_group(shared, num_parts)
        num = len(self.photographs.groups)
        parts = [of_shared[:num], of_shared[num:]]
        parts += [divide_by_group(kind.groups, num_parts) for kind in kinds[2:]]
        for part in range(num_parts):
            kept = [of_kind == part for of_kind in parts]
            yield (
                _Kinds(*(kind.choose(~own) for kind, own in zip(kinds, kept, strict=True))),
                _Kinds(*(kind.choose(own) for kind, own in zip(kinds, kept, strict=True))),
            )


def _fit(kinds: _Kinds, *, threshold: float) -> OutOfDistributionModel:
    photograph, least_photograph = _fit_limited(_fit_photograph, kinds, _REFUSED_AS_NO_PHOTOGRAPH)
    lesion, least_lesion = _fit_limited(_fit_lesion, kinds, _REFUSED_AS_NO_LESION)
    return OutOfDistributionModel(
        threshold=threshold,
        photograph=photograph,
        least_photograph=min(_STRICTEST_PHOTOGRAPH, least_photograph),
        lesion=lesion,
        least_lesion=min(_STRICTEST_LESION, least_lesion),
    )


def _fit_limited(
    fit: Callable[[_Kinds], LinearModel], kinds: _Kinds, refused: float
) -> tuple[LinearModel, float]:
    """A model, and the limit at which it refuses that share of photographs, and no more.

    The share holds for photographs and for those of dark skin, each alone; for those that it was
    fitted on, and for those that it was not: these it knows less surely to be photographs.
    """
    model = fit(kinds)
    wanted = ("photographs", "dark")
    judged = [[model(entry) for entry in getattr(kinds, name).described] for name in wanted]
    unseen: list[list[float]] = [[] for _ in wanted]
    for others, own in kinds.divide(_NUM_PARTS):
        judge = fit(others)
        for name, found in zip(wanted, unseen, strict=True):
            found += [judge(entry) for entry in getattr(own, name).described]
    limits = [np.quantile(values, refused, method="lower") for values in (*judged, *unseen)]
    return model, float(min(limits))


def _fit_photograph(kinds: _Kinds) -> LinearModel:
    return _fit_two(_wanted(kinds), kinds.pictures.described, squares=True)


def _fit_lesion(kinds: _Kinds) -> LinearModel:
    return _fit_two(_wanted(kinds), kinds.plain.described, squares=False)


def _wanted(kinds: _Kinds) -> Described:
    return [
        *kinds.photographs.described, *kinds.dark.described, *kinds.phantoms.described
    ]  # fmt: skip


def _fit_two(wanted: Described, others: Described, *, squares: bool) -> LinearModel:
    """A model that gives 1 for what is wanted, both kinds counting the same."""
    targets = np.repeat([1.0, 0.0], [len(wanted), len(others)])
    num = len(targets)
    weights = np.where(targets > 0, num / (2 * len(wanted)), num / (2 * len(others)))
    return fit_linear(
        [*wanted, *others], targets, penalty=_PENALTY, squares=squares, weights=weights
    )


def _share_refused(model: OutOfDistributionModel, entries: Described) -> float:
    return float(np.mean([find_refusal(model, entry) is not None for entry in entries]))
