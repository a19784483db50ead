"""Launchers, cut files and other processes do not end a run in a traceback."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from dermseg.errors import DatasetError, RecipeError, RunError, UsageError
from dermseg.recipes import Recipe
from dermseg.training import TrainingData, train
from dermseg.training.machine import (
    as_only_process,
    check_checkpoint,
    plain_errors,
    possible_workers,
)

MakeRecipe = Callable[..., Recipe]

LAUNCHERS = {
    "srun": {"SLURM_JOB_ID": "7", "SLURM_NTASKS": "4", "SLURM_PROCID": "1", "SLURM_LOCALID": "1",
             "SLURM_JOB_NAME": "train", "SLURM_NODEID": "0", "SLURM_NODELIST": "node1",
             "SLURM_NTASKS_PER_NODE": "4"},
    "sbatch": {"SLURM_JOB_ID": "7", "SLURM_JOB_NAME": "batch", "SLURM_NTASKS": "1",
               "SLURM_NODELIST": "node1", "SLURM_PROCID": "0"},
    "torchrun": {"RANK": "1", "LOCAL_RANK": "1", "WORLD_SIZE": "4", "LOCAL_WORLD_SIZE": "4",
                 "GROUP_RANK": "0", "MASTER_ADDR": "127.0.0.1", "MASTER_PORT": "29500",
                 "TORCHELASTIC_RUN_ID": "none", "TORCHELASTIC_RESTART_COUNT": "0"},
    "mpirun": {"OMPI_COMM_WORLD_RANK": "1", "OMPI_COMM_WORLD_SIZE": "4", "PMIX_RANK": "1",
               "OMPI_COMM_WORLD_LOCAL_RANK": "1", "PMI_RANK": "1", "PMI_SIZE": "4"},
}  # fmt: skip


@pytest.mark.parametrize("launcher", LAUNCHERS)
def test_what_launchers_say_is_hidden_and_comes_back(
    monkeypatch: pytest.MonkeyPatch, launcher: str
) -> None:
    variables = LAUNCHERS[launcher]
    for key, value in variables.items():
        monkeypatch.setenv(key, value)
    with as_only_process():
        assert not variables.keys() & os.environ.keys()
        assert "PATH" in os.environ
    assert {key: os.environ[key] for key in variables} == variables


@pytest.mark.slow
@pytest.mark.parametrize("launcher", LAUNCHERS)
def test_a_run_starts_its_own_processes_under_any_launcher(
    tmp_path: Path, command: str, recipe_file: Path, disc_dataset: Path, launcher: str
) -> None:
    run = tmp_path / "run"
    result = subprocess.run(
        [command, "train", recipe_file, "--data", disc_dataset, "-o", run, "--processes", "2",
         "--workers", "0", "--set", "training.epochs=1"],
        capture_output=True, text=True, check=False, timeout=300,
        env={**os.environ, **LAUNCHERS[launcher], "OMP_NUM_THREADS": "1"},
    )  # fmt: skip
    assert result.returncode == 0, result.stderr
    assert result.stdout == f"model package: {run / 'model'}\n"
    assert (run / "metrics.csv").read_text().count("\n") == 2


@pytest.fixture(scope="module")
def finished(
    tmp_path_factory: pytest.TempPathFactory, make_recipe: MakeRecipe, disc_dataset: Path
) -> Path:
    """A run of one epoch."""
    run = tmp_path_factory.mktemp("runs") / "finished"
    train(make_recipe("training.epochs=1"), TrainingData([disc_dataset]), run, num_workers=0)
    return run


@pytest.mark.parametrize("damage", ["empty", "cut", "changed", "other"])
def test_a_damaged_checkpoint_is_named_and_nothing_is_changed(
    tmp_path: Path, finished: Path, make_recipe: MakeRecipe, disc_dataset: Path, damage: str
) -> None:
    run = shutil.copytree(finished, tmp_path / "run")
    shutil.rmtree(run / "model")
    last = run / "checkpoints" / "last.ckpt"
    whole = last.read_bytes()
    middle = len(whole) // 2
    last.write_bytes(
        {
            "empty": b"",
            "cut": whole[:middle],
            "changed": whole[:middle] + bytes(64) + whole[middle + 64 :],
            "other": b"no checkpoint at all",
        }[damage]
    )
    before = sorted(path for path in run.rglob("*"))
    with pytest.raises(UsageError, match=r"last\.ckpt: damaged, or no checkpoint"):
        train(
            make_recipe("training.epochs=1"),
            TrainingData([disc_dataset]),
            run,
            num_workers=0,
            resume=True,
        )
    assert sorted(path for path in run.rglob("*")) == before
    check_checkpoint(finished / "checkpoints" / "last.ckpt")


WORKER = (
    "Caught {0} in DataLoader worker process 0.\nOriginal Traceback (most recent call last):\n"
    '  File "x.py", line 1\ndermseg.errors.{0}: a.png: the file is cut off\n'
)


@pytest.mark.parametrize(
    ("error", "kind", "message"),
    [
        (RuntimeError(WORKER.format("ImageError")), RunError, "run: a.png: the file is cut off; "),
        (DatasetError(WORKER.format("DatasetError")), RunError, "^a.png: the file is cut off$"),
        (
            RuntimeError("DataLoader worker (pid 7) is killed by signal: Bus error."),
            RunError,
            "--workers 0, or give /dev/shm more room",
        ),
        (
            RuntimeError("DataLoader worker (pid 7) is killed by signal: Terminated."),
            KeyboardInterrupt,
            "^$",
        ),
        (
            ValueError("Expected more than 1 value per channel when training, got [1, 256, 1, 1]"),
            RecipeError,
            "training.batch_size: .* use 2 or more",
        ),
        (DatasetError("plain"), DatasetError, "^plain$"),
        (ValueError("another"), ValueError, "^another$"),
    ],
)
def test_what_other_processes_and_limits_raise_is_said_plainly(
    error: Exception, kind: type[BaseException], message: str
) -> None:
    with pytest.raises(kind, match=message), plain_errors(Path("run")):
        raise error


@pytest.mark.slow
def test_a_batch_of_one_with_batch_norm_is_a_mistake_of_the_recipe(
    tmp_path: Path, make_recipe: MakeRecipe, disc_dataset: Path
) -> None:
    recipe = make_recipe(
        "network.name='smp:deeplabv3plus/resnet18'",
        "network.parameters={}",
        "preprocessing.size=[32, 32]",
        "training.batch_size=1",
        "training.epochs=1",
    )
    with pytest.raises(RecipeError, match=r"training\.batch_size: .* use 2 or more"):
        train(recipe, TrainingData([disc_dataset]), tmp_path / "run", num_workers=0)


@pytest.fixture
def training(
    tmp_path: Path, command: str, recipe_file: Path, disc_dataset: Path
) -> Iterator[subprocess.Popen[bytes]]:
    """A run with workers, in a process group of its own, that has come to an epoch."""
    run = tmp_path / "run"
    with subprocess.Popen(
        [command, "train", recipe_file, "--data", disc_dataset, "-o", run, "--workers", "2",
         "--set", "training.epochs=500"],
        stdout=subprocess.PIPE, stderr=subprocess.PIPE, start_new_session=True,
        env={**os.environ, "OMP_NUM_THREADS": "1"},
    ) as process:  # fmt: skip
        while not (run / "checkpoints" / "last.ckpt").exists():
            assert process.poll() is None, process.communicate()[1].decode()
            time.sleep(0.01)
        yield process
        process.kill()


@pytest.mark.slow
def test_sigterm_of_the_whole_group_is_an_interruption(training: subprocess.Popen[bytes]) -> None:
    os.killpg(training.pid, signal.SIGTERM)
    _, errors = training.communicate(timeout=60)
    assert training.returncode == 130, errors.decode()
    assert b"Traceback" not in errors
    assert b"continue after the last whole epoch with --resume" in errors


@pytest.mark.slow
def test_a_second_run_in_the_folder_is_told_who_holds_it(
    training: subprocess.Popen[bytes], tmp_path: Path, command: str, recipe_file: Path,
    disc_dataset: Path,
) -> None:  # fmt: skip
    result = subprocess.run(
        [command, "train", recipe_file, "--data", disc_dataset, "-o", tmp_path / "run",
         "--resume", "--set", "training.epochs=500"],
        capture_output=True, text=True, check=False, timeout=60,
    )  # fmt: skip
    assert result.returncode == 2
    assert f"being written by another run (process {training.pid} on " in result.stderr


def test_no_process_reads_images_where_its_socket_cannot_have_a_name(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr("tempfile.gettempdir", lambda: "/" + 74 * "a")
    assert possible_workers(2) == 2
    assert caplog.text == ""
    monkeypatch.setattr("tempfile.gettempdir", lambda: "/" + 75 * "a")
    assert possible_workers(2) == 0
    assert "TMPDIR" in caplog.text
    assert possible_workers(0) == 0
