"""K-fold cross-validation: every training image is predicted by a model that never saw it."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from pathlib import Path

from dermseg.datasets import Source, divide_into_folds, open_source
from dermseg.evaluation import Evaluation, evaluate_predictions, predict_items, write_evaluation
from dermseg.evaluation.scoring import Item
from dermseg.prediction import load_model
from dermseg.recipes import Recipe
from dermseg.training.parts import divide
from dermseg.training.run import train
from dermseg.types import Sample

__all__ = ["cross_validate"]


def cross_validate(
    recipe: Recipe,
    data: Sequence[Source],
    run: Path,
    *,
    num_folds: int,
    groups_file: Path | None = None,
    excluded_ids: Collection[str] = (),
    num_workers: int = 1,
    num_processes: int = 1,
    cache: Path | None = None,
    resume: bool = False,
) -> Evaluation:
    """Train one model per fold and score each on the fold that it never saw.

    The training images are divided by group into ``num_folds`` folds. Model k is trained in
    ``run/fold-k`` without fold k, its checkpoint chosen on a part of the other folds;
    ``run/out_of_fold`` holds the evaluation of all images together. Official validation and test
    parts are in no fold.

    Args:
        recipe: What to train.
        data: Folders of one dataset each, or of images and masks.
        run: The folder of all runs.
        num_folds: At least 2.
        groups_file: CSV with columns ``id`` and ``group``; no group is in two folds.
        excluded_ids: Ids that must not be trained on or scored.
        num_workers: As for a single run.
        num_processes: As for a single run.
        cache: As for a single run; all folds share it.
        resume: Continue where the folds were interrupted.

    Raises:
        DatasetError: If there are fewer groups than folds.
    """
    datasets = [open_source(source, recipe.data.name, groups=groups_file) for source in data]
    parts = divide(datasets, recipe.data, excluded_ids=excluded_ids)
    samples = [*parts.train, *parts.selection]
    groups = {sample.id: sample.group for sample in samples}
    folds = divide_into_folds(groups, num_folds, seed=recipe.data.seed)
    packages = [
        train(
            recipe,
            data,
            run / f"fold-{number}",
            groups_file=groups_file,
            excluded_ids={*excluded_ids, *fold},
            num_workers=num_workers,
            num_processes=num_processes,
            cache=cache,
            resume=resume,
        )
        for number, fold in enumerate(folds, start=1)
    ]
    held_out = [[sample for sample in samples if sample.id in fold] for fold in map(set, folds)]
    result = evaluate_predictions(_out_of_fold(packages, held_out), groups=groups)
    about = {
        "model": f"{recipe.name}, {num_folds} folds",
        "dataset": ", ".join(dataset.name for dataset in datasets),
        "part": "out of fold",
    }
    write_evaluation(run / "out_of_fold", result, about=about)
    return result


def _out_of_fold(packages: Sequence[Path], held_out: Sequence[Sequence[Sample]]) -> Iterator[Item]:
    for package, samples in zip(packages, held_out, strict=True):
        yield from predict_items(load_model(package), samples)
