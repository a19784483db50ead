"""Score a model on samples, through the same prediction that its users run."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from dermseg.errors import ImageError
from dermseg.evaluation.evaluate import Evaluation, evaluate_predictions
from dermseg.evaluation.scoring import Item
from dermseg.prediction import Predictor
from dermseg.types import Sample

__all__ = ["evaluate_model", "predict_items"]


def evaluate_model(predictor: Predictor, samples: Sequence[Sample], *, seed: int = 0) -> Evaluation:
    """Predict samples at native size and score the masks; intervals resample whole groups.

    Args:
        predictor: The model.
        samples: With masks; one without is skipped and named.
        seed: Seed of the confidence intervals.

    Raises:
        DatasetError: If not a single image can be scored.
    """
    groups = {sample.id: sample.group for sample in samples}
    return evaluate_predictions(predict_items(predictor, samples), groups=groups, seed=seed)


def predict_items(predictor: Predictor, samples: Sequence[Sample]) -> Iterator[Item]:
    """Predict samples one after the other, ready to be scored."""
    results = predictor.predict_many((sample.image for sample in samples), on_error="return")
    for sample, result in zip(samples, results, strict=True):
        mask = result if isinstance(result, ImageError) else result.mask
        yield sample.id, mask, sample.mask
