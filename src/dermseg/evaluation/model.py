"""Score a model on samples, through the same prediction that its users run."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path

from dermseg.datasets.presence import Presence
from dermseg.errors import ImageError, UsageError
from dermseg.evaluation.attribute_model import evaluate_attributes
from dermseg.evaluation.evaluate import Evaluation, evaluate_predictions, metadata_of
from dermseg.evaluation.image_files import ImageFiles
from dermseg.evaluation.image_score import Measures
from dermseg.evaluation.scoring import Item, Predicted
from dermseg.images import write_mask
from dermseg.metrics import to_levels
from dermseg.prediction import MASK_ENDING, Predictor
from dermseg.types import Sample

__all__ = ["evaluate_model", "predict_items"]

_PLAIN = Measures()


def evaluate_model(
    predictor: Predictor,
    samples: Sequence[Sample],
    *,
    measures: Measures = _PLAIN,
    seed: int = 0,
    masks_dir: Path | None = None,
    presence: Presence | None = None,
) -> Evaluation:
    """Predict samples at native size and score the masks; intervals resample whole groups.

    Of a model that finds attributes, the masks of these are scored, see `evaluate_attributes`.

    Args:
        predictor: The model.
        samples: With masks; one without is skipped and named.
        measures: What is measured besides overlap.
        seed: Seed of the confidence intervals.
        masks_dir: An existing folder to write every mask to, as ``NAME_segmentation.png``, or
            ``NAME_attribute_CLASS.png``.
        presence: Which images show which attributes, for a model that finds some.

    Raises:
        DatasetError: If not a single image can be scored.
        OutputError: If a mask cannot be written.
        UsageError: If ``presence`` is given to a model that finds no attribute.
    """
    if predictor.spec.attributes:
        return evaluate_attributes(
            predictor,
            samples,
            presence=presence,
            measures=measures,
            seed=seed,
            masks_dir=masks_dir,
        )
    if presence is not None:
        message = (
            f"the model {predictor.spec.name} finds the lesion and no attribute: presence is for "
            "models of attributes"
        )
        raise UsageError(message)
    groups = {sample.id: sample.group for sample in samples}
    items = _predict(predictor, samples, measures, masks_dir)
    result = evaluate_predictions(items, groups=groups, measures=measures, seed=seed)
    scored = {score.id for score in result.scores}
    files = {
        sample.id: ImageFiles(
            sample.image, sample.mask, masks_dir and _mask_path(masks_dir, sample.id)
        )
        for sample in samples
        if sample.id in scored
    }
    return replace(result, files=files, metadata=metadata_of(samples))


def predict_items(
    predictor: Predictor, samples: Sequence[Sample], *, probability: bool = False
) -> Iterator[Item]:
    """Predict samples one after the other, ready to be scored.

    Args:
        predictor: The model.
        samples: What to predict.
        probability: Also hand on the probabilities, rounded to 8 bits as they are written.
    """
    yield from _predict(predictor, samples, Measures(probability=probability), None)


def _predict(
    predictor: Predictor, samples: Sequence[Sample], measures: Measures, masks_dir: Path | None
) -> Iterator[Item]:
    results = predictor.predict_many((sample.image for sample in samples), on_error="return")
    for sample, result in zip(samples, results, strict=True):
        if isinstance(result, ImageError):
            yield sample.id, result, sample.mask
            continue
        mask = result.mask
        if masks_dir is not None:
            write_mask(_mask_path(masks_dir, sample.id), mask)
        levels = to_levels(result.probability) if measures.probability else None
        image = result.image if measures.statistics else None
        predicted = Predicted(mask, levels, image=image, quality=result.quality)
        yield sample.id, predicted, sample.mask


def _mask_path(folder: Path, id: str) -> Path:
    return folder / f"{id}{MASK_ENDING}"
