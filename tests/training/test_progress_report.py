from __future__ import annotations

import logging
from types import SimpleNamespace
from typing import Any

import pytest
import torch

from dermseg.cli.verbosity import TerminalBar
from dermseg.progress import show_progress
from dermseg.training.progress_report import ProgressReport

SCORE = "selection_mean_jaccard"


class Course:
    """A run of three epochs of four batches, each of which takes some seconds."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, seconds: float) -> None:
        self.now, self.seconds = 0.0, seconds
        monkeypatch.setattr("time.perf_counter", lambda: self.now)
        self.trainer: Any = SimpleNamespace(
            max_epochs=3, num_training_batches=4, is_global_zero=True, current_epoch=0
        )
        self.module: Any = None
        self.report = ProgressReport(SCORE)

    def run(self) -> None:
        self.report.on_train_start(self.trainer, self.module)
        for epoch in range(3):
            self.trainer.current_epoch = epoch
            self.report.on_train_epoch_start(self.trainer, self.module)
            for batch in range(4):
                self.now += self.seconds
                loss = torch.tensor(1.0 - 0.1 * batch)
                self.report.on_train_batch_end(
                    self.trainer, self.module, {"loss": loss}, None, batch
                )
            losses = {"train_loss": 0.85, "selection_loss": 0.9, SCORE: 0.5 - 0.1 * epoch}
            self.trainer.callback_metrics = {
                name: torch.tensor(value) for name, value in losses.items()
            }
            self.report.on_train_epoch_end(self.trainer, self.module)
        self.report.on_train_end(self.trainer, self.module)


def test_long_epochs_have_a_line_a_minute(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO, "dermseg")
    Course(monkeypatch, seconds=40.0).run()
    lines = caplog.messages
    assert lines[0] == "epoch 1/3: batch 2/4, loss 0.9500, 7 min left"
    assert lines[1] == "epoch 1/3: batch 4/4, loss 0.8500, 5 min left"
    assert lines[2] == (
        "epoch 1/3: loss 0.8500, selection loss 0.9000, mean Jaccard 0.5000, 160 s, 5 min left"
    )
    assert lines[3] == "epoch 2/3: batch 2/4, loss 0.9500, best mean Jaccard 0.5000, 4 min left"
    assert lines[-1].startswith("epoch 3/3: loss 0.8500, ")
    assert lines[-1].endswith(" 160 s")


def test_short_epochs_have_no_more_than_a_line_a_minute(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO, "dermseg")
    Course(monkeypatch, seconds=1.0).run()
    lines = caplog.messages
    assert [line.split(":")[0] for line in lines] == ["epoch 1/3", "epoch 3/3"]


def test_a_terminal_has_a_bar_and_a_line_for_each_epoch(
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.setenv("FORCE_COLOR", "1")
    monkeypatch.setenv("TERM", "xterm")
    caplog.set_level(logging.INFO, "dermseg")
    show_progress(None, TerminalBar)
    try:
        Course(monkeypatch, seconds=1.0).run()
    finally:
        show_progress(None)
    assert [line.split(",")[0] for line in caplog.messages] == [
        f"epoch {epoch}/3: loss 0.8500" for epoch in (1, 2, 3)
    ]
    shown = capsys.readouterr().err
    assert "best mean Jaccard 0.5000, 3 s left" in shown
    assert "epoch 0" not in shown
