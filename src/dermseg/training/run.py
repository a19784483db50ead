"""A training run: one folder that can be interrupted, continued and repeated.

The run folder gets ``recipe.toml``, ``split.json``, ``run.json`` (fingerprints, ids, environment),
``metrics.csv``, ``tensorboard/``, ``checkpoints/`` and, at the end, the package ``model/``,
``curves.png``, ``roc.png``, ``predictions.png`` and ``overlays/``; and, where the test part is not
an official one, its ``roc-test.png``.
"""

from __future__ import annotations

import logging
from collections import Counter
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from dermseg.calibration.thresholds import fit_kernels, fit_thresholds
from dermseg.datasets import Dataset, write_split
from dermseg.datasets.class_masks import is_lesion_only
from dermseg.datasets.listing import list_some
from dermseg.datasets.pairs import PairSource
from dermseg.errors import MissingExtraError, PackageError, RecipeError
from dermseg.export import describe_package, export_run, tune_package
from dermseg.package import Score
from dermseg.prediction import load_model
from dermseg.recipes import Recipe
from dermseg.storage import lock_folder
from dermseg.training.batches import SegmentationDataModule
from dermseg.training.data import open_pairs
from dermseg.training.final_scores import FinalScores, score_model
from dermseg.training.fitting import fit
from dermseg.training.machine import possible_workers
from dermseg.training.mask_counts import MaskCounts
from dermseg.training.module import check_recipe
from dermseg.training.parts import TrainingParts, divide
from dermseg.training.pictures import draw_curves, draw_overlays, draw_predictions, draw_roc
from dermseg.training.repeat_factor import find_shown, repeat_factors
from dermseg.training.run_folder import (
    check_run,
    clear_unbegun_run,
    describe_run,
    open_run,
)
from dermseg.training.training_data import TrainingData
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

    The same recipe, images and number of threads give the same weights on a CPU, also when the run
    was killed and resumed.

    Args:
        recipe: What to train.
        data: What to train on.
        run: The run folder; new, unless ``resume``.
        num_workers: Processes that read and augment images; does not change the result.
        num_processes: Processes that share each batch; batch norm takes its statistics from each
            process's share, so only networks without it give the same result as one process.
        resume: Continue after the last whole epoch.

    Returns:
        The folder of the model package.

    Raises:
        UsageError: If the run folder is there or, with ``resume``, of another recipe or images.
        RecipeError: If the recipe cannot be trained.
        DatasetError: If the data cannot be recognised, paired or split.
        ImageError: If an image or a mask cannot be read.
        OutputError: If the run folder cannot be written.
        DivergenceError: If the loss is no longer a number.
        KeyboardInterrupt: If it is interrupted, also by SIGTERM.
    """
    check_run(run, recipe, resume=resume)
    check_recipe(recipe)
    with lock_folder(run):
        return _train(recipe, data, run, num_workers=num_workers, num_processes=num_processes)


def _train(
    recipe: Recipe, data: TrainingData, run: Path, *, num_workers: int, num_processes: int
) -> Path:
    datasets, parts = _divide(recipe, data)
    _name_left_out(datasets)
    if data.quick:
        parts = parts.reduced()
    _logger.info("%s", parts)
    pairs = open_pairs(recipe, [*parts.train, *parts.selection], data.cache)
    counts = MaskCounts(recipe.classes)
    record = describe_run(recipe, datasets, parts, pairs, counts)
    for warning in counts.find_warnings():
        _logger.warning("%s", warning)
    open_run(run, recipe, record)
    if (run / "model" / "model.json").is_file():
        _logger.info("%s is finished", run)
        return run / "model"
    write_split(run / "split.json", parts.to_split(recipe.data.seed))
    images = SegmentationDataModule(
        parts.train,
        parts.selection,
        recipe,
        record.normalization,
        num_workers=possible_workers(num_workers),
        pairs=pairs,
        repeats=_find_repeats(recipe, parts, pairs),
    )
    weights = record.class_weights
    _report_class_weights(weights, recipe)
    if recipe.lr_factors != recipe.training.lr_factors:
        _logger.info("the encoder begins at random weights: training.lr_factors leaves it out")
    try:
        fit(recipe, images, run, num_processes=num_processes, class_weights=weights)
    except (MissingExtraError, PackageError, RecipeError):
        clear_unbegun_run(run)
        raise
    return _finish(run, _name_apart(parts.selection), _name_apart(parts.test))


def _divide(recipe: Recipe, data: TrainingData) -> tuple[list[Dataset], TrainingParts]:
    """The datasets, pseudo-labels among them, and what each of their images is used for."""
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
    return (datasets if pseudo is None else [*datasets, pseudo]), parts


def _name_left_out(datasets: Sequence[Dataset]) -> None:
    for dataset in datasets:
        if dataset.orphans:
            named = list_some([str(orphan) for orphan in dataset.orphans])
            _logger.warning(
                "%d files of %s are left out: %s", len(dataset.orphans), dataset.root, named
            )


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


def _report_class_weights(weights: Sequence[float] | None, recipe: Recipe) -> None:
    if weights is None:
        return
    named = zip(("background", *recipe.classes), weights, strict=True)
    listed = ", ".join(f"{name} {weight:.4g}" for name, weight in named)
    _logger.info("class weights, from the training masks: %s", listed)


def _finish(run: Path, selection: Sequence[Sample], test: Sequence[Sample]) -> Path:
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
    _warn_of_useless_masks(final)
    draw_curves(run, classes, kept_epoch=predictor.spec.provenance.best_epoch)
    draw_roc(final.pixels, run / "roc.png")
    if test:
        draw_roc(score_model(predictor, test).pixels, run / "roc-test.png")
    draw_overlays(predictor, selection, final.scores, run / "overlays")
    draw_predictions(predictor, selection, run / "predictions.png")
    unfinished.rename(package)
    return package


def _warn_of_useless_masks(final: FinalScores) -> None:
    names = [name for name in ("mean_jaccard", "pooled_jaccard") if name in final.figures]
    reached = final.figures[names[0]].value
    counts = [score.counts for score in final.scores]
    if all(count.fn == count.tn == 0 for count in counts):
        finding = "marks every pixel of every image"
    elif reached < _NOTHING:
        finding = "finds next to nothing"
    else:
        return
    _logger.warning(
        "this model %s: Jaccard index %.4f on the %d images that chose the checkpoint. Look at "
        "predictions.png and curves.png in the run folder, let `dermseg data check` look at the "
        "masks, or train longer",
        finding,
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
