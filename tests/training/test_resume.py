"""A run that was killed and resumed ends where an unbroken one does."""

from __future__ import annotations

import contextlib
import csv
import os
import signal
import subprocess
import time
from pathlib import Path

import numpy as np
import pytest
import torch

RECIPE = """
name = "tiny"
description = "A tiny U-Net on discs"
seed = 3

[preprocessing]
size = [32, 32]

[network]
name = "unet"
parameters = { width = 4, depth = 2 }

[[loss]]
name = "bce"

[augmentation]
horizontal_flip = 0.5
rotation_degrees = 180
zoom = [0.8, 1.2]
brightness = 0.2
hue = 0.02

[training]
epochs = 8
batch_size = 4
lr = 1e-2
schedule = "cosine"
ema_decay = 0.9
"""


@pytest.fixture(scope="module")
def recipe(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("recipe") / "tiny.toml"
    path.write_text(RECIPE)
    return path


def start(command: str, recipe: Path, data: Path, run: Path, *more: str) -> subprocess.Popen[bytes]:
    arguments = [command, "train", str(recipe), "--data", str(data), "-o", str(run), *more]
    return subprocess.Popen(
        arguments,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        start_new_session=True,
        env={**os.environ, "OMP_NUM_THREADS": "1"},
    )


def finish(process: subprocess.Popen[bytes]) -> None:
    _, errors = process.communicate(timeout=300)
    assert process.returncode == 0, errors.decode()


def read_metrics(run: Path) -> list[dict[str, str]]:
    with (run / "metrics.csv").open() as file:
        rows = list(csv.DictReader(file))
    for row in rows:
        del row["seconds"]
    return rows


def assert_equal_runs(first: Path, second: Path) -> None:
    assert read_metrics(first) == read_metrics(second)
    for name in ("best.ckpt", "last.ckpt"):
        one, other = (
            torch.load(run / "checkpoints" / name, weights_only=True) for run in (first, second)
        )
        for part in ("state_dict", "current_model_state"):
            assert one[part].keys() == other[part].keys()
            for key, value in one[part].items():
                assert torch.equal(value, other[part][key]), (name, part, key)


@pytest.fixture(scope="module")
def unbroken(
    tmp_path_factory: pytest.TempPathFactory, command: str, recipe: Path, disc_dataset: Path
) -> Path:
    run = tmp_path_factory.mktemp("runs") / "unbroken"
    finish(start(command, recipe, disc_dataset, run, "--workers", "0"))
    return run


@pytest.mark.slow
def test_run_killed_inside_its_second_epoch_ends_as_an_unbroken_one(
    tmp_path: Path, command: str, recipe: Path, disc_dataset: Path, unbroken: Path
) -> None:
    run = tmp_path / "run"
    process = start(command, recipe, disc_dataset, run)
    last = run / "checkpoints" / "last.ckpt"
    while not last.exists():
        assert process.poll() is None, process.communicate()[1].decode()
        time.sleep(0.005)
    # Stop it first: whatever the machine's speed, the kill then falls inside epoch 2.
    os.killpg(process.pid, signal.SIGSTOP)
    os.killpg(process.pid, signal.SIGKILL)
    process.communicate()
    assert len(read_metrics(run)) < 8
    finish(start(command, recipe, disc_dataset, run, "--resume"))
    assert_equal_runs(run, unbroken)


def resume_killed(
    process: subprocess.Popen[bytes], run: Path, opened: int | None, delay: float
) -> bool:
    """Kill a run some seconds after it opened its folder; tell whether it was still at work.

    Args:
        process: As started.
        run: Its folder.
        opened: When an earlier process opened the folder, as ``opening_time`` gives it.
        delay: In seconds.
    """
    while opening_time(run) == opened and process.poll() is None:
        time.sleep(0.005)
    with contextlib.suppress(subprocess.TimeoutExpired):
        process.wait(delay)
    with contextlib.suppress(ProcessLookupError):
        os.killpg(process.pid, signal.SIGKILL)
    _, errors = process.communicate()
    assert process.returncode in {0, -signal.SIGKILL}, errors.decode()
    return process.returncode == -signal.SIGKILL


def opening_time(run: Path) -> int | None:
    record = run / "run.json"
    return record.stat().st_mtime_ns if record.is_file() else None


@pytest.mark.slow
@pytest.mark.timeout(1800)  # some twenty runs, which take far longer beside other programs
@pytest.mark.skipif(os.name == "nt", reason="kills by signal")
def test_run_killed_at_ten_moments_ends_as_an_unbroken_one(
    tmp_path: Path, command: str, recipe: Path, disc_dataset: Path
) -> None:
    more = ("--workers", "0", "--set", "training.epochs=16")
    unbroken = tmp_path / "unbroken"
    finish(start(command, recipe, disc_dataset, unbroken, *more))
    # The last thing that changes in the folder is that the package gets its name.
    seconds = unbroken.stat().st_mtime - (unbroken / "run.json").stat().st_mtime

    generator = np.random.default_rng(4)
    num_kills, num_runs = 0, 1
    while num_kills < 10:
        # One moment in each tenth of the run, in random order.
        for tenth in generator.permutation(10):
            run = tmp_path / f"run-{num_runs}"
            opened = opening_time(run)
            process = start(command, recipe, disc_dataset, run, *more, "--resume")
            delay = seconds * (tenth + generator.uniform()) / 10
            if resume_killed(process, run, opened, delay):
                num_kills += 1
            else:  # It was done before: the next kills are for a new run, and come earlier.
                num_runs += 1
                seconds *= 0.7
            if num_kills == 10:
                break
    for run in tmp_path.glob("run-*"):
        finish(start(command, recipe, disc_dataset, run, *more, "--resume"))
        assert_equal_runs(run, unbroken)
        for name in ("weights.safetensors", "model.onnx"):
            assert (run / "model" / name).read_bytes() == (unbroken / "model" / name).read_bytes()


@pytest.mark.slow
def test_workers_and_repetition_do_not_change_the_weights(
    tmp_path: Path, command: str, recipe: Path, disc_dataset: Path, unbroken: Path
) -> None:
    run = tmp_path / "run"
    finish(start(command, recipe, disc_dataset, run, "--workers", "2"))
    assert_equal_runs(run, unbroken)


@pytest.mark.slow
def test_interrupted_run_leaves_with_130_and_can_be_resumed(
    tmp_path: Path, command: str, recipe: Path, disc_dataset: Path, unbroken: Path
) -> None:
    run = tmp_path / "run"
    process = start(command, recipe, disc_dataset, run)
    while not (run / "checkpoints" / "last.ckpt").exists():
        assert process.poll() is None, process.communicate()[1].decode()
        time.sleep(0.005)
    assert len(read_metrics(run)) < 8
    os.killpg(process.pid, signal.SIGINT)
    _, errors = process.communicate(timeout=120)
    assert process.returncode == 130, errors.decode()
    assert b"Traceback" not in errors
    finish(start(command, recipe, disc_dataset, run, "--resume"))
    assert_equal_runs(run, unbroken)


@pytest.mark.slow
def test_resuming_with_another_recipe_is_refused(
    unbroken: Path, command: str, recipe: Path, disc_dataset: Path
) -> None:
    process = start(
        command, recipe, disc_dataset, unbroken, "--resume", "--set", "training.lr=1e-3"
    )
    _, errors = process.communicate(timeout=120)
    assert process.returncode == 2
    assert b"was made by another recipe" in errors


@pytest.mark.slow
def test_full_run_folder_is_refused(
    unbroken: Path, command: str, recipe: Path, disc_dataset: Path
) -> None:
    process = start(command, recipe, disc_dataset, unbroken)
    _, errors = process.communicate(timeout=120)
    assert process.returncode == 2
    assert b"--resume" in errors


@pytest.mark.slow
def test_divergence_is_one_line_that_says_what_to_change(
    tmp_path: Path, command: str, recipe: Path, disc_dataset: Path
) -> None:
    process = start(command, recipe, disc_dataset, tmp_path / "run", "--set", "training.lr=1e30")
    _, errors = process.communicate(timeout=120)
    assert process.returncode == 3, errors.decode()
    assert b"Traceback" not in errors
    assert b"lower training.lr" in errors
