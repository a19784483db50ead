"""How a finished model scores on the images that chose its checkpoint."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import astuple, dataclass
from typing import Final

from dermseg.calibration.thresholds import predict_known
from dermseg.datasets.class_masks import is_lesion_only
from dermseg.errors import DatasetError, ImageError
from dermseg.evaluation import (
    PROTOCOLS,
    ImageScore,
    Interval,
    evaluate_predictions,
    protocol_figures,
)
from dermseg.evaluation.scoring import Item
from dermseg.images import read_mask
from dermseg.metrics import ConfusionCounts, RocCounts, confusion_counts
from dermseg.prediction import Prediction, Predictor
from dermseg.preprocessing import resize_mask
from dermseg.types import Sample

__all__ = ["FinalScores", "score_model"]

_PROTOCOL: Final = PROTOCOLS["isic2018_task2"]


@dataclass(frozen=True)
class FinalScores:
    """How good a model's masks and probabilities are.

    Attributes:
        scores: One per image, at native size; over all classes together if there are several.
        figures: Figures over all images, with intervals. For lesions these are means over the
            images, such as ``mean_jaccard``; for attributes those of the protocol
            ``isic2018_task2``: over the pixels of all images, each image counting the same, of
            each class, such as ``pooled_jaccard_globules``, and of all together,
            ``pooled_jaccard``.
        pixels: The pixels of each class by probability and truth; of lesions at the network's
            size; of attributes at native size, each image counting the same.
    """

    scores: tuple[ImageScore, ...]
    figures: Mapping[str, Interval]
    pixels: Mapping[str, RocCounts]


def score_model(predictor: Predictor, samples: Sequence[Sample]) -> FinalScores:
    """Score a model's masks, and count its probabilities.

    Args:
        predictor: The model.
        samples: Each is predicted once; it counts for those of the model's classes whose masks
            are known of it.

    Raises:
        DatasetError: If not a single image can be scored.
    """
    if is_lesion_only(predictor.spec.classes):
        return _score_lesions(predictor, samples)
    return _score_classes(predictor, samples)


def _score_lesions(predictor: Predictor, samples: Sequence[Sample]) -> FinalScores:
    counts = RocCounts()
    groups = {sample.id: sample.group for sample in samples}
    evaluation = evaluate_predictions(_predict(predictor, samples, counts), groups=groups)
    (name,) = predictor.spec.classes
    return FinalScores(evaluation.scores, evaluation.aggregates, {name: counts})


def _score_classes(predictor: Predictor, samples: Sequence[Sample]) -> FinalScores:
    pixels = {name: RocCounts() for name in predictor.spec.classes}
    images: list[ImageScore] = []
    masks: list[ImageScore] = []
    groups: dict[str, str] = {}
    for sample, prediction, truths in predict_known(predictor, samples):
        counts = {
            name: confusion_counts(prediction.masks[name], truth) for name, truth in truths.items()
        }
        for name, truth in truths.items():
            pixels[name].add(prediction.probabilities[name], truth, weight=1 / truth.size)
            # As the masks of attributes are called: it tells the protocol whose they are.
            id = f"{sample.id}_attribute_{name}"
            masks.append(ImageScore.from_counts(id, counts[name]))
            groups[id] = sample.group
        images.append(ImageScore.from_counts(sample.id, _sum(list(counts.values()))))
    if not masks:
        names = ", ".join(predictor.spec.classes)
        message = f"none of {len(samples)} images can be scored: no mask of {names} is known"
        raise DatasetError(message)
    masks.sort(key=lambda score: score.id)
    figures = protocol_figures(_PROTOCOL, masks, groups=groups, seed=0).figures
    return FinalScores(tuple(images), figures, pixels)


def _sum(counts: Sequence[ConfusionCounts]) -> ConfusionCounts:
    return ConfusionCounts(*(sum(column) for column in zip(*map(astuple, counts), strict=True)))


def _predict(predictor: Predictor, samples: Sequence[Sample], counts: RocCounts) -> Iterator[Item]:
    results = predictor.predict_many(
        (sample.image for sample in samples), force=True, on_error="return"
    )
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
