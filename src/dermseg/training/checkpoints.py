"""Checkpoints at epoch ends, never half-written, and the record of the epochs."""

from __future__ import annotations

import logging
import os
import shutil
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from lightning.pytorch import Callback, LightningModule, Trainer

from dermseg.csv_text import encode_csv
from dermseg.errors import OutputError
from dermseg.storage import write_bytes_atomically
from dermseg.training.monitor import monitored_score, selection_scores

__all__ = ["BEST", "LAST", "EpochKeeper"]

_logger = logging.getLogger(__name__)

LAST = Path("checkpoints", "last.ckpt")
BEST = Path("checkpoints", "best.ckpt")
NEW = Path("checkpoints", "new.ckpt")


class EpochKeeper(Callback):
    """After each epoch: one row in ``metrics.csv``, ``last.ckpt``, and ``best.ckpt`` if it is.

    The best epoch is the one with the highest `monitored_score` on the selection part; or the last,
    where the recipe keeps that. Files are written under another name and then renamed,
    ``last.ckpt`` after all others: a run that is killed at any moment resumes after its last whole
    epoch and repeats the broken one.

    Args:
        run: The run folder.
        classes: The recipe's classes; they say what is recorded, and which score chooses.
        keeps_last: Whether each epoch takes the place of the one before, good or not.
    """

    def __init__(self, run: Path, classes: Sequence[str], *, keeps_last: bool = False) -> None:
        self.run = run
        self.keeps_last = keeps_last
        self.monitor = monitored_score(classes)
        self.scores = ("train_loss", "selection_loss", *selection_scores(classes))
        self.rows: list[dict[str, float]] = []
        self.started = time.perf_counter()

    def state_dict(self) -> dict[str, Any]:
        """The rows so far, kept inside the checkpoint."""
        return {"rows": self.rows}

    def load_state_dict(self, state_dict: dict[str, Any]) -> None:
        """Take up the rows of a checkpoint."""
        self.rows = list(state_dict["rows"])

    def on_train_epoch_start(self, trainer: Trainer, pl_module: LightningModule) -> None:
        """Start the clock."""
        self.started = time.perf_counter()

    def on_train_epoch_end(self, trainer: Trainer, pl_module: LightningModule) -> None:
        """Record the epoch and save it.

        Raises:
            OutputError: If the disk is full or the folder gone.
        """
        values = {name: float(value) for name, value in trainer.callback_metrics.items()}
        best_before = max((row[self.monitor] for row in self.rows), default=-1.0)
        row = {
            "epoch": trainer.current_epoch + 1,
            "lr": float(trainer.optimizers[0].param_groups[0]["lr"]),
            **{name: values[name] for name in self.scores},
            "seconds": round(time.perf_counter() - self.started, 1),
        }
        self.rows.append(row)
        try:
            # Every process takes part in gathering the state; one of them keeps it.
            trainer.save_checkpoint(self.run / NEW)
            if not trainer.is_global_zero:
                return
            self._keep(is_best=self.keeps_last or row[self.monitor] > best_before)
        except OSError as error:
            message = (
                f"{self.run}: the checkpoint of epoch {row['epoch']} cannot be written: "
                f"{error.strerror or error}; make room and continue with --resume"
            )
            raise OutputError(message) from error

    def _keep(self, *, is_best: bool) -> None:
        new, last, best = self.run / NEW, self.run / LAST, self.run / BEST
        if is_best:
            copy = best.with_suffix(".copy")
            shutil.copyfile(new, copy)
            copy.replace(best)
        table = encode_csv(self.rows[0], (row.values() for row in self.rows))
        write_bytes_atomically(self.run / "metrics.csv", table)
        with new.open("rb") as file:
            os.fsync(file.fileno())
        new.replace(last)
