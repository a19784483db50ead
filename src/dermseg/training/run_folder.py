"""The run folder: from which recipe and images it is, on which machine, and whether it is free."""

from __future__ import annotations

import os
import platform
import shutil
import subprocess
from collections.abc import Sequence
from importlib import metadata
from pathlib import Path

import tomlkit
import torch

from dermseg import __version__
from dermseg.datasets import (
    Dataset,
    dataset_fingerprint,
    groups_fingerprint,
)
from dermseg.datasets.pairs import PairSource, Preparation
from dermseg.errors import OutputError, UsageError
from dermseg.export import RunRecord
from dermseg.package import DataSource
from dermseg.preprocessing import UNIT_RANGE, fit_normalization
from dermseg.recipes import Recipe, parse_recipe
from dermseg.storage import LOCK, read_model, read_text, write_bytes_atomically
from dermseg.training.checkpoints import LAST
from dermseg.training.class_weights import fit_class_weights
from dermseg.training.initialization import imagenet_normalization
from dermseg.training.mask_counts import MaskCounts
from dermseg.training.parts import TrainingParts

__all__ = [
    "check_run",
    "clear_unbegun_run",
    "describe_environment",
    "describe_run",
    "find_commit",
    "open_run",
]

_PACKAGES = ("dermseg", "torch", "torchvision", "lightning", "numpy", "opencv-python-headless")


def check_run(run: Path, recipe: Recipe, *, resume: bool) -> None:
    """Refuse a folder that is taken, or was made by another recipe."""
    saved = run / "recipe.toml"
    if resume and saved.is_file():
        if parse_recipe(read_text(saved), source=str(saved)) != recipe:
            message = f"{run} was made by another recipe: resume with {saved}"
            raise UsageError(message)
        return
    if run.exists() and not (run.is_dir() and _is_free(run, resume=resume)):
        message = f"{run} is no empty folder: choose a new one, or continue a run with --resume"
        raise UsageError(message)


def open_run(run: Path, recipe: Recipe, record: RunRecord) -> None:
    """Make a run folder, or check that an old one was made from the same images."""
    old = run / "run.json"
    if old.is_file():
        before = read_model(old, RunRecord, what="the record of a run")
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


def clear_unbegun_run(run: Path) -> None:
    """Empty the folder of a run that has no epoch: it would stand in the way of the next try."""
    if (run / LAST).is_file():
        return
    for path in run.iterdir():
        if path.is_dir():
            shutil.rmtree(path)
        elif path.name != LOCK:  # which is held, and leaves with the folder
            path.unlink()


def describe_run(
    recipe: Recipe,
    datasets: Sequence[Dataset],
    parts: TrainingParts,
    pairs: PairSource,
    counts: MaskCounts,
) -> RunRecord:
    """Fit what a run fits to its images, and record them and the machine.

    Every pair is read, so that a damaged one is found now and not after hours.

    Args:
        recipe: What is trained.
        datasets: Where the images are from.
        parts: What each is used for.
        pairs: Reads them.
        counts: Counts what the masks hold.

    Raises:
        ImageError: If an image or a mask cannot be read.
        DatasetError: If a class with fitted weights is in no mask.
    """
    size = recipe.preprocessing.size
    classes = Preparation.of(recipe).inputs
    read = counts.count(pairs(sample, size) for sample in parts.train)
    normalization = fit_normalization(pair.image for pair in read)
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


def describe_environment() -> dict[str, str]:
    """Python, packages, machine and threads, which the last digits of a result depend on."""
    accelerator = torch.cuda.get_device_name() if torch.cuda.is_available() else "none"
    return {
        "python": platform.python_version(),
        "platform": platform.platform(),
        "cores": str(os.cpu_count()),
        "threads": str(torch.get_num_threads()),
        "cpu_capability": torch.backends.cpu.get_cpu_capability(),
        "accelerator": accelerator,
        **{name: metadata.version(name) for name in _PACKAGES},
    }


def find_commit() -> str:
    """The commit of the source tree, or the version of an installed package."""
    root = Path(__file__).parents[3]
    if not (root / "pyproject.toml").is_file():
        return f"dermseg {__version__}"
    commit = _ask_git(root, "rev-parse", "HEAD")
    if not commit:
        return f"dermseg {__version__}"
    changed = _ask_git(root, "status", "--porcelain", "--untracked-files=no")
    return f"{commit}-dirty" if changed else commit


def _ask_git(root: Path, *words: str) -> str:
    """What git says of the source tree, without a lock in it; empty where there is no git."""
    call = ["git", "--no-optional-locks", *words]
    try:
        result = subprocess.run(  # noqa: S603 -- our own words
            call, cwd=root, capture_output=True, text=True, check=False
        )
    except FileNotFoundError:
        return ""
    return result.stdout.strip()


def _is_free(run: Path, *, resume: bool) -> bool:
    names = {path.name for path in run.iterdir()} - {LOCK}
    if resume:
        # What a run leaves that was killed before its recipe was in place.
        names -= {(run / LAST).parent.name, *(path.name for path in run.glob(".dermseg-*.tmp"))}
    return not names
