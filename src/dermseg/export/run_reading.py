"""Read what a finished training run left in its folder."""

from __future__ import annotations

import pickle
import zipfile
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from pydantic import BaseModel, ConfigDict, Field

from dermseg.errors import UsageError
from dermseg.networks import SegmentationNetwork, create_network
from dermseg.package import DataSource, ModelSpec, load_package
from dermseg.preprocessing import Normalization
from dermseg.recipes import Recipe, parse_recipe
from dermseg.storage import read_model, read_table, read_text

__all__ = ["FinishedRun", "RunRecord", "read_run"]

# What reading a folder that is no whole run, or a damaged checkpoint, can raise.
_UNREADABLE = (
    OSError,
    EOFError,
    ValueError,
    TypeError,
    AttributeError,
    LookupError,
    RuntimeError,
    pickle.UnpicklingError,
    zipfile.BadZipFile,
)


class RunRecord(BaseModel):
    """The record of a training run, ``run.json``, besides recipe, split and checkpoints.

    Attributes:
        class_weights: Fitted on the training masks, the background's first, if a loss asks.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    normalization: Normalization
    data: list[DataSource]
    training_ids: list[str]
    selection_ids: list[str]
    commit: str
    environment: dict[str, str] = Field(default_factory=dict)
    class_weights: list[float] | None = None


@dataclass(frozen=True)
class FinishedRun:
    """A run and its best network.

    Attributes:
        folder: Where it is.
        recipe: What was trained.
        record: On what, and how colours were normalised.
        network: With the weights of the best epoch, in eval mode.
        best_epoch: Counted from 1.
        num_epochs: How many were trained, which may be fewer than the recipe allows.
        fitted: The run's own package, if thresholds and kernels were fitted; else None.
    """

    folder: Path
    recipe: Recipe
    record: RunRecord
    network: SegmentationNetwork
    best_epoch: int
    num_epochs: int
    fitted: ModelSpec | None


def read_run(run: Path) -> FinishedRun:
    """Read a run folder with ``recipe.toml``, ``run.json`` and ``checkpoints/best.ckpt``.

    Raises:
        UsageError: If it is no finished run.
    """
    try:
        recipe = parse_recipe(read_text(run / "recipe.toml"), source=str(run / "recipe.toml"))
        record = read_model(run / "run.json", RunRecord, what="the record of a run")
        checkpoint = _read_checkpoint(run / "checkpoints" / "best.ckpt")
        network = _restore_network(recipe, checkpoint)
        best_epoch = int(checkpoint["epoch"]) + 1
    except (*_UNREADABLE, UsageError) as error:
        reason = str(error).strip().partition("\n")[0]
        message = f"{run}: not a run folder with recipe.toml, run.json and a best.ckpt: {reason}"
        raise UsageError(message) from error
    metrics = run / "metrics.csv"
    num_epochs = recipe.training.epochs
    if metrics.is_file():
        num_epochs = len(read_table(metrics, what="the record of the epochs").rows)
    return FinishedRun(run, recipe, record, network, best_epoch, num_epochs, _fitted_spec(run))


def _fitted_spec(run: Path) -> ModelSpec | None:
    """Thresholds and kernels that the package of a finished run was fitted with."""
    package = run / "model"
    if not package.is_dir():
        return None
    spec = load_package(package).spec
    return None if spec.provenance.untuned_postprocessing is None else spec


def _read_checkpoint(path: Path) -> dict[str, Any]:
    if not path.is_file():
        message = f"there is no {path.name}"
        raise ValueError(message)
    with path.open("rb") as file:
        # torch takes anything else for its older format, and fails in any way.
        if not zipfile.is_zipfile(file):
            message = f"{path} is damaged"
            raise ValueError(message)
    checkpoint: dict[str, Any] = torch.load(path, map_location="cpu", weights_only=True)
    return checkpoint


def _restore_network(recipe: Recipe, checkpoint: dict[str, Any]) -> SegmentationNetwork:
    network = create_network(
        recipe.network.name,
        num_classes=recipe.num_maps,
        parameters=recipe.network.bare_parameters,
    )
    prefix = "network."
    network.load_state_dict(
        {
            key.removeprefix(prefix): value
            for key, value in checkpoint["state_dict"].items()
            if key.startswith(prefix)
        }
    )
    return network.eval()
