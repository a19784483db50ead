"""Choose the images of datasets that can be trained on."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from dermseg.datasets.base import Dataset
from dermseg.datasets.class_masks import LESION, find_class_mask
from dermseg.errors import DatasetError
from dermseg.types import Sample

__all__ = ["has_mask", "is_known", "trainable"]


def has_mask(
    sample: Sample, classes: Sequence[str] = (LESION,), *, needs_lesion: bool = False
) -> bool:
    """Whether an image has a mask of one of the classes.

    Args:
        sample: The image.
        classes: What is to be learned.
        needs_lesion: Whether it must have one of the lesion besides.
    """
    if needs_lesion and sample.mask is None:
        return False
    return any(find_class_mask(sample, name) is not None for name in classes)


def is_known(
    sample: Sample, classes: Sequence[str] = (LESION,), *, needs_lesion: bool = False
) -> bool:
    """Whether an image says something about one of the classes: where it is, or that it is there.

    Args:
        sample: The image.
        classes: What is to be learned.
        needs_lesion: Whether it must have a lesion mask besides.
    """
    if needs_lesion and sample.mask is None:
        return False
    return has_mask(sample, classes) or not sample.presence.keys().isdisjoint(classes)


def trainable(
    datasets: Iterable[Dataset],
    classes: Sequence[str] = (LESION,),
    *,
    needs_lesion: bool = False,
) -> list[Sample]:
    """List the samples that say something and are officially for training, or in no official part.

    Args:
        datasets: Where to look.
        classes: What is to be learned.
        needs_lesion: Whether a sample must have a lesion mask besides.

    Raises:
        DatasetError: If there are none.
    """
    datasets = list(datasets)
    samples = [
        sample
        for dataset in datasets
        for sample in dataset.samples
        if is_known(sample, classes, needs_lesion=needs_lesion) and sample.part in (None, "train")
    ]
    if not samples:
        folders = ", ".join(str(dataset.root) for dataset in datasets)
        wanted = f"masks of {' or '.join(classes)}" + (" and of the lesion" if needs_lesion else "")
        message = (
            f"{folders}: no image to train on: give a folder that holds the training part with "
            f"{wanted}"
        )
        raise DatasetError(message)
    return samples
