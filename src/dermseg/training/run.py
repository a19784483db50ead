"""A training run: one folder that can be interrupted, continued and repeated."""

from __future__ import annotations

import logging
from collections import Counter
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import tomlkit

from dermseg.calibration.thresholds import fit_kernels, fit_thresholds
from dermseg.datasets import (
    Dataset,
    dataset_fingerprint,
    groups_fingerprint,
    write_split,
)
from dermseg.datasets.class_masks import is_lesion_only
from dermseg.datasets.pairs import PairSource, Preparation
from dermseg.errors import OutputError, UsageError
from dermseg.export import RunRecord, describe_package, export_run, tune_package
from dermseg.package import DataSource, Score
from dermseg.prediction import load_model
from dermseg.preprocessing import UNIT_RANGE, fit_normalization
from dermseg.recipes import Recipe, parse_recipe
from dermseg.storage import write_bytes_atomically
from dermseg.training.checkpoints import LAST
from dermseg.training.checks import check_recipe
from dermseg.training.class_weights import fit_class_weights
from dermseg.training.data import SegmentationDataModule
from dermseg.training.environment import describe_environment, find_commit
from dermseg.training.final_scores import FinalScores, score_model
from dermseg.training.fitting import fit
from dermseg.training.initialization import imagenet_normalization
from dermseg.training.pairs import open_pairs
from dermseg.training.parts import TrainingData, TrainingParts, divide
from dermseg.training.pictures import draw_curves, draw_overlays, draw_predictions, draw_roc
from dermseg.training.repeat_factor import find_shown, repeat_factors
from dermseg.types import Sample

__all__ = ["train"]

_logger = logging.getLogger(__name__)

_NOTHING = 0.02
"""Jaccard index below which a model is said to find nothing."""

_SELECTION = "the selection part of the training images"
_UNTUNED = "with the thresholds and kernels of the recipe"
_TUNED = "with thresholds and kernels fitted to them"


def train(
    recipe: Recipe,
    data: TrainingData,
    run: Path,
    *,
    num_workers: int = 1,
    num_processes: int = 1,
    resume: bool = False,
) -> Path:
    """Train a recipe and write its model package.

    The run folder gets ``recipe.toml``, ``split.json``, ``run.json`` (fingerprints, ids,
    environment), ``metrics.csv``, ``tensorboard/``, ``checkpoints/`` and, at the end, the package
    ``model/``, ``curves.png``, ``roc.png``, ``predictions.png`` and ``overlays/``. The same recipe,
    images and number of threads give the same weights on a CPU, also when the run was killed and
    resumed.

    Args:
        recipe: What to train.
        data: What to train on.
        run: The run folder; new, unless ``resume``.
        num_workers: Processes that read and augment images; does not change the result.
        num_processes: Processes that share each batch. Networks with batch norm take their
            statistics from each process's share, so only those without it give the same result
            as one process.
        resume: Continue after the last whole epoch.

    Returns:
        The folder of the model package.

    Raises:
        UsageError: If the run folder is there (or, with ``resume``, made from another recipe or
            other images).
        RecipeError: If the recipe cannot be trained.
        DatasetError: If the data cannot be recognised, paired or split.
        ImageError: If an image or a mask cannot be read.
        OutputError: If the run folder cannot be written.
        DivergenceError: If the loss is no longer a number.
        KeyboardInterrupt: If it is interrupted, also by SIGTERM.
    """
    _check_run(run, recipe, resume=resume)
    check_recipe(recipe)
    datasets = data.open(recipe)
    pseudo = data.open_pseudo_labels()
    parts = divide(
        datasets,
        recipe.data,
        classes=recipe.classes,
        needs_lesion=recipe.lesion_crop is not None,
        split_file=data.split_file,
        excluded_ids=data.excluded_ids,
        pseudo=() if pseudo is None else pseudo.samples,
    )
    _logger.info("%s", parts)
    pairs = open_pairs(recipe, [*parts.train, *parts.selection], data.cache)
    used = datasets if pseudo is None else [*datasets, pseudo]
    record = _describe(recipe, used, parts, pairs)
    _open_run(run, recipe, record)
    if (run / "model" / "model.json").is_file():
        _logger.info("%s is finished", run)
        return run / "model"
    write_split(run / "split.json", parts.to_split(recipe.data.seed))
    images = SegmentationDataModule(
        parts.train,
        parts.selection,
        recipe,
        record.normalization,
        num_workers=num_workers,
        pairs=pairs,
        repeats=_find_repeats(recipe, parts, pairs),
    )
    _report_class_weights(record, recipe)
    fit(
        recipe,
        images,
        run,
        num_processes=num_processes,
        class_weights=record.class_weights,
    )
    return _finish(run, _name_apart(parts.selection))


def _find_repeats(
    recipe: Recipe, parts: TrainingParts, pairs: PairSource
) -> Sequence[float] | None:
    if recipe.training.repeat_share is None:
        return None
    shown = find_shown(recipe, parts.train, pairs)
    repeats = repeat_factors(shown, recipe.training.repeat_share)
    counts = zip(recipe.classes, shown.sum(axis=0).tolist(), strict=True)
    _logger.info(
        "images with %s; images with a rare class are shown up to %.1f times an epoch",
        ", ".join(f"{name}: {count}" for name, count in counts),
        repeats.max(),
    )
    return [float(value) for value in repeats]


def _report_class_weights(record: RunRecord, recipe: Recipe) -> None:
    if record.class_weights is None:
        return
    named = zip(("background", *recipe.classes), record.class_weights, strict=True)
    weights = ", ".join(f"{name} {weight:.4g}" for name, weight in named)
    _logger.info("class weights, from the training masks: %s", weights)


def _finish(run: Path, selection: Sequence[Sample]) -> Path:
    """Export, score on the selection part, draw the pictures; the package is put in place last."""
    unfinished, package = run / "unfinished-model", run / "model"
    export_run(run, unfinished, overwrite=True)
    predictor = load_model(unfinished)
    final = score_model(predictor, selection)
    classes = predictor.spec.classes
    if is_lesion_only(classes):
        describe_package(unfinished, scores=[_score(final, _SELECTION)])
    else:
        describe_package(unfinished, scores=[_score(final, f"{_SELECTION}, {_UNTUNED}")])
        options = fit_thresholds(predictor.spec.postprocessing, classes, final.pixels)
        options = fit_kernels(predictor, selection, options)
        if options != predictor.spec.postprocessing:
            tune_package(unfinished, options)
            predictor = load_model(unfinished)
            final = score_model(predictor, selection)
            describe_package(unfinished, scores=[_score(final, f"{_SELECTION}, {_TUNED}")])
    _warn_of_nothing_found(final)
    draw_curves(run, classes)
    draw_roc(final.pixels, run / "roc.png")
    draw_overlays(predictor, selection, final.scores, run / "overlays")
    draw_predictions(predictor, selection, run / "predictions.png")
    unfinished.rename(package)
    return package


def _warn_of_nothing_found(final: FinalScores) -> None:
    names = [name for name in ("mean_jaccard", "pooled_jaccard") if name in final.figures]
    reached = final.figures[names[0]].value
    if reached < _NOTHING:
        _logger.warning(
            "this model finds next to nothing: Jaccard index %.4f on the %d images that chose the "
            "checkpoint. Look at predictions.png and curves.png in the run folder, let `dermseg "
            "data check` look at the masks, or train longer",
            reached,
            len(final.scores),
        )


def _name_apart(samples: Sequence[Sample]) -> list[Sample]:
    """Number what has one id: a photograph that is in several datasets has a mask in each."""
    times = Counter[str]()
    named = []
    for sample in samples:
        times[sample.id] += 1
        number = times[sample.id]
        named.append(sample if number == 1 else replace(sample, id=f"{sample.id}_{number}"))
    return named


def _score(final: FinalScores, on: str) -> Score:
    return Score(
        on=on,
        num_images=len(final.scores),
        used_for_selection=True,
        values={
            name: (interval.value, interval.low, interval.high)
            for name, interval in final.figures.items()
        },
    )


def _check_run(run: Path, recipe: Recipe, *, resume: bool) -> None:
    """Refuse a folder that is taken, or was made by another recipe."""
    saved = run / "recipe.toml"
    if resume and saved.is_file():
        if parse_recipe(saved.read_text("utf-8"), source=str(saved)) != recipe:
            message = f"{run} was made by another recipe: resume with {saved}"
            raise UsageError(message)
        return
    if run.exists() and not (run.is_dir() and _is_free(run, resume=resume)):
        message = f"{run} is no empty folder: choose a new one, or continue a run with --resume"
        raise UsageError(message)


def _is_free(run: Path, *, resume: bool) -> bool:
    names = {path.name for path in run.iterdir()}
    if resume:
        # What a run leaves that was killed before its recipe was in place.
        names -= {(run / LAST).parent.name, *(path.name for path in run.glob(".dermseg-*.tmp"))}
    return not names


def _open_run(run: Path, recipe: Recipe, record: RunRecord) -> None:
    """Make a run folder, or check that an old one was made from the same images."""
    old = run / "run.json"
    if old.is_file():
        before = RunRecord.model_validate_json(old.read_bytes())
        if (
            before.model_copy(update={"commit": record.commit, "environment": record.environment})
            != record
        ):
            message = (
                f"{run} was made from other images or parts: resume with the same --data, --split, "
                "--groups, --presence and --exclude, or choose a new folder"
            )
            raise UsageError(message)
    try:
        (run / LAST).parent.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        message = f"{run}: cannot be made: {error.strerror}"
        raise OutputError(message) from error
    write_bytes_atomically(run / "recipe.toml", tomlkit.dumps(recipe.to_dict()).encode())
    write_bytes_atomically(old, record.model_dump_json(indent=1).encode())


def _describe(
    recipe: Recipe, datasets: Sequence[Dataset], parts: TrainingParts, pairs: PairSource
) -> RunRecord:
    # Reads every pair, so that a damaged one is found now and not after hours.
    size = recipe.preprocessing.size
    classes = Preparation.of(recipe).inputs
    normalization = fit_normalization(pairs(sample, size).image for sample in parts.train)
    if recipe.preprocessing.normalization == "unit":
        normalization = UNIT_RANGE
    elif recipe.preprocessing.normalization == "imagenet":
        normalization = imagenet_normalization(recipe.network)
    for sample in parts.selection:
        pairs(sample, size)
    return RunRecord(
        normalization=normalization,
        data=[
            DataSource(
                name=dataset.name,
                licence=dataset.licence,
                fingerprint=dataset_fingerprint(dataset.samples, classes=classes),
                num_images=len(dataset.samples),
                groups=groups_fingerprint(dataset.samples),
            )
            for dataset in datasets
        ],
        training_ids=sorted({sample.id for sample in parts.train}),
        selection_ids=sorted({sample.id for sample in parts.selection}),
        commit=find_commit(),
        environment=describe_environment(),
        class_weights=fit_class_weights(recipe, parts.train, pairs),
    )
