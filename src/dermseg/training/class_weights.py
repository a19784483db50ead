"""Class weights from the training masks."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import torch
from torch import Tensor

from dermseg.datasets.pairs import PairSource
from dermseg.errors import DatasetError
from dermseg.losses import class_labels
from dermseg.preprocessing import UNIT_RANGE
from dermseg.recipes import Recipe
from dermseg.training.data import SegmentationData
from dermseg.types import Sample

__all__ = ["fit_class_weights", "inverse_frequencies"]


def fit_class_weights(
    recipe: Recipe, samples: Sequence[Sample], pairs: PairSource
) -> list[float] | None:
    """The weights of background and classes if a loss of the recipe asks for them, else None.

    Args:
        recipe: Gives the classes, and the size at which pixels are counted.
        samples: The training images, without those that choose the checkpoint.
        pairs: Reads them.

    Raises:
        DatasetError: If a class is in no mask.
    """
    if not recipe.needs_class_weights:
        return None
    data = SegmentationData(samples, recipe, UNIT_RANGE, augment=False, pairs=pairs)
    targets = (data[0, index]["target"] for index in range(len(data)))
    return inverse_frequencies(targets, recipe.classes)


def inverse_frequencies(targets: Iterable[Tensor], classes: Sequence[str]) -> list[float]:
    """1 over the number of pixels of background and of each class, scaled to a sum of 1.

    Args:
        targets: (classes, H, W) of 0 and 1 each.
        classes: Their names.

    Raises:
        DatasetError: If the background or a class has no pixel.
    """
    counts = torch.zeros(len(classes) + 1, dtype=torch.int64)
    for target in targets:
        counts += torch.bincount(class_labels(target[None]).flatten(), minlength=len(counts))
    for name, count in zip(("background", *classes), counts.tolist(), strict=True):
        if not count:
            message = (
                f"no training mask has a pixel of '{name}', so it has no inverse frequency: give "
                "the class weights as numbers"
            )
            raise DatasetError(message)
    inverse = 1 / counts.double()
    return [round(weight, 6) for weight in (inverse / inverse.sum()).tolist()]
