"""``dermseg train`` and ``dermseg export`` as users call them."""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from dermseg.recipes import Recipe

MakeRecipe = Callable[..., Recipe]
Dermseg = Callable[..., "subprocess.CompletedProcess[str]"]
SHARED_MEMORY = Path("/dev/shm")  # noqa: S108 -- looked at, not written to


def shared_memory() -> set[str]:
    """Names of semaphores and of memory that processes share."""
    return {path.name for path in SHARED_MEMORY.iterdir()} if SHARED_MEMORY.exists() else set()


def assert_nothing_left(before: set[str]) -> None:
    """What other programs put there comes and goes; what was left over stays."""
    deadline = time.monotonic() + 10
    while shared_memory() - before and time.monotonic() < deadline:
        time.sleep(0.05)
    assert shared_memory() <= before


@pytest.mark.slow
def test_run_with_a_worker_prints_its_course_only_and_leaves_nothing_behind(
    tmp_path: Path, dermseg_process: Dermseg, recipe_file: Path, disc_dataset: Path
) -> None:
    data = shutil.copytree(disc_dataset, tmp_path / "data")
    for folder in ("images", "masks"):
        for path in (data / folder).glob("disc_00*"):
            path.rename(path.with_name(path.name.replace("disc_00", "my disc 0")))
    excluded = tmp_path / "excluded.txt"
    excluded.write_text("my disc 0\r\n\n  disc_01 \nnot there\n")
    before = shared_memory()
    run = tmp_path / "run"
    result = dermseg_process(
        "train", recipe_file, "--data", data, "-o", run, "--workers", 1,
        "--exclude", excluded, "--set", "training.epochs=1", "--set", "data.seed=2",
    )  # fmt: skip
    assert result.returncode == 0, result.stderr
    assert result.stdout == f"model package: {run / 'model'}\n"
    first, second = result.stderr.strip().splitlines()
    assert "images to train on" in first
    assert second.startswith("epoch 1/1: loss ")
    record = json.loads((run / "run.json").read_text())
    assert not {"my disc 0", "disc_01"} & {*record["training_ids"], *record["selection_ids"]}
    assert_nothing_left(before)

    package = tmp_path / "package"
    result = dermseg_process("export", run, "-o", package, "--name", "mine", "--half")
    assert result.returncode == 0, result.stderr
    assert "model package 'mine'" in result.stdout
    assert (package / "model.onnx").is_file()


@pytest.mark.slow
def test_terminated_run_does_not_end_as_if_it_were_done(
    tmp_path: Path, command: str, recipe_file: Path, disc_dataset: Path
) -> None:
    run = tmp_path / "run"
    before = shared_memory()
    process = subprocess.Popen(
        [command, "train", recipe_file, "--data", disc_dataset, "-o", run,
         "--set", "training.epochs=500"],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        start_new_session=True,
        env={**os.environ, "OMP_NUM_THREADS": "1"},
    )  # fmt: skip
    while not (run / "checkpoints" / "last.ckpt").exists():
        assert process.poll() is None, process.communicate()[1].decode()
        time.sleep(0.01)
    process.send_signal(signal.SIGTERM)
    output, errors = process.communicate(timeout=60)
    assert process.returncode == 130
    assert b"Traceback" not in errors
    assert output == b""
    assert b"continue after the last whole epoch with --resume" in errors
    # No worker is left over.
    with pytest.raises(ProcessLookupError):
        os.killpg(process.pid, 0)
    assert_nothing_left(before)


@pytest.mark.slow
@pytest.mark.parametrize(
    ("override", "message"),
    [
        ("training.epoch=3", "did you mean 'epochs'?"),
        ("preprocessing.size=[25, 32]", "use 24x32"),
    ],
)
def test_wrong_recipe_is_one_line_and_makes_no_folder(
    tmp_path: Path,
    dermseg_process: Dermseg,
    recipe_file: Path,
    disc_dataset: Path,
    override: str,
    message: str,
) -> None:
    run = tmp_path / "run"
    result = dermseg_process(
        "train", recipe_file, "--data", disc_dataset, "-o", run, "--set", override
    )
    assert result.returncode == 2
    (line,) = result.stderr.splitlines()
    assert message in line
    assert not run.exists()
