"""Images that a model did not see in training, and what it says about them."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from dermseg.errors import ImageError, UsageError
from dermseg.images import read_mask
from dermseg.package import ModelPackage, load_package
from dermseg.prediction import Prediction, Predictor
from dermseg.types import BoolMask, Sample

__all__ = ["HeldOut", "find_held_out"]


@dataclass(frozen=True)
class HeldOut:
    """Models, each with the images that it did not see.

    Attributes:
        parts: Of each fold, or of the model itself.
        on: What the images are, in words.
    """

    parts: Sequence[tuple[ModelPackage, Sequence[Sample]]]
    on: str

    @property
    def num_images(self) -> int:
        """How many images there are."""
        return sum(len(samples) for _, samples in self.parts)

    def predict(self, **values: Any) -> Iterator[tuple[Sample, Prediction, BoolMask]]:  # noqa: ANN401
        """Predict each image by the model that did not see it, with its true mask.

        Args:
            values: Fields of the models' ``ModelSpec`` to replace.
        """
        for package, samples in self.parts:
            spec = package.spec.model_copy(update=values)
            predictor = Predictor(replace(package, spec=spec))
            results = predictor.predict_many(
                (sample.image for sample in samples), on_error="return"
            )
            for sample, result in zip(samples, results, strict=True):
                if not isinstance(result, ImageError) and sample.mask is not None:
                    yield sample, result, read_mask(sample.mask)


def find_held_out(package: ModelPackage, samples: Sequence[Sample], folds: Path | None) -> HeldOut:
    """Find the images that models were not trained on.

    Args:
        package: The model. Without folds, the images that chose its checkpoint are taken; its
            figures on them flatter.
        samples: Of the data that it, or the models of the folds, were trained on.
        folds: A folder of `cross_validate`, whose models were trained in the same way; each
            predicts the fold that it neither saw nor was chosen on.

    Raises:
        UsageError: If ``folds`` holds no models, or no image was held out.
    """
    known = [sample for sample in samples if sample.mask is not None]
    if folds is None:
        chosen = set(package.spec.provenance.selection_ids)
        parts = [(package, [sample for sample in known if sample.id in chosen])]
        on = "the images that chose the checkpoint (the figures flatter)"
    else:
        packages = [load_package(path.parent) for path in sorted(folds.glob("*/model/model.json"))]
        if len(packages) < 2:
            message = f"{folds}: {len(packages)} models in fold-*/model, expected at least 2 folds"
            raise UsageError(message)
        seen = [
            {*fold.spec.provenance.training_ids, *fold.spec.provenance.selection_ids}
            for fold in packages
        ]
        every = set.union(*seen)
        parts = [
            (fold, [sample for sample in known if sample.id in every - own])
            for fold, own in zip(packages, seen, strict=True)
        ]
        on = f"out-of-fold predictions of {len(packages)} folds of the training images"
    held_out = HeldOut(parts, on)
    if not held_out.num_images:
        message = (
            f"none of {len(samples)} images was held out in training: give the data that the model "
            "was trained on"
        )
        raise UsageError(message)
    return held_out
