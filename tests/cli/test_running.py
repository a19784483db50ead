"""Whatever ends a command is one line and an exit code, never a traceback."""

from __future__ import annotations

import contextlib
import os
import re
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from dermseg.cli import main
from dermseg.errors import UsageError, one_line
from dermseg.images import read_mask, write_image, write_mask
from dermseg.metrics import jaccard
from dermseg.storage import LOCK, lock_folder

Run = Callable[..., "subprocess.CompletedProcess[str]"]
Disc = Callable[..., tuple[np.ndarray, np.ndarray]]

# A function of each layer, and a command that comes by.
FAULTS = [
    ("dermseg.images.containers.recognise", "predict"),
    ("dermseg.prediction.predictor.prepare_image", "predict"),
    ("dermseg.package.loading.list_packages", "predict"),
    ("dermseg.package.onnx_session.OnnxSession.run", "predict"),
    ("dermseg.prediction.inputs.list_images", "predict"),
    ("dermseg.storage.folder.remove_leftovers", "predict"),
    ("dermseg.prediction.output.row_of_prediction", "predict"),
    ("dermseg.recipes.recipe_text", "recipes"),
    ("dermseg.datasets.open_source", "check"),
    ("dermseg.datasets.checking.read_image", "check"),
    ("dermseg.evaluation.matching.list_masks", "evaluate"),
    ("dermseg.metrics.counts.ConfusionCounts.jaccard", "evaluate"),
    ("dermseg.evaluation.report.write_report", "evaluate"),
]


class FaultError(Exception):
    """An error that nothing foresees."""


@pytest.fixture
def folder(tmp_path: Path, disc: Disc) -> Path:
    image, mask = disc((60, 80), centre=(40, 30), radius=15)
    (tmp_path / "images").mkdir()
    (tmp_path / "masks").mkdir()
    write_image(tmp_path / "images" / "a.png", image)
    write_mask(tmp_path / "masks" / "a.png", mask)
    return tmp_path


def call(monkeypatch: pytest.MonkeyPatch, *arguments: object) -> int:
    """Run the command line in this process; its exit code."""
    monkeypatch.setattr(sys, "argv", ["dermseg", *map(str, arguments)])
    handlers = {number: signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        with pytest.raises(SystemExit) as stopped:
            main()
    finally:
        for number, handler in handlers.items():
            signal.signal(number, handler)
    assert isinstance(stopped.value.code, int)
    return stopped.value.code


@pytest.mark.parametrize(("place", "command"), FAULTS)
def test_an_unforeseen_error_of_any_layer_is_one_line_and_a_file_of_details(
    folder: Path,
    dark_package: Path,
    monkeypatch: pytest.MonkeyPatch,
    capfd: pytest.CaptureFixture[str],
    place: str,
    command: str,
) -> None:
    def fail(*args: object, **options: object) -> None:
        message = "one\n\x1b[2Jtwo"
        raise FaultError(message)

    monkeypatch.setattr(place, fail)
    monkeypatch.setattr("tempfile.tempdir", str(folder))
    images, masks = folder / "images", folder / "masks"
    arguments = {
        "predict": ("predict", images, "-o", folder / "out", "--model", dark_package,
                    "--runtime", "onnx"),
        "recipes": ("recipes", folder / "none.toml"),
        "check": ("data", "check", folder),
        "evaluate": ("evaluate", "--truth", masks, "--predictions", masks, "-o", folder / "e"),
    }[command]  # fmt: skip
    assert call(monkeypatch, *arguments) == 3
    errors = capfd.readouterr().err
    *_, line = errors.splitlines()
    assert "Traceback" not in errors
    assert "\x1b" not in errors
    assert line.startswith("dermseg: unforeseen: ")
    assert "FaultError: one" in line
    found = re.search(r"the details are in (\S+dermseg-error-\S+\.txt)\.", line)
    assert found
    details = Path(found[1]).read_text("utf-8")
    assert "Traceback" in details
    assert "test_running.py" in details


def test_names_are_printed_so_that_they_cannot_act(
    folder: Path, dark_package: Path, dermseg: Run
) -> None:
    name = "\x1b[2Jdone\ndermseg: all is well\u202e.jpg"
    (folder / "images" / name).write_bytes(b"no image")
    result = dermseg("predict", folder / "images", "-o", folder / "out", "--model", dark_package)
    assert result.returncode == 1
    (line,) = result.stderr.splitlines()
    assert r"\x1b[2Jdone\ndermseg: all is well\u202e.jpg: not one of" in line
    assert str(UsageError(name)) == one_line(name)
    result = dermseg("predict", folder / name, "-o", folder / "out2")
    assert result.stderr.count("\n") == 1
    assert "\x1b" not in result.stderr


@pytest.mark.parametrize("encoding", ["cp1252", "ascii", "utf-16"])
def test_names_in_letters_that_the_terminal_lacks_are_printed(
    folder: Path, dark_package: Path, command: str, encoding: str
) -> None:
    out = folder / "Ω皮"
    env = {**os.environ, "PYTHONIOENCODING": encoding}
    for arguments in (
        ("predict", folder / "images", "-o", out, "--model", dark_package),
        ("data", "check", folder),
    ):
        (folder / "images" / "皮.png").touch()
        result = subprocess.run(
            [command, *map(str, arguments)], capture_output=True, check=False, env=env
        )
        assert result.returncode == 1
        assert b"Traceback" not in result.stderr
        assert "皮" in (result.stdout + result.stderr).decode(encoding).encode().decode(
            "unicode-escape" if encoding != "utf-16" else "utf-8"
        )


@pytest.mark.parametrize("stream", [1, 2])
def test_a_closed_stream_is_no_reason_to_stop(
    folder: Path, dark_package: Path, command: str, stream: int
) -> None:
    call = f'exec "$0" "$@" {stream}>&-'
    arguments = ["predict", folder / "images", "-o", folder / "out", "--model", dark_package]
    result = subprocess.run(
        ["sh", "-c", call, command, *map(str, arguments)], capture_output=True, check=False
    )
    assert result.returncode == 0, result
    assert (folder / "out" / "a_segmentation.png").is_file()
    assert b"Traceback" not in result.stderr


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="needs /dev/full")
@pytest.mark.parametrize("as_json", [[], ["--json"]])
def test_full_standard_output_is_one_line(command: str, as_json: list[str]) -> None:
    result = subprocess.run(
        ["sh", "-c", 'exec "$0" "$@" >/dev/full', command, "recipes" if not as_json else "models",
         *as_json],
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert result.returncode == 3
    assert result.stderr == (
        "dermseg: standard output cannot be written: No space left on device\n"
    )


_START = "from dermseg.cli import main; print('started', flush=True); main()"


@pytest.mark.skipif(sys.platform == "win32", reason="sends signals")
@pytest.mark.parametrize("sent", [signal.SIGINT, signal.SIGTERM])
@pytest.mark.parametrize("seconds", [0.1, 2.0])
def test_many_interruptions_end_in_one_line(tmp_path: Path, sent: int, seconds: float) -> None:
    """During the imports, and in the middle of the work."""
    with subprocess.Popen(
        [sys.executable, "-c", _START, "demo", "-o", tmp_path / "demo", "--num-images", "500"],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    ) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == b"started\n"
        time.sleep(seconds)
        for _ in range(5):
            process.send_signal(sent)
            time.sleep(0.02)
        _, errors = process.communicate(timeout=60)
    assert process.returncode == 130, errors
    assert errors == b"dermseg: interrupted\n"


def test_two_runs_do_not_share_an_output_folder(
    folder: Path, dark_package: Path, dermseg: Run
) -> None:
    out = folder / "out"
    arguments = ("predict", folder / "images", "-o", out, "--model", dark_package)
    with lock_folder(out):
        result = dermseg(*arguments)
        assert result.returncode == 2
        assert f"another run (process {os.getpid()} on " in result.stderr
        result = dermseg("evaluate", "--truth", folder / "masks", "--predictions", folder / "masks",
                         "-o", out)  # fmt: skip
        assert result.returncode == 2
        assert f"another run (process {os.getpid()} on " in result.stderr
    out.mkdir()
    (out / LOCK).write_text("process 1 on a machine that was switched off")
    result = dermseg(*arguments, "--skip-existing")
    assert result.returncode == 0, result.stderr
    assert not (out / LOCK).exists()


def test_names_that_are_formulas_are_quoted_and_found_again(
    folder: Path, dark_package: Path, dermseg: Run
) -> None:
    shutil.copy(folder / "images" / "a.png", folder / "images" / "=1+1.png")
    arguments = ("predict", "=1+1.png", "a.png", "-o", folder / "out", "--model", dark_package)
    with contextlib.chdir(folder / "images"):
        assert dermseg(*arguments).returncode == 0
        table = (folder / "out" / "predictions.csv").read_text()
        assert "\n'=1+1.png,'=1+1_segmentation.png," in table
        result = dermseg(*arguments, "--skip-existing")
    assert "0 masks written" in result.stdout
    assert "2 kept" in result.stdout


def test_an_image_that_was_replaced_under_its_name_is_predicted_again(
    folder: Path, dark_package: Path, dermseg: Run, disc: Disc
) -> None:
    arguments = ("predict", folder / "images", "-o", folder / "out", "--model", dark_package,
                 "--skip-existing")  # fmt: skip
    assert "1 masks written" in dermseg(*arguments).stdout
    other, mask = disc((60, 80), centre=(20, 30), radius=10)
    write_image(folder / "b.png", other)
    os.utime(folder / "b.png", (0, 0))
    (folder / "b.png").replace(folder / "images" / "a.png")
    assert "1 masks written" in dermseg(*arguments).stdout
    found = read_mask(folder / "out" / "a_segmentation.png")
    assert jaccard(found, mask) > 0.8
    assert "1 kept" in dermseg(*arguments).stdout
