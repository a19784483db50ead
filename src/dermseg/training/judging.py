"""What a finished model does on the images that chose its checkpoint."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from dermseg.errors import ImageError
from dermseg.evaluation import Evaluation, evaluate_predictions
from dermseg.evaluation.scoring import Item
from dermseg.images import read_mask
from dermseg.prediction import Prediction, Predictor
from dermseg.preprocessing import resize_mask
from dermseg.training.roc import RocCounts
from dermseg.types import Sample

__all__ = ["judge"]


def judge(predictor: Predictor, samples: Sequence[Sample]) -> tuple[Evaluation, RocCounts]:
    """Score a model's masks at native size, and count its probabilities at the network's.

    Args:
        predictor: The model.
        samples: With masks; each is predicted once.

    Raises:
        DatasetError: If not a single image can be scored.
    """
    counts = RocCounts()
    groups = {sample.id: sample.group for sample in samples}
    return evaluate_predictions(_predict(predictor, samples, counts), groups=groups), counts


def _predict(predictor: Predictor, samples: Sequence[Sample], counts: RocCounts) -> Iterator[Item]:
    results = predictor.predict_many((sample.image for sample in samples), on_error="return")
    for sample, result in zip(samples, results, strict=True):
        if isinstance(result, ImageError):
            yield sample.id, result, sample.mask
            continue
        _count(result, sample, counts)
        yield sample.id, result.mask, sample.mask


def _count(prediction: Prediction, sample: Sample, counts: RocCounts) -> None:
    if sample.mask is None:
        return
    truth = read_mask(sample.mask)
    if prediction.box is not None:
        truth = truth[prediction.box.slices]
    probability = prediction.class_probabilities[0]
    counts.add(probability, resize_mask(truth, (probability.shape[0], probability.shape[1])))
