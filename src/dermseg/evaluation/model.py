"""Score a model on samples, through the same prediction that its users run."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

import numpy as np

from dermseg.datasets import read_class_masks
from dermseg.datasets.presence import Presence
from dermseg.errors import DatasetError, ImageError, UsageError
from dermseg.evaluation.attribute_figures import ImagePresence
from dermseg.evaluation.evaluate import check_evaluation, evaluate_predictions, metadata_of
from dermseg.evaluation.image_score import ImageScore, Measures
from dermseg.evaluation.leaks import Checks, Leaks, check_leaks
from dermseg.evaluation.masks import CheckedMask, read_checked_mask
from dermseg.evaluation.matching import ImageFiles, Skipped
from dermseg.evaluation.results import Evaluation, summarize
from dermseg.evaluation.scoring import Item, PixelPool, Predicted, score_item
from dermseg.images import read_mask, write_mask
from dermseg.metrics import to_levels
from dermseg.prediction import MASK_ENDING, Prediction, Predictor
from dermseg.types import Sample, SuperpixelFeature

__all__ = ["evaluate_attribute_folds", "evaluate_attributes", "evaluate_model"]

_PLAIN = Measures()
_USUAL = Checks()


def evaluate_model(
    predictor: Predictor,
    samples: Sequence[Sample],
    *,
    measures: Measures = _PLAIN,
    seed: int = 0,
    masks_dir: Path | None = None,
    presence: Presence | None = None,
    checks: Checks = _USUAL,
) -> Evaluation:
    """Predict samples at native size and score the masks; intervals resample whole groups.

    If the model finds attributes, their masks are scored, see `evaluate_attributes`.

    Args:
        predictor: The model.
        samples: With masks; one without is skipped and named.
        measures: What is measured besides overlap.
        seed: Seed of the confidence intervals.
        masks_dir: An existing folder to write every mask to, as ``NAME_segmentation.png``, or
            ``NAME_attribute_CLASS.png``.
        presence: Which images show which attributes, for a model that finds some.
        checks: What is warned of before a single image is predicted, or refused.

    Raises:
        DatasetError: If not a single image can be scored.
        OutputError: If a mask cannot be written.
        RunError: If the checks are strict and refuse.
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
            checks=checks,
        )
    if presence is not None:
        message = (
            f"the model {predictor.spec.name} finds the lesion and no attribute: presence is for "
            "models of attributes"
        )
        raise UsageError(message)
    leaks = _check_leaks(predictor, samples, checks)
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
    result = replace(result, leaks=leaks, files=files, metadata=metadata_of(samples))
    return check_evaluation(result, checks)


def evaluate_attributes(
    predictor: Predictor,
    samples: Sequence[Sample],
    *,
    presence: Presence | None = None,
    measures: Measures = _PLAIN,
    seed: int = 0,
    masks_dir: Path | None = None,
    checks: Checks = _USUAL,
) -> Evaluation:
    """Predict samples at native size and score the mask of each attribute that is known of them.

    Each score has the id ``NAME_attribute_CLASS``. An attribute that is not known of an image is
    left out there. Where one is known by its mask or by ``presence``, the image also counts for how
    well the model tells which images show it; a mask has the last word.

    Args:
        predictor: The model; of its classes the attributes are scored, not the lesion.
        samples: With masks of attributes, or named in ``presence``; others are skipped and named.
        presence: Which images show what, see `read_presence`.
        measures: What is measured besides overlap. Protocols that score inside the lesion take
            the samples' lesion masks where ``measures`` has none.
        seed: Seed of the confidence intervals, which resample whole groups.
        masks_dir: An existing folder to write the masks to, as ``NAME_attribute_CLASS.png``.
        checks: As for `evaluate_model`.

    Raises:
        DatasetError: If not a single image can be scored or judged.
        OutputError: If a mask cannot be written.
        RunError: If the checks are strict and refuse.
    """
    leaks = _check_leaks(predictor, samples, checks)
    result = _score_attributes(
        [(predictor, samples)], presence or {}, measures, seed=seed, masks_dir=masks_dir
    )
    return check_evaluation(replace(result, leaks=leaks), checks)


def evaluate_attribute_folds(
    folds: Sequence[tuple[Predictor, Sequence[Sample]]], *, seed: int = 0
) -> Evaluation:
    """Score the attributes of samples as by `evaluate_attributes`, each by the model of its fold.

    Args:
        folds: Models of the same attributes, each with the samples that it did not see.
        seed: Seed of the confidence intervals, which resample whole groups.

    Raises:
        DatasetError: If not a single image can be scored.
    """
    return _score_attributes(folds, {}, replace(_PLAIN, probability=True), seed=seed)


def _score_attributes(
    folds: Sequence[tuple[Predictor, Sequence[Sample]]],
    presence: Presence,
    measures: Measures,
    *,
    seed: int,
    masks_dir: Path | None = None,
) -> Evaluation:
    everything = [sample for _, samples in folds for sample in samples]
    lesions = {sample.id: sample.mask for sample in everything if sample.mask is not None}
    measures = replace(measures, lesions={**lesions, **measures.lesions})
    pool = PixelPool()
    results: list[ImageScore | Skipped] = []
    runs = [_Run(predictor, presence, measures, masks_dir) for predictor, _ in folds]
    for run, (_, samples) in zip(runs, folds, strict=True):
        known = [sample for sample in samples if run.is_known(sample)]
        results += pool.take(score_item(item, measures) for item in run.predict(known))
        reason = f"nothing is known of it about {', '.join(run.classes)}"
        left_out = {sample.id for sample in samples} - {sample.id for sample in known}
        results += (Skipped(id, reason, "no truth") for id in left_out)
    result = summarize(
        results,
        pool,
        groups={sample.id: sample.group for sample in everything},
        measures=measures,
        seed=seed,
        judged=[image for run in runs for image in run.judged],
    )
    files = {id: file for run in runs for id, file in run.files.items()}
    scored = {score.id for score in result.scores}
    return replace(result, files={id: files[id] for id in files if id in scored})


def _check_leaks(predictor: Predictor, samples: Sequence[Sample], checks: Checks) -> Leaks | None:
    checks = replace(checks, model=predictor.spec)
    return check_leaks(checks, [sample.id for sample in samples])


def _predict(
    predictor: Predictor, samples: Sequence[Sample], measures: Measures, masks_dir: Path | None
) -> Iterator[Item]:
    results = predictor.predict_many(
        (sample.image for sample in samples), force=True, on_error="return"
    )
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


@dataclass
class _Run:
    """Predicts, and notes on the way what is said of whole images."""

    predictor: Predictor
    presence: Presence
    measures: Measures
    masks_dir: Path | None
    judged: list[ImagePresence] = field(default_factory=list)
    files: dict[str, ImageFiles] = field(default_factory=dict)

    @property
    def classes(self) -> tuple[str, ...]:
        return self.predictor.spec.attributes

    def is_known(self, sample: Sample) -> bool:
        named = self.presence.get(sample.id, {})
        return any(name in sample.attributes or name in named for name in self.classes)

    def predict(self, samples: Sequence[Sample]) -> Iterator[Item]:
        results = self.predictor.predict_many(
            (sample.image for sample in samples), force=True, on_error="return"
        )
        for sample, result in zip(samples, results, strict=True):
            if isinstance(result, ImageError):
                known = [name for name in self.classes if name in sample.attributes]
                ids = [_row_id(sample, name) for name in known] or [sample.id]
                yield from ((id, result, None) for id in ids)
                continue
            truths = _read_truths(sample, self.classes)
            self.judged.append(self._judge(sample, result, truths))
            for name, truth in truths.items():
                yield self._item(sample, result, name, truth)

    def _item(
        self, sample: Sample, result: Prediction, name: str, truth: CheckedMask | ImageError
    ) -> Item:
        id = _row_id(sample, name)
        if isinstance(truth, ImageError):
            return id, truth, None
        probability, mask = result.class_at_native_size(name)
        written = None
        if self.masks_dir is not None:
            written = self.masks_dir / f"{id}.png"
            write_mask(written, mask)
        file = sample.attributes[name]
        self.files[id] = ImageFiles(
            sample.image, None if isinstance(file, SuperpixelFeature) else file, written
        )
        levels = to_levels(probability) if self.measures.probability else None
        return id, Predicted(mask, levels), truth

    def _judge(
        self, sample: Sample, result: Prediction, truths: Mapping[str, CheckedMask | ImageError]
    ) -> ImagePresence:
        named = self.presence.get(sample.id, {})
        shown = {name: named[name] for name in self.classes if name in named}
        for name, truth in truths.items():
            if isinstance(truth, CheckedMask):
                shown[name] = bool(truth.mask.any())
        area_share, is_true = _area_of(sample, result)
        return ImagePresence(
            sample.id,
            sample.group,
            {name: result.presence[name] for name in self.classes},
            shown,
            area_share,
            is_true,
        )


def _row_id(sample: Sample, name: str) -> str:
    return f"{sample.id}_attribute_{name}"


def _read_truths(sample: Sample, classes: Sequence[str]) -> dict[str, CheckedMask | ImageError]:
    """The true masks of the classes that are known; those of one map of superpixels at once."""
    truths: dict[str, CheckedMask | ImageError] = {}
    features = []
    for name in classes:
        file = sample.attributes.get(name)
        if isinstance(file, SuperpixelFeature):
            features.append(name)
        elif file is not None:
            try:
                truths[name] = read_checked_mask(file)
            except ImageError as error:
                truths[name] = error
    if features:
        try:
            masks = read_class_masks(sample, features).masks
            truths |= {name: CheckedMask(mask) for name, mask in zip(features, masks, strict=True)}
        except ImageError as error:
            truths |= dict.fromkeys(features, error)
        except DatasetError as error:
            truths |= dict.fromkeys(features, ImageError(sample.id, str(error)))
    return truths


def _area_of(sample: Sample, result: Prediction) -> tuple[float | None, bool]:
    """Share of the image that is lesion, and whether that is the true lesion."""
    if sample.mask is not None:
        try:
            return float(np.mean(read_mask(sample.mask))), True
        except ImageError:
            # The lesion is only there to compare with: the found one serves as well.
            pass
    if result.lesion is None:
        return None, False
    return float(np.mean(result.lesion.mask)), False
