"""Fit all estimates that a package carries of its own reliability; write them into a copy."""

from __future__ import annotations

import logging
from collections.abc import Iterable, Sequence
from dataclasses import replace
from itertools import chain
from pathlib import Path
from typing import Any, Final

import numpy as np

from dermseg.calibration.attributes import fit_attributes
from dermseg.calibration.expected_quality import fit_quality
from dermseg.calibration.held_out import HeldOut, find_held_out, find_unseen
from dermseg.calibration.logistic import FEWEST_GROUPS
from dermseg.calibration.out_of_distribution import Kind, fit_out_of_distribution
from dermseg.calibration.scaling import ReliabilityCounts, fit_scaling
from dermseg.calibration.thresholds import fit_threshold
from dermseg.datasets import Dataset
from dermseg.datasets.class_masks import is_lesion_only
from dermseg.errors import UsageError
from dermseg.evaluation.image_score import BORDER_WIDTH
from dermseg.export import copy_package
from dermseg.images import read_image
from dermseg.metrics import jaccard
from dermseg.package import Calibration, ModelPackage, ModelSpec, load_package
from dermseg.phantom import (
    PICTURES,
    PhantomOptions,
    create_phantom,
    create_picture,
    create_plain_skin,
)
from dermseg.phantom.chromophores import change_skin_tone
from dermseg.prediction import Prediction, Predictor
from dermseg.preprocessing import to_unit_range
from dermseg.types import BoolMask, ImageArray, Sample

__all__ = ["calibrate_package"]

_logger = logging.getLogger(__name__)

# Density of melanin added to photographs: 0.5 makes light skin tan, 1 dark.
_ADDED_MELANIN: Final = (0.3, 1.8)
# Individual typology angles of generated dark skin, from dark to tan.
_DARK_TONES: Final = (-60.0, 28.0)


def calibrate_package(
    model: str | Path,
    datasets: Sequence[Dataset],
    destination: Path,
    *,
    folds: Path | None = None,
    threshold_data: Dataset | None = None,
    num_generated: int = 300,
    overwrite: bool = False,
) -> ModelSpec:
    """Write a copy of a model with fitted estimates of its reliability.

    Fitted for a lesion model are temperature and bias, the threshold of the lesion, the expected
    quality, and what is out-of-distribution. The held-out images are predicted three times, one
    after the other; only counts and a few numbers of each are kept. For a model of attributes see
    `fit_attributes`.

    Args:
        model: A shipped model's name, or a package's folder.
        datasets: Those that it was trained on.
        destination: Folder of the copy.
        folds: A folder of `cross_validate` of the same recipe, for out-of-fold predictions; None
            takes the images that chose the checkpoint; its figures on them flatter.
        threshold_data: Images of another camera, which neither the model nor the folds have seen,
            to choose the threshold on; None takes the held-out images. Models of folds that are
            sources draw borders wider or tighter than one of all sources.
        num_generated: Generated images of each kind, for what is out-of-distribution; of pictures
            that show anything else, as many of each of ``PICTURES``.
        overwrite: Whether an older package may be replaced.

    Raises:
        UsageError: If hardly an image was held out, the folds do not fit (see `find_held_out`),
            there is ``threshold_data`` for attributes, or ``destination`` is there.
        ImageError: If an image or a mask cannot be read.
        OutputError: If the copy cannot be written.
    """
    package = load_package(model)
    held_out = _find_enough(package, datasets, folds)
    if not is_lesion_only(package.spec.classes):
        if threshold_data is not None:
            message = "threshold_data is for models of the lesion alone: leave it out"
            raise UsageError(message)
        return copy_package(package, destination, fit_attributes(held_out), overwrite=overwrite)
    chooses = held_out if threshold_data is None else find_unseen(package, threshold_data)
    update = _fit(held_out, chooses, num_generated)
    return copy_package(package, destination, update, overwrite=overwrite)


def _find_enough(package: ModelPackage, datasets: Sequence[Dataset], folds: Path | None) -> HeldOut:
    """Find held-out images, and refuse too few."""
    held_out = find_held_out(package, datasets, folds)
    num_groups = len({sample.group for sample in held_out.samples})
    if num_groups < FEWEST_GROUPS:
        message = (
            f"{num_groups} images or groups were held out in training, expected at least "
            f"{FEWEST_GROUPS}, and better hundreds: use --folds"
        )
        raise UsageError(message)
    return held_out


def _fit(held_out: HeldOut, chooses: HeldOut, num_generated: int) -> dict[str, Any]:
    """Fit everything, one after the other; the threshold on ``chooses``.

    Returns:
        The fields of ``ModelSpec`` that change.
    """
    scaling, before = fit_scaling(held_out)
    _logger.info("temperature %s, bias %s on %d images", *scaling.values(), len(held_out.samples))
    package = held_out.package
    options = fit_threshold(chooses, scaling, package.spec.postprocessing)
    fitted = {**scaling, "postprocessing": options}
    found = _Found()
    for sample, prediction, truth in held_out.predict(**fitted):
        found.add(prediction, truth, sample.group)
    after = found.pixels.reliability()
    _logger.info("threshold %s; ECE %.4f, now %.4f", options.threshold, before.error, after.error)
    quality = fit_quality(found.described, found.jaccards, found.groups)
    predictor = Predictor(replace(package, spec=package.spec.model_copy(update=fitted)))
    out_of_distribution = fit_out_of_distribution(
        Kind(found.described, found.groups),
        _describe_dark(predictor, held_out.samples, num_generated),
        *(Kind.ungrouped(_describe_all(predictor, each)) for each in _generate(num_generated)),
        threshold=options.threshold,
    )
    calibration = Calibration(
        on=held_out.on,
        num_images=len(held_out.samples),
        border_width=BORDER_WIDTH,
        threshold_on=chooses.on,
        before=before,
        after=after,
    )
    return {
        **fitted,
        "calibration": calibration,
        "quality": quality,
        "out_of_distribution": out_of_distribution,
    }


def _generate(number: int) -> list[Iterable[ImageArray]]:
    """Phantoms, plain skin and pictures, made as they are needed."""
    return [
        (create_phantom(seed).image for seed in range(number)),
        (create_plain_skin(seed) for seed in range(number)),
        (create_picture(seed) for seed in range(number * len(PICTURES))),
    ]


def _describe_dark(predictor: Predictor, samples: Sequence[Sample], number: int) -> Kind:
    """Photographs with melanin added everywhere, and generated images of dark skin."""
    rng = np.random.default_rng(0)
    chosen = [samples[row] for row in rng.permutation(len(samples))[:number].tolist()]
    densities = rng.uniform(*_ADDED_MELANIN, len(chosen)).tolist()
    tones = rng.uniform(*_DARK_TONES, number).tolist()
    photographs = (
        _darken(read_image(sample.image), density)
        for sample, density in zip(chosen, densities, strict=True)
    )
    phantoms = (
        create_phantom(number + seed, options=PhantomOptions(ita_degrees=tone)).image
        for seed, tone in enumerate(tones)
    )
    groups = [sample.group for sample in chosen] + [f"phantom {seed}" for seed in range(number)]
    return Kind(_describe_all(predictor, chain(photographs, phantoms)), groups)


def _darken(image: ImageArray, density: float) -> ImageArray:
    colors = change_skin_tone(to_unit_range(image), density)
    return np.asarray(colors * 255 + 0.5, np.uint8)


def _describe_all(predictor: Predictor, images: Iterable[ImageArray]) -> list[dict[str, float]]:
    return [prediction.described for prediction in predictor.predict_many(images)]


class _Found:
    """Features and scores of the calibrated model's predictions, image by image."""

    def __init__(self) -> None:
        self.pixels = ReliabilityCounts()
        self.described: list[dict[str, float]] = []
        self.jaccards: list[float] = []
        self.groups: list[str] = []

    def add(self, prediction: Prediction, truth: BoolMask, group: str) -> None:
        self.pixels.add(prediction, truth)
        self.described.append(prediction.described)
        self.jaccards.append(jaccard(prediction.mask, truth))
        self.groups.append(group)
