"""A training run: one folder that can be interrupted, continued and repeated."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from pathlib import Path

import tomlkit
from rich.console import Console

from dermseg.datasets import Dataset, dataset_fingerprint, open_dataset, write_split
from dermseg.errors import OutputError, UsageError
from dermseg.evaluation import evaluate_model
from dermseg.export import RunRecord, add_score, export_run
from dermseg.images import read_image, write_bytes_atomically
from dermseg.package import DataSource, Score
from dermseg.prediction import load_model
from dermseg.preprocessing import UNIT_RANGE, fit_normalization, resize_image
from dermseg.recipes import Recipe, parse_recipe
from dermseg.training.checkpoints import LAST
from dermseg.training.data import SegmentationDataModule
from dermseg.training.environment import describe_environment, find_commit
from dermseg.training.fitting import fit
from dermseg.training.parts import TrainingParts, divide
from dermseg.training.pictures import draw_curves, draw_predictions

__all__ = ["RunOptions", "train"]


@dataclass(frozen=True)
class RunOptions:
    """What may differ between runs without changing their result.

    Attributes:
        num_workers: Processes that read and augment images, for each that trains.
        num_processes: Processes that share each batch. Networks with batch norm then take their
            statistics from each process's share, so that only those without it give the same
            result as one process.
        resume: Continue after the last whole epoch.
    """

    num_workers: int = 1
    num_processes: int = 1
    resume: bool = False


def train(
    recipe: Recipe,
    data: Sequence[Path],
    run: Path,
    *,
    split_file: Path | None = None,
    excluded_ids: Collection[str] = (),
    options: RunOptions | None = None,
) -> Path:
    """Train a recipe and write its model package.

    The run folder gets ``recipe.toml``, ``split.json``, ``run.json`` (environment, fingerprints,
    ids), ``metrics.csv``, ``tensorboard/``, ``checkpoints/`` and, at the end, the package
    ``model/``, ``curves.png`` and ``predictions.png``. The same recipe, images and number of
    threads give the same weights on a CPU, also when the run was killed and resumed.

    Args:
        recipe: What to train.
        data: Folders of one dataset each.
        run: The run folder; new, unless resumed.
        split_file: A split to use instead of the official or a seeded one.
        excluded_ids: Ids that must not be trained on.
        options: How to run it.

    Returns:
        The folder of the model package.

    Raises:
        UsageError: If the run folder is there (or, resumed, was made by another recipe).
        DatasetError: If the data cannot be recognised, paired or split.
        RunError: If the loss is no longer a number, or memory or disk run out.
    """
    options = options or RunOptions()
    console = Console(stderr=True)
    package = run / "model"
    _open_run(run, recipe, resume=options.resume)
    if (package / "model.json").is_file():
        console.print(f"{run} is finished; its model is {package}")
        return package
    datasets = [open_dataset(folder, recipe.data.name) for folder in data]
    parts = divide(datasets, recipe.data, split_file=split_file, excluded_ids=excluded_ids)
    console.print(
        f"{len(parts.train)} images to train on, {len(parts.selection)} to choose the checkpoint; "
        f"{len(parts.evaluation_ids)} kept for evaluation, {parts.num_dropped} dropped from "
        "training because they are to be evaluated or excluded"
    )
    record = _describe(recipe, datasets, parts)
    write_split(run / "split.json", parts.to_split(recipe.data.seed))
    write_bytes_atomically(run / "run.json", record.model_dump_json(indent=1).encode())
    images = SegmentationDataModule(
        parts.train,
        parts.selection,
        recipe,
        record.normalization,
        num_workers=options.num_workers,
    )
    fit(
        recipe,
        images,
        run,
        num_processes=options.num_processes,
        is_shown=console.is_terminal,
    )
    return _finish(run, parts)


def _finish(run: Path, parts: TrainingParts) -> Path:
    """Export, score on the selection part, draw the pictures; the package comes last."""
    unscored = run / "unscored-model"
    export_run(run, unscored, overwrite=True)
    predictor = load_model(unscored)
    evaluation = evaluate_model(predictor, parts.selection)
    score = Score(
        on="selection part of the training images",
        num_images=evaluation.num_scored,
        used_for_selection=True,
        values={
            name: (interval.value, interval.low, interval.high)
            for name, interval in evaluation.aggregates.items()
        },
    )
    add_score(unscored, score)
    draw_curves(run)
    draw_predictions(predictor, parts.selection, run / "predictions.png")
    package = run / "model"
    unscored.rename(package)
    return package


def _open_run(run: Path, recipe: Recipe, *, resume: bool) -> None:
    """Make a run folder, or check that an old one was made by the same recipe."""
    saved = run / "recipe.toml"
    if resume and saved.is_file():
        if parse_recipe(saved.read_text("utf-8"), source=str(saved)) != recipe:
            message = f"{run} was made by another recipe: resume with {saved}"
            raise UsageError(message)
        return
    if run.is_dir() and any(run.iterdir()):
        message = f"{run} is not empty: choose a new folder, or continue a run with --resume"
        raise UsageError(message)
    try:
        (run / LAST).parent.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        message = f"{run}: cannot be made: {error.strerror}"
        raise OutputError(message) from error
    write_bytes_atomically(saved, tomlkit.dumps(recipe.to_dict()).encode())


def _describe(recipe: Recipe, datasets: Sequence[Dataset], parts: TrainingParts) -> RunRecord:
    normalization = UNIT_RANGE
    if recipe.preprocessing.normalization == "train":
        size = recipe.preprocessing.size
        normalization = fit_normalization(
            resize_image(read_image(sample.image), size) for sample in parts.train
        )
    return RunRecord(
        normalization=normalization,
        data=[
            DataSource(
                name=dataset.name,
                licence=dataset.licence,
                fingerprint=dataset_fingerprint(dataset.samples),
                num_images=len(dataset.samples),
            )
            for dataset in datasets
        ],
        training_ids=sorted({sample.id for sample in parts.train}),
        selection_ids=sorted({sample.id for sample in parts.selection}),
        commit=find_commit(),
        environment=describe_environment(),
    )
