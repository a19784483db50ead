"""Items for training: every draw depends on (seed, epoch, image id) only."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import torch
from numpy.typing import NDArray
from torch.utils.data import Dataset

from dermseg.augmentation import Augmenter
from dermseg.datasets.cache import fill_cache
from dermseg.datasets.pairs import NativePairs, PairSource, Preparation
from dermseg.losses import SOMEWHERE, UNKNOWN
from dermseg.preprocessing import Normalization, to_unit_range
from dermseg.recipes import Recipe
from dermseg.types import BoolMask, MaskStack, Sample, Size

__all__ = ["Key", "SegmentationData", "create_target", "open_pairs", "training_size"]


class Key(NamedTuple):
    """The key of an item; the item depends on it and on the recipe alone.

    Attributes:
        epoch: Counted from 0.
        place: Index of the sample in the data.
        turn: How often the epoch has shown the sample before: each time it is augmented anew.
    """

    epoch: int
    place: int
    turn: int = 0


def training_size(recipe: Recipe, epoch: int) -> Size:
    """(height, width) of the images in an epoch: smaller first under progressive resizing."""
    for step in recipe.training.progressive_resizing:
        if epoch < step.until_epoch:
            return step.size
    return recipe.preprocessing.size


class SegmentationData(Dataset[dict[str, Any]]):
    """Preprocessed pairs of image and target.

    Args:
        samples: At least one of the recipe's classes is known of each.
        recipe: Gives size and augmentation.
        normalization: As fitted on the training images.
        augment: Whether images are changed at random, and smaller under progressive resizing.
        pairs: Where cleaned and resized pairs come from; None reads the samples' files.
    """

    def __init__(
        self,
        samples: Sequence[Sample],
        recipe: Recipe,
        normalization: Normalization,
        *,
        augment: bool,
        pairs: PairSource | None = None,
    ) -> None:
        self.samples = samples
        self.recipe = recipe
        self.normalization = normalization
        self.pairs = pairs or NativePairs(Preparation.of(recipe))
        self.augmenter = Augmenter(recipe.augmentation, seed=recipe.seed) if augment else None

    def __len__(self) -> int:
        """Number of pairs."""
        return len(self.samples)

    def __getitem__(self, key: Key | tuple[int, int]) -> dict[str, Any]:
        """``image`` (3, H, W) float32, ``target`` (C, H, W) float32, ``id``.

        The target is that of :func:`create_target`.
        """
        epoch, index, turn = Key(*key)
        sample = self.samples[index]
        is_full = self.augmenter is None
        size = self.recipe.preprocessing.size if is_full else training_size(self.recipe, epoch)
        pair = self.pairs(sample, size)
        image, masks = to_unit_range(pair.image), pair.masks
        if self.augmenter is not None:
            drawn = f"{sample.id}, turn {turn}" if turn else sample.id
            image, masks = self.augmenter(image, masks, epoch=epoch, sample_id=drawn)
        classes = self.recipe.classes
        crop = self.recipe.lesion_crop
        target = create_target(
            classes,
            masks[: len(classes)],
            pair.known,
            presence=sample.presence,
            # Where it is needed, the lesion comes after the classes.
            inside=masks[-1] if crop is not None and crop.inside_only else None,
        )
        return {
            "image": torch.from_numpy(self.normalization.apply(image)),
            "target": torch.from_numpy(target),
            "id": sample.id,
        }


def create_target(
    classes: Sequence[str],
    masks: MaskStack,
    known: NDArray[np.bool_],
    *,
    presence: Mapping[str, bool],
    inside: BoolMask | None = None,
) -> NDArray[np.float32]:
    """Make the target of one image.

    Args:
        classes: C names.
        masks: (C, H, W) bool, in their order.
        known: (C,) bool, whether a mask says anything.
        presence: Whether the image shows the classes whose mask is not known.
        inside: (H, W) bool, the lesion; None learns from the whole image.

    Returns:
        (C, H, W) float32: 1 in the class, 0 not in it, ``SOMEWHERE`` in every pixel of a class that
        is in the image, but nobody knows where, ``UNKNOWN`` where nothing is known, and outside
        the lesion if that is given.
    """
    target = masks.astype(np.float32)
    for place, name in enumerate(classes):
        if not known[place]:
            target[place] = _weak_value(presence.get(name))
    if inside is not None:
        target[:, ~inside] = UNKNOWN
    return target


def _weak_value(present: bool | None) -> float:  # noqa: FBT001 - a label, not a switch
    if present is None:
        return UNKNOWN
    return SOMEWHERE if present else 0.0


def open_pairs(recipe: Recipe, samples: Sequence[Sample], cache: Path | None) -> PairSource:
    """Read samples from their files, or from a cache that is completed first.

    Args:
        recipe: Gives classes, sizes and cleaning.
        samples: What is going to be read.
        cache: The cache's folder; None reads the files, every time.

    Raises:
        ImageError: If an image or a mask cannot be read.
        DatasetError: If a mask has another size than its image.
        UsageError: If the folder holds something else than a cache.
        OutputError: If the cache cannot be written.
    """
    preparation = Preparation.of(recipe)
    if cache is None:
        return NativePairs(preparation)
    pairs, report = fill_cache(cache, samples, sizes=recipe.sizes, preparation=preparation)
    for _, error in report.failures:
        raise error
    return pairs
