"""Class weights from the training masks."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import torch
from torch import Tensor

from dermseg.datasets.pairs import PairSource
from dermseg.errors import DatasetError
from dermseg.losses import class_labels
from dermseg.preprocessing import UNIT_RANGE
from dermseg.recipes import Activation, Recipe
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
    return inverse_frequencies(targets, recipe.classes, activation=recipe.activation)


def inverse_frequencies(
    targets: Iterable[Tensor], classes: Sequence[str], *, activation: Activation
) -> list[float]:
    """1 over the share of the pixels of background and of each class, scaled to a sum of 1.

    Pixels of which nobody knows the class do not count. Under ``softmax`` each pixel that is known
    of all classes is of one class or background. Under ``sigmoid`` each class is counted by itself,
    and the background is what lies outside a class, on average over the classes.

    Args:
        targets: (classes, H, W) each: 1 in the class, 0 not in it, negative where nobody knows.
        classes: Their names.
        activation: The recipe's activation.

    Raises:
        DatasetError: If the background or a class has no pixel.
    """
    # Pixels in background and classes, and those of which it is known whether they are.
    counts = torch.zeros(len(classes) + 1, dtype=torch.float64)
    known = torch.zeros(len(classes) + 1, dtype=torch.float64)
    masked = torch.zeros(len(classes) + 1, dtype=torch.bool)
    for target in targets:
        masked[1:] |= (target == 1).any(dim=(1, 2))
        if activation == "softmax":
            labels = class_labels(target[None])[0][(target >= 0).all(dim=0)]
            counts += torch.bincount(labels, minlength=len(counts))
            known += len(labels)
        else:
            inside, outside = ((target == value).sum(dim=(1, 2)).double() for value in (1, 0))
            counts += torch.cat([outside.mean(dim=0, keepdim=True), inside])
            known += torch.cat([(inside + outside).mean(dim=0, keepdim=True), inside + outside])
    names = ("background", *classes)
    for name, count, is_masked in zip(names, counts.tolist(), masked.tolist(), strict=True):
        if not count:
            reason = f"no training mask has a pixel of '{name}' at the network's size"
            if is_masked:
                reason = (
                    f"every pixel of '{name}' is in a class that is named before it, too, or in an "
                    "image of which another class is not known"
                )
            elif name == "background":
                reason = "no pixel of the training masks is known to be in no class"
            message = f"{reason}, so it has no inverse frequency: give the class weights as numbers"
            raise DatasetError(message)
    inverse = 1 / (counts * (known.max() / known))
    return [round(weight, 6) for weight in (inverse / inverse.sum()).tolist()]
