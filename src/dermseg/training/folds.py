"""K-fold cross-validation: every training image is predicted by a model that never saw it."""

from __future__ import annotations

from collections import deque
from collections.abc import Collection, Mapping, Sequence
from dataclasses import replace
from pathlib import Path

from dermseg.calibration.out_of_fold import keep_predictions, name_samples
from dermseg.datasets import Dataset, divide_into_folds, read_folds
from dermseg.datasets.class_masks import is_lesion_only
from dermseg.errors import UsageError
from dermseg.evaluation import (
    Evaluation,
    evaluate_attribute_folds,
    evaluate_predictions,
    write_evaluation,
)
from dermseg.prediction import load_model
from dermseg.recipes import Recipe
from dermseg.training.parts import divide
from dermseg.training.run import train
from dermseg.training.training_data import TrainingData
from dermseg.types import Sample

__all__ = ["cross_validate"]


def cross_validate(
    recipe: Recipe,
    data: TrainingData,
    run: Path,
    *,
    folds: int | Path,
    num_workers: int = 1,
    num_processes: int = 1,
    resume: bool = False,
) -> Evaluation:
    """Train one model per fold and score each on the fold that it never saw.

    The training images are divided by group into ``folds`` folds, at random or as a file says:
    with a fold per source or camera, each is predicted by a model of the others. Model k is
    trained in ``run/fold-k`` without fold k, its checkpoint chosen on a part of the other folds;
    ``run/out_of_fold`` holds the evaluation of all images together, and in ``logits`` what the
    masks were made from, see `keep_predictions`. Official validation and test parts are in no
    fold. An image that is in several datasets is in one fold with all of them, and is scored in
    each; its dataset's name then follows its id.

    Args:
        recipe: What to train.
        data: What to train on, without a split file; all folds share its cache. What is excluded
            is not scored either, and no group is in two folds.
        run: The folder of all runs.
        folds: A number of at least 2, or a CSV file with the columns ``id`` and ``fold``.
        num_workers: As for a single run.
        num_processes: As for a single run.
        resume: Continue where the folds were interrupted.

    Raises:
        UsageError: If there is a split file or there are pseudo-labels, a dataset is given twice,
            or two datasets with masks of attributes share an id.
        DatasetError: If there are fewer groups than folds, or the file does not divide the images.
    """
    _check(data)
    datasets = data.open(recipe)
    parts = divide(datasets, recipe.data, excluded_ids=data.excluded_ids)
    samples = [*parts.train, *parts.selection]
    names = name_samples(datasets, samples)
    if not is_lesion_only(recipe.classes):
        _check_ids(samples, names)
    groups = {sample.id: sample.group for sample in samples}
    divided = (
        read_folds(folds, groups)
        if isinstance(folds, Path)
        else divide_into_folds(groups, folds, seed=recipe.data.seed)
    )
    packages = [
        train(
            recipe,
            replace(data, excluded_ids={*data.excluded_ids, *fold}),
            run / f"fold-{number}",
            num_workers=num_workers,
            num_processes=num_processes,
            resume=resume,
        )
        for number, fold in enumerate(divided, start=1)
    ]
    return _evaluate(recipe, datasets, samples, names, packages, divided, run / "out_of_fold")


def _evaluate(
    recipe: Recipe,
    datasets: Sequence[Dataset],
    samples: Sequence[Sample],
    names: Mapping[Path, str],
    packages: Sequence[Path],
    folds: Sequence[Collection[str]],
    folder: Path,
) -> Evaluation:
    """Score all images together, each predicted by the model that did not see it."""
    unseen = [
        (load_model(package), [sample for sample in samples if sample.id in fold])
        for package, fold in zip(packages, map(set, folds), strict=True)
    ]
    items = (
        item
        for predictor, held_out in unseen
        for item in keep_predictions(predictor, held_out, names, folder / "logits")
    )
    if is_lesion_only(recipe.classes):
        groups_of_names = {names[sample.image]: sample.group for sample in samples}
        result = evaluate_predictions(items, groups=groups_of_names)
    else:
        # Keeps the logits; the masks are scored below.
        deque(items, maxlen=0)
        result = evaluate_attribute_folds(unseen)
    about = {
        "model": f"{recipe.name}, {len(folds)} folds",
        "dataset": ", ".join(dataset.name for dataset in datasets),
        "part": "out of fold",
    }
    write_evaluation(folder, result, about=about)
    return result


def _check(data: TrainingData) -> None:
    if data.split_file is not None:
        message = "--folds divides the training images itself: leave --split out"
        raise UsageError(message)
    if data.pseudo_labels is not None:
        message = (
            f"--folds cannot hold out what {data.pseudo_labels} tells of the images that its model "
            "was trained on: leave --pseudo-labels out"
        )
        raise UsageError(message)


def _check_ids(samples: Sequence[Sample], names: Mapping[Path, str]) -> None:
    if any(names[sample.image] != sample.id for sample in samples):
        message = (
            "--folds scores attributes by the image's id, but two datasets share ids: give one "
            "dataset"
        )
        raise UsageError(message)
