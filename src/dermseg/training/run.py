"""A training run: one folder that can be interrupted, continued and repeated."""

from __future__ import annotations

import logging
import signal
import subprocess
import warnings
from collections.abc import Collection, Sequence
from pathlib import Path

import tomlkit
from lightning.fabric.utilities.warnings import PossibleUserWarning
from lightning.pytorch import Callback, Trainer, seed_everything
from lightning.pytorch.callbacks import EMAWeightAveraging
from rich.console import Console

from dermseg import __version__
from dermseg.datasets import Dataset, dataset_fingerprint, open_dataset, write_split
from dermseg.errors import OutputError, UsageError
from dermseg.export import RunRecord, export_run
from dermseg.images import write_bytes_atomically
from dermseg.package import DataSource
from dermseg.preprocessing import UNIT_RANGE, Normalization, fit_normalization, resize_image
from dermseg.recipes import Recipe, parse_recipe
from dermseg.training.checkpoints import LAST, EpochKeeper
from dermseg.training.checks import check_recipe
from dermseg.training.data import SegmentationDataModule, read_pair
from dermseg.training.module import SegmentationModule
from dermseg.training.parts import TrainingParts, divide
from dermseg.training.precision import choose_precision

__all__ = ["train"]


def train(
    recipe: Recipe,
    data: Sequence[Path],
    run: Path,
    *,
    split_file: Path | None = None,
    excluded_ids: Collection[str] = (),
    num_workers: int = 1,
    resume: bool = False,
) -> Path:
    """Train a recipe and write its model package.

    The run folder gets ``recipe.toml``, ``split.json``, ``run.json``, ``metrics.csv``,
    ``checkpoints/`` and, at the end, the package ``model/``. The same recipe, images and number
    of threads give the same weights on a CPU, also when the run was killed and resumed.

    Args:
        recipe: What to train.
        data: Folders of one dataset each.
        run: The run folder; new, unless ``resume``.
        split_file: A split to use instead of the official or a seeded one.
        excluded_ids: Ids that must not be trained on.
        num_workers: Processes that read and augment images; does not change the result.
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
    console = Console(stderr=True)
    _check_run(run, recipe, resume=resume)
    check_recipe(recipe)
    datasets = [open_dataset(folder, recipe.data.name) for folder in data]
    parts = divide(datasets, recipe.data, split_file=split_file, excluded_ids=excluded_ids)
    console.print(
        f"{len(parts.train)} images to train on, {len(parts.selection)} to choose the checkpoint; "
        f"{len(parts.evaluation_ids)} kept for evaluation, {parts.num_dropped} dropped from "
        "training because they are to be evaluated or excluded",
        soft_wrap=True,
    )
    record = _describe(recipe, datasets, parts)
    _open_run(run, recipe, record)
    write_split(run / "split.json", parts.to_split(recipe.data.seed))
    _fit(recipe, parts, record.normalization, run, num_workers=num_workers, console=console)
    package = run / "model"
    export_run(run, package, overwrite=True)
    return package


def _check_run(run: Path, recipe: Recipe, *, resume: bool) -> None:
    """Refuse a folder that is taken, or was made by another recipe."""
    saved = run / "recipe.toml"
    if resume and saved.is_file():
        if parse_recipe(saved.read_text("utf-8"), source=str(saved)) != recipe:
            message = f"{run} was made by another recipe: resume with {saved}"
            raise UsageError(message)
        return
    is_free = not run.exists() or (run.is_dir() and not any(run.iterdir()))
    if not is_free:
        message = f"{run} is no empty folder: choose a new one, or continue a run with --resume"
        raise UsageError(message)


def _open_run(run: Path, recipe: Recipe, record: RunRecord) -> None:
    """Make a run folder, or check that an old one was made from the same images."""
    old = run / "run.json"
    if old.is_file():
        before = RunRecord.model_validate_json(old.read_bytes())
        if before.model_copy(update={"commit": record.commit}) != record:
            message = (
                f"{run} was made from other images or parts: resume with the same --data, --split "
                "and --exclude, or choose a new folder"
            )
            raise UsageError(message)
    try:
        (run / LAST).parent.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        message = f"{run}: cannot be made: {error.strerror}"
        raise OutputError(message) from error
    write_bytes_atomically(run / "recipe.toml", tomlkit.dumps(recipe.to_dict()).encode())
    write_bytes_atomically(old, record.model_dump_json(indent=1).encode())


def _describe(recipe: Recipe, datasets: Sequence[Dataset], parts: TrainingParts) -> RunRecord:
    # Reads every pair, so that a damaged one is found now and not after hours.
    size = recipe.preprocessing.size
    normalization = fit_normalization(
        resize_image(read_pair(sample)[0], size) for sample in parts.train
    )
    if recipe.preprocessing.normalization == "unit":
        normalization = UNIT_RANGE
    for sample in parts.selection:
        read_pair(sample)
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
        commit=_commit(),
    )


def _fit(
    recipe: Recipe,
    parts: TrainingParts,
    normalization: Normalization,
    run: Path,
    *,
    num_workers: int,
    console: Console,
) -> None:
    seed_everything(recipe.seed, verbose=False)
    data = SegmentationDataModule(
        parts.train, parts.selection, recipe, normalization, num_workers=num_workers
    )
    module = SegmentationModule(recipe, num_steps=data.num_batches * recipe.training.epochs)
    callbacks: list[Callback] = [EpochKeeper(run, console)]
    if recipe.training.ema_decay is not None:
        callbacks.insert(0, EMAWeightAveraging(decay=recipe.training.ema_decay))
    logging.getLogger("lightning.pytorch").setLevel(logging.WARNING)
    last = run / LAST
    with warnings.catch_warnings():
        # Hints on the number of workers, which is the caller's to choose.
        warnings.simplefilter("ignore", PossibleUserWarning)
        warnings.filterwarnings("ignore", r"`isinstance\(treespec, LeafSpec\)`", FutureWarning)
        trainer = Trainer(
            max_epochs=recipe.training.epochs,
            accelerator="auto",
            devices=1,
            precision=choose_precision(recipe.training.precision),
            gradient_clip_val=recipe.training.max_gradient_norm,
            callbacks=callbacks,
            default_root_dir=run,
            logger=False,
            enable_checkpointing=False,
            enable_model_summary=False,
            enable_progress_bar=console.is_terminal,
            num_sanity_val_steps=0,
        )
        handler = signal.getsignal(signal.SIGINT)
        try:
            trainer.fit(module, data, ckpt_path=last if last.is_file() else None)
        except SystemExit as error:
            # Lightning ends the whole program when it is interrupted, and ignores further Ctrl-C;
            # that is not its to decide.
            signal.signal(signal.SIGINT, handler)
            console.print("interrupted: continue after the last whole epoch with --resume")
            raise KeyboardInterrupt from error


def _commit() -> str:
    """The commit of the source tree, or the version of an installed package."""
    root = Path(__file__).parents[3]
    if not (root / "pyproject.toml").is_file():
        return f"dermseg {__version__}"
    try:
        result = subprocess.run(
            ["git", "describe", "--always", "--dirty", "--abbrev=40", "--exclude=*"],  # noqa: S607
            cwd=root,
            capture_output=True,
            text=True,
            check=False,
        )
    except FileNotFoundError:
        return f"dermseg {__version__}"
    return result.stdout.strip() or f"dermseg {__version__}"
