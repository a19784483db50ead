"""Images that a model did not see in training, and its predictions of them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import islice
from pathlib import Path
from typing import Any

import numpy as np
from scipy.special import expit

from dermseg.calibration.out_of_fold import find_logits, read_logits
from dermseg.datasets import Dataset
from dermseg.datasets.class_masks import has_mask, known_masks
from dermseg.errors import UsageError
from dermseg.images import read_mask
from dermseg.package import ModelPackage, ModelSpec, load_package
from dermseg.prediction import Prediction, Predictor, load_model
from dermseg.types import BoolMask, FloatArray, Sample

__all__ = ["HeldOut", "find_held_out", "find_unseen"]


@dataclass(frozen=True)
class HeldOut:
    """Images with their true masks, and predictions of models that did not see them.

    Attributes:
        package: The model that is calibrated.
        samples: The images.
        logits: The file of each image that `keep_predictions` wrote; empty where the package
            itself predicts them.
        on: What the images are, in words.
    """

    package: ModelPackage
    samples: Sequence[Sample]
    logits: Sequence[Path]
    on: str

    def predict(self, **values: Any) -> Iterator[tuple[Sample, Prediction, BoolMask]]:  # noqa: ANN401
        """Predict each image; its true mask comes with the prediction.

        Args:
            values: Fields of the package's ``ModelSpec`` to replace.

        Raises:
            ImageError: If an image or a mask cannot be read.
            UsageError: If logits cannot be read, or are of another size than the package's.
        """
        for sample, prediction in self._predict(values):
            if sample.mask is not None:
                yield sample, prediction, read_mask(sample.mask)

    def predict_classes(self) -> Iterator[tuple[Sample, Prediction, dict[str, BoolMask]]]:
        """What is said of each image, with the true masks of the classes that are known of it.

        Raises:
            ImageError: If an image or a mask cannot be read.
            UsageError: As for `predict`.
        """
        for sample, prediction in self._predict({}):
            yield sample, prediction, known_masks(sample, self.package.spec.classes)

    def _predict(self, values: Mapping[str, Any]) -> Iterator[tuple[Sample, Prediction]]:
        spec = self.package.spec.model_copy(update=values)
        package = replace(self.package, spec=spec)
        lesion = load_model(package.folder).lesion if spec.needs_lesion_model else None
        predictor = (
            _Recorded(package, self.logits, lesion)
            if self.logits
            else Predictor(package, lesion=lesion)
        )
        results = predictor.predict_many(
            (sample.image for sample in self.samples), image_side=max(spec.input_size), force=True
        )
        yield from zip(self.samples, results, strict=True)


class _Recorded(Predictor):
    """A predictor that replays the recorded logits of models that did not see the images.

    Args:
        package: The model.
        logits: The files of these logits, in the order of the images.
        lesion: Finds the lesion first, for a model that looks inside it.
    """

    def __init__(
        self, package: ModelPackage, logits: Sequence[Path], lesion: Predictor | None
    ) -> None:
        super().__init__(package, lesion=lesion)
        self._logits = iter(logits)

    def infer(self, inputs: FloatArray) -> FloatArray:
        """Return the recorded probabilities of the next images."""
        shape = (len(self.spec.classes), *inputs.shape[-2:])
        files = islice(self._logits, len(inputs))
        return np.stack([_probabilities(file, shape, self.spec) for file in files])


def find_held_out(
    package: ModelPackage, datasets: Sequence[Dataset], folds: Path | None
) -> HeldOut:
    """Find the images that a model, or the models of the folds, were not trained on.

    Args:
        package: The model. Without folds, the images that chose its checkpoint are taken; its
            figures on them flatter.
        datasets: Those that it, or the models of the folds, were trained on.
        folds: A folder of `cross_validate`, whose models were trained in the same way.

    Raises:
        UsageError: If ``folds`` is no such folder, or of another input size, cleaning or other
            data, or no image was held out.
    """
    if folds is None:
        chosen = set(package.spec.provenance.selection_ids)
        samples = [
            sample
            for dataset in datasets
            for sample in dataset.samples
            if sample.id in chosen and has_mask(sample, package.spec.classes)
        ]
        on = "the images that chose the checkpoint (the figures flatter)"
        held_out = HeldOut(package, samples, [], on)
    else:
        num_folds = _check_folds(package, datasets, folds)
        found = [
            (sample, path)
            for sample, path in find_logits(datasets, folds / "out_of_fold" / "logits")
            if has_mask(sample, package.spec.classes)
        ]
        on = f"out-of-fold predictions of {num_folds} folds of the training images"
        held_out = HeldOut(
            package, [sample for sample, _ in found], [path for _, path in found], on
        )
    if not held_out.samples:
        num_images = sum(len(dataset.samples) for dataset in datasets)
        message = (
            f"none of {num_images} images was held out in training: give the data that the model "
            "was trained on"
        )
        raise UsageError(message)
    return held_out


def find_unseen(package: ModelPackage, dataset: Dataset) -> HeldOut:
    """The images with masks of a dataset that a model has not seen.

    Raises:
        UsageError: If the model was trained on one of them, or there is none.
    """
    origin = package.spec.provenance
    samples = [sample for sample in dataset.samples if sample.mask is not None]
    seen = {*origin.training_ids, *origin.selection_ids} & {sample.id for sample in samples}
    if seen or not samples:
        message = (
            f"{len(seen)} of {len(samples)} images of {dataset.name} with masks were seen in "
            "training, expected images of another camera to choose the threshold on"
        )
        raise UsageError(message)
    return HeldOut(package, samples, [], f"{len(samples)} images of {dataset.name}")


def _check_folds(package: ModelPackage, datasets: Sequence[Dataset], folds: Path) -> int:
    """The number of folds, if they say something of this package and these data."""
    models = sorted(folds.glob("fold-*/model/model.json"))
    if not models:
        message = f"{folds}: no fold-1/model in it, expected a folder of dermseg train --folds"
        raise UsageError(message)
    spec, fold = package.spec, load_package(models[0].parent).spec
    for what in ("input_size", "preprocessing", "classes"):
        own, other = getattr(spec, what), getattr(fold, what)
        if own != other:
            message = (
                f"{folds}: its models have {what} {other}, the model {spec.name} has {own}: give "
                "folds of the same recipe"
            )
            raise UsageError(message)
    known = {(source.name, source.num_images) for source in fold.provenance.data}
    for dataset in datasets:
        if (dataset.name, len(dataset.samples)) not in known:
            names = ", ".join(f"{name} of {num} images" for name, num in sorted(known))
            message = (
                f"{dataset.root}: {dataset.name} of {len(dataset.samples)} images, but the folds "
                f"were trained on {names}: give the same data"
            )
            raise UsageError(message)
    return len(models)


def _probabilities(path: Path, shape: tuple[int, ...], spec: ModelSpec) -> FloatArray:
    logits = read_logits(path)
    if logits.shape != shape:
        message = f"{path}: logits of shape {logits.shape}, expected {shape} as of the model"
        raise UsageError(message)
    return np.asarray(expit(logits / np.float32(spec.temperature) + spec.bias), np.float32)
