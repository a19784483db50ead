"""Predictions of images by models that never saw them: scored, and kept for calibration."""

from __future__ import annotations

import io
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Final

import numpy as np
from numpy.typing import NDArray
from scipy.special import logit

from dermseg.datasets import Dataset
from dermseg.errors import ImageError, UsageError
from dermseg.evaluation.scoring import Item
from dermseg.prediction import Predictor
from dermseg.storage import DAMAGED_ZIP, write_bytes_atomically
from dermseg.types import FloatArray, Sample

__all__ = [
    "LARGEST_LOGIT",
    "find_logits",
    "keep_predictions",
    "name_samples",
    "read_logits",
    "to_logits",
]

LARGEST_LOGIT: Final = 16
"""Beyond it, float32 probabilities are 0 or 1 already."""


def name_samples(datasets: Sequence[Dataset], samples: Sequence[Sample]) -> dict[Path, str]:
    """A name for each sample: its id, followed by its dataset's name where others share the id.

    Returns:
        Names by the image's path.

    Raises:
        UsageError: If two datasets of one name share an id.
    """
    counts = Counter(sample.id for sample in samples)
    dataset_of = {sample.image: dataset.name for dataset in datasets for sample in dataset.samples}
    names = [
        sample.id if counts[sample.id] == 1 else _long_name(sample, dataset_of[sample.image])
        for sample in samples
    ]
    twice = [name for name, count in Counter(names).items() if count > 1]
    if twice:
        message = (
            f"{len(twice)} images are in two of the given datasets of one name, the first is "
            f"{twice[0]}: give each dataset once"
        )
        raise UsageError(message)
    return {sample.image: name for sample, name in zip(samples, names, strict=True)}


def keep_predictions(
    predictor: Predictor, samples: Sequence[Sample], names: Mapping[Path, str], folder: Path
) -> Iterator[Item]:
    """Predict samples, ready to be scored, and keep the logits that the masks were made from.

    Each image gets ``NAME.npz`` with ``logits``, (classes, h, w) float16 at the network's size,
    at most 16 to either side.

    Args:
        predictor: A model that saw none of the samples.
        samples: What to predict.
        names: The name of each, by its image's path.
        folder: Is made if it is not there.

    Raises:
        OutputError: If a file cannot be written.
    """
    folder.mkdir(parents=True, exist_ok=True)
    results = predictor.predict_many(
        (sample.image for sample in samples), force=True, on_error="return"
    )
    for sample, result in zip(samples, results, strict=True):
        name = names[sample.image]
        if isinstance(result, ImageError):
            yield name, result, sample.mask
            continue
        _write_logits(folder / f"{name}.npz", result.class_probabilities)
        yield name, result.mask, sample.mask


def find_logits(datasets: Sequence[Dataset], folder: Path) -> list[tuple[Sample, Path]]:
    """Find what `keep_predictions` kept, under the names that `name_samples` gave.

    Args:
        datasets: All or some of those whose samples were predicted, and no other.
        folder: Where the files are.

    Returns:
        The samples that have a file, each with its file.
    """
    found = []
    for dataset in datasets:
        for sample in dataset.samples:
            long = folder / f"{_long_name(sample, dataset.name)}.npz"
            path = long if long.is_file() else folder / f"{sample.id}.npz"
            if path.is_file():
                found.append((sample, path))
    return found


def read_logits(path: Path) -> FloatArray:
    """Read what `keep_predictions` kept of one image, (classes, h, w) float32 in [-16, 16].

    Raises:
        UsageError: If the file is none of these.
    """
    try:
        with np.load(path) as file:
            return np.asarray(file["logits"], np.float32)
    except (OSError, LookupError, TypeError, *DAMAGED_ZIP) as error:
        message = f"{path}: no logits can be read from it: run dermseg train --folds again"
        raise UsageError(message) from error


def to_logits(probabilities: FloatArray) -> NDArray[np.float64]:
    """The logits of probabilities in [0, 1], any shape, at most 16 to either side."""
    logits = logit(probabilities.astype(np.float64))
    return np.asarray(logits.clip(-LARGEST_LOGIT, LARGEST_LOGIT), np.float64)


def _long_name(sample: Sample, dataset: str) -> str:
    return f"{sample.id}_{dataset}"


def _write_logits(path: Path, probabilities: FloatArray) -> None:
    stream = io.BytesIO()
    np.savez_compressed(stream, logits=to_logits(probabilities).astype(np.float16))
    write_bytes_atomically(path, stream.getvalue())
