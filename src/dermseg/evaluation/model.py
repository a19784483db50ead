"""Score a model on samples, through the same prediction that its users run."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from dermseg.errors import ImageError
from dermseg.evaluation.evaluate import Evaluation, evaluate_predictions
from dermseg.evaluation.image_score import Measures
from dermseg.evaluation.scoring import Item, Predicted
from dermseg.metrics import to_levels
from dermseg.prediction import Predictor
from dermseg.types import Sample

__all__ = ["evaluate_model", "predict_items"]

_PLAIN = Measures()


def evaluate_model(
    predictor: Predictor,
    samples: Sequence[Sample],
    *,
    measures: Measures = _PLAIN,
    seed: int = 0,
) -> Evaluation:
    """Predict samples at native size and score the masks; intervals resample whole groups.

    Args:
        predictor: The model.
        samples: With masks; one without is skipped and named.
        measures: What is measured besides overlap.
        seed: Seed of the confidence intervals.

    Raises:
        DatasetError: If not a single image can be scored.
    """
    groups = {sample.id: sample.group for sample in samples}
    items = predict_items(predictor, samples, probability=measures.probability)
    return evaluate_predictions(items, groups=groups, measures=measures, seed=seed)


def predict_items(
    predictor: Predictor, samples: Sequence[Sample], *, probability: bool = False
) -> Iterator[Item]:
    """Predict samples one after the other, ready to be scored.

    Args:
        predictor: The model.
        samples: What to predict.
        probability: Also hand on the probabilities, rounded to 8 bits as they are written.
    """
    results = predictor.predict_many((sample.image for sample in samples), on_error="return")
    for sample, result in zip(samples, results, strict=True):
        if isinstance(result, ImageError):
            yield sample.id, result, sample.mask
        elif probability:
            yield sample.id, Predicted(result.mask, to_levels(result.probability)), sample.mask
        else:
            yield sample.id, result.mask, sample.mask
