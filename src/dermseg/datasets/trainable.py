"""Which images of datasets can be trained on."""

from __future__ import annotations

from collections.abc import Iterable

from dermseg.datasets.base import Dataset
from dermseg.errors import DatasetError
from dermseg.types import Sample

__all__ = ["trainable"]


def trainable(datasets: Iterable[Dataset]) -> list[Sample]:
    """List the samples with a mask that are officially for training, or in no official part.

    Raises:
        DatasetError: If there are none.
    """
    datasets = list(datasets)
    samples = [
        sample
        for dataset in datasets
        for sample in dataset.samples
        if sample.mask is not None and sample.part in (None, "train")
    ]
    if not samples:
        folders = ", ".join(str(dataset.root) for dataset in datasets)
        message = (
            f"{folders}: no image to train on: give a folder that holds the training part with its "
            "masks"
        )
        raise DatasetError(message)
    return samples
