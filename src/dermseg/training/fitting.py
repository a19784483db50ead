"""Run Lightning's trainer for a recipe, and say in plain words what stopped it."""

from __future__ import annotations

import logging
import math
import multiprocessing
import warnings
from collections.abc import Sequence
from pathlib import Path
from typing import Literal

import torch
from lightning.fabric.plugins.environments.lightning import LightningEnvironment
from lightning.fabric.utilities.warnings import PossibleUserWarning
from lightning.pytorch import Callback, LightningModule, Trainer, seed_everything
from lightning.pytorch.callbacks import EarlyStopping
from lightning.pytorch.loggers import TensorBoardLogger
from lightning.pytorch.strategies import DDPStrategy, Strategy

from dermseg.errors import UsageError
from dermseg.recipes import Recipe
from dermseg.training.batches import SegmentationDataModule
from dermseg.training.checkpoints import LAST, EpochKeeper
from dermseg.training.initialization import load_initial_weights
from dermseg.training.machine import as_only_process, check_checkpoint, plain_errors
from dermseg.training.module import SegmentationModule
from dermseg.training.monitor import monitored_score
from dermseg.training.optimization import average_weights, first_steps
from dermseg.training.progress_report import ProgressReport

__all__ = ["choose_precision", "fit"]

Precision = Literal["32-true", "bf16-mixed", "16-mixed"]


def fit(
    recipe: Recipe,
    data: SegmentationDataModule,
    run: Path,
    *,
    num_processes: int,
    class_weights: Sequence[float] | None = None,
) -> None:
    """Train to the end, or from the last checkpoint on if there is one.

    Args:
        recipe: What to train.
        data: The run's images.
        run: The run folder, for checkpoints, ``metrics.csv`` and TensorBoard's events.
        num_processes: Processes that share each batch (on a CPU through gloo).
        class_weights: As fitted on the training masks, if a loss asks for them.

    Raises:
        DivergenceError: If the loss is no longer a number.
        RunError: If memory runs out.
        OutputError: If the disk is full.
        UsageError: If the batch cannot be divided among the processes, or the checkpoint is
            damaged.
    """
    options = recipe.training
    _check_batch(options.batch_size, num_processes)
    seed_everything(recipe.seed, verbose=False)
    num_steps = math.ceil(data.num_batches / options.accumulate_batches) * options.epochs
    module = SegmentationModule(recipe, num_steps=num_steps, class_weights=class_weights)
    last = run / LAST
    if last.is_file():
        check_checkpoint(last)
    elif recipe.network.initial_weights is not None:
        load_initial_weights(module.network, recipe)
    logging.getLogger("lightning.pytorch").setLevel(logging.WARNING)
    with warnings.catch_warnings(), as_only_process(), plain_errors(run):
        # Hints on the number of workers, which is the caller's to choose.
        warnings.simplefilter("ignore", PossibleUserWarning)
        warnings.filterwarnings("ignore", r"`isinstance\(treespec, LeafSpec\)`", FutureWarning)
        trainer = Trainer(
            max_epochs=options.epochs,
            accelerator="auto" if num_processes == 1 else "cpu",
            devices=num_processes,
            strategy=_strategy(num_processes),
            use_distributed_sampler=False,
            precision=choose_precision(options.precision),
            gradient_clip_val=options.max_gradient_norm,
            accumulate_grad_batches=options.accumulate_batches,
            callbacks=_callbacks(recipe, run, num_steps),
            plugins=[LightningEnvironment()],
            default_root_dir=run,
            logger=TensorBoardLogger(run, None, "tensorboard", default_hp_metric=False),
            log_every_n_steps=1,
            enable_checkpointing=False,
            enable_model_summary=False,
            enable_progress_bar=False,
            num_sanity_val_steps=0,
        )
        trainer.fit(module, data, ckpt_path=last if last.is_file() else None)


def choose_precision(name: str) -> Precision:
    """Lightning's precision for a recipe's ``float32``, ``bfloat16`` or ``auto``.

    ``auto`` takes half precision only where there are units for it: on a CPU, AMX or AVX-512
    instructions for bfloat16 (elsewhere it is emulated and slower than float32).
    """
    if name == "float32":
        return "32-true"
    if name == "bfloat16":
        return "bf16-mixed"
    if torch.cuda.is_available():
        return "bf16-mixed" if torch.cuda.is_bf16_supported() else "16-mixed"
    has_units = torch.cpu._is_amx_tile_supported() or torch.cpu._is_avx512_bf16_supported()
    return "bf16-mixed" if has_units else "32-true"


def _check_batch(batch_size: int, num_processes: int) -> None:
    if batch_size % num_processes:
        message = (
            f"a batch of {batch_size} cannot be divided among {num_processes} processes: "
            "make training.batch_size a multiple of --processes"
        )
        raise UsageError(message)


def _callbacks(recipe: Recipe, run: Path, num_steps: int) -> list[Callback]:
    options = recipe.training
    callbacks: list[Callback] = []
    if options.ema_decay is not None:
        starts = first_steps(options, num_steps=num_steps)
        callbacks.append(
            average_weights(options.ema_decay, warmup=options.ema_warmup, starts=starts)
        )
    if options.early_stopping_epochs is not None:
        callbacks.append(
            EarlyStopping(
                monitored_score(recipe.classes), mode="max", patience=options.early_stopping_epochs
            )
        )
    monitor = monitored_score(recipe.classes)
    callbacks.append(ProgressReport(monitor))
    # Last, so that its checkpoints hold what the others decided.
    keeps_last = options.keep == "last"
    return [_ProcessLog(), *callbacks, EpochKeeper(run, recipe.classes, keeps_last=keeps_last)]


class _ProcessLog(Callback):
    """Lets the processes of a run log what the process that starts them would."""

    def __init__(self) -> None:
        self.level = logging.getLogger("dermseg").getEffectiveLevel()

    def setup(self, trainer: Trainer, pl_module: LightningModule, stage: str) -> None:
        """Configure the logger, in each process."""
        del pl_module, stage
        logger = logging.getLogger("dermseg")
        if trainer.world_size > 1 and not logger.hasHandlers():
            logger.addHandler(logging.StreamHandler())
            logger.setLevel(self.level)


def _strategy(num_processes: int) -> Strategy | str:
    if num_processes == 1:
        return "auto"
    if "forkserver" not in multiprocessing.get_all_start_methods():
        return DDPStrategy(process_group_backend="gloo", start_method="spawn")
    # New processes unpickle Lightning's objects, which imports torchvision: ours must come first.
    multiprocessing.get_context("forkserver").set_forkserver_preload(["dermseg.training"])
    return DDPStrategy(process_group_backend="gloo", start_method="forkserver")
