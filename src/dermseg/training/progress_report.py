"""Report a run's progress: a bar on a terminal, and else a line a minute."""

from __future__ import annotations

import logging
import time
from collections import deque
from collections.abc import Mapping
from typing import Any, Final

from lightning.pytorch import Callback, LightningModule, Trainer

from dermseg.progress import Bar, open_bar

__all__ = ["ProgressReport", "describe_duration"]

_logger = logging.getLogger(__name__)

_REDRAW_SECONDS: Final = 0.2
_LINE_SECONDS: Final = 60.0


class ProgressReport(Callback):
    """Says how far a run is: epochs from 1, loss, score and time left.

    With a bar on a terminal, a line for each epoch is logged above it. Without, at most a line a
    minute is logged, besides those of the first and the last epoch; ``metrics.csv`` has every
    epoch.

    Args:
        score: The logged score that chooses the checkpoint.
    """

    def __init__(self, score: str) -> None:
        self.score = score
        self.best = -1.0
        self.bar: Bar | None = None
        self.losses: list[float] = []
        self.last_shown = self.started = time.perf_counter()
        self.steps: deque[float] = deque(maxlen=2)

    def on_train_start(self, trainer: Trainer, pl_module: LightningModule) -> None:
        """Begin to measure the time of a step, and show the bar."""
        self.steps = deque([time.perf_counter()], maxlen=int(trainer.num_training_batches) + 1)
        self.last_shown = time.perf_counter()
        if trainer.is_global_zero:
            self.bar = open_bar()

    def on_train_epoch_start(self, trainer: Trainer, pl_module: LightningModule) -> None:
        """Start the clock of the epoch."""
        self.started = time.perf_counter()
        self.losses = []

    def on_train_batch_end(
        self,
        trainer: Trainer,
        pl_module: LightningModule,
        outputs: Any,  # noqa: ANN401 - as Lightning declares it
        batch: Any,  # noqa: ANN401
        batch_idx: int,
    ) -> None:
        """Draw the bar anew, or print the line of a minute."""
        if not trainer.is_global_zero:
            return
        now = time.perf_counter()
        self.steps.append(now)
        if isinstance(outputs, Mapping):
            self.losses.append(float(outputs["loss"]))
        if now - self.last_shown < (_LINE_SECONDS if self.bar is None else _REDRAW_SECONDS):
            return
        facts = ", ".join(self._facts(trainer, batch_idx + 1))
        epoch = f"epoch {trainer.current_epoch + 1}/{trainer.max_epochs}"
        if self.bar is None:
            batches = f"batch {batch_idx + 1}/{trainer.num_training_batches}"
            self._print(f"{epoch}: {batches}, {facts}")
        else:
            self.bar.show(batch_idx + 1, int(trainer.num_training_batches), epoch, facts)
        self.last_shown = now

    def on_train_epoch_end(self, trainer: Trainer, pl_module: LightningModule) -> None:
        """Print the line of the epoch."""
        values = {name: float(value) for name, value in trainer.callback_metrics.items()}
        self.best = max(self.best, values[self.score])
        now, epoch = time.perf_counter(), trainer.current_epoch + 1
        is_due = self.bar is not None or now - self.last_shown >= _LINE_SECONDS
        if trainer.is_global_zero and (is_due or epoch in (1, trainer.max_epochs)):
            left = self._time_left(trainer, 0, epochs=(trainer.max_epochs or epoch) - epoch)
            self._print(
                f"epoch {epoch}/{trainer.max_epochs}: loss {values['train_loss']:.4f}, selection "
                f"loss {values['selection_loss']:.4f}, {self._words} {values[self.score]:.4f}, "
                f"{now - self.started:.0f} s{left and f', {left}'}"
            )
            self.last_shown = now

    def on_train_end(self, trainer: Trainer, pl_module: LightningModule) -> None:
        """Remove the bar."""
        self._close()

    def on_exception(
        self, trainer: Trainer, pl_module: LightningModule, exception: BaseException
    ) -> None:
        """Remove the bar, so that what is said of the error stands in a line of its own."""
        self._close()

    @property
    def _words(self) -> str:
        return self.score.removeprefix("selection_").replace("_jaccard", " Jaccard")

    def _facts(self, trainer: Trainer, num_batches: int) -> list[str]:
        facts = []
        if self.losses:
            facts.append(f"loss {sum(self.losses) / len(self.losses):.4f}")
        if self.best >= 0:
            facts.append(f"best {self._words} {self.best:.4f}")
        epochs = (trainer.max_epochs or 0) - trainer.current_epoch
        left = self._time_left(trainer, num_batches, epochs=epochs)
        return [*facts, left] if left else facts

    def _time_left(self, trainer: Trainer, num_batches: int, *, epochs: int) -> str:
        """Words on the time that the rest of the run takes, at the speed of the last epoch."""
        left = epochs * int(trainer.num_training_batches) - num_batches
        if left <= 0 or len(self.steps) < 2:
            return ""
        seconds = (self.steps[-1] - self.steps[0]) / (len(self.steps) - 1) * left
        return f"{describe_duration(seconds)} left"

    def _print(self, line: str) -> None:
        if self.bar is not None:
            self.bar.hide()
        _logger.info("%s", line)

    def _close(self) -> None:
        if self.bar is not None:
            self.bar.hide()
            self.bar = None


def describe_duration(seconds: float) -> str:
    """Write a duration for people.

    Example:
        >>> describe_duration(42), describe_duration(725), describe_duration(12000)
        ('42 s', '12 min', '3 h 20 min')
    """
    if seconds < 100:
        return f"{seconds:.0f} s"
    minutes = round(seconds / 60)
    if minutes < 100:
        return f"{minutes} min"
    return f"{minutes // 60} h {minutes % 60} min"
