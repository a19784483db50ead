"""What a killed program or a power failure leaves is continued, and never trusted blindly."""

from __future__ import annotations

import csv
import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from dermseg.images import is_whole, write_image
from dermseg.prediction import OutputOptions, Predictor, load_model, open_output, plan_jobs
from dermseg.prediction.output import predict_jobs

Disc = Callable[..., tuple[np.ndarray, np.ndarray]]
Snapshot = dict[str, tuple[bytes, int]]


@pytest.fixture(scope="module")
def predictor(dark_package: Path) -> Predictor:
    return load_model(dark_package, runtime="onnx")


@pytest.fixture
def photos(tmp_path: Path, disc: Disc) -> Path:
    folder = tmp_path / "photos"
    folder.mkdir()
    for number in range(4):
        image, _ = disc((150, 200), centre=(80 + number, 70), radius=40)
        write_image(folder / f"{number}.jpg", image)
    return folder


def rows_of(out: Path) -> list[dict[str, str]]:
    with (out / "predictions.csv").open(newline="") as file:
        return list(csv.DictReader(file))


def run(predictor: Predictor, photos: Path, out: Path, options: OutputOptions) -> int:
    """Predict what is left; how many images that were."""
    jobs = plan_jobs([photos], recursive=False)
    todo, kept = open_output(out, jobs, predictor, options, existing="skip")
    return sum(1 for _ in predict_jobs(predictor, todo, out, options, kept=kept))


def snapshot(out: Path) -> Snapshot:
    """Content and time of every picture."""
    return {
        path.name: (path.read_bytes(), path.stat().st_mtime_ns)
        for path in out.iterdir()
        if path.suffix in {".png", ".jpg"}
    }


def emptied(content: bytes) -> bytes:
    return content[:0]


def cut(content: bytes) -> bytes:
    return content[: len(content) // 2]


def zeroed(content: bytes) -> bytes:
    """As long as it was, but the second half never reached the disk."""
    return content[: len(content) // 2] + bytes(len(content) - len(content) // 2)


@pytest.mark.parametrize("ending", ["_segmentation.png", "_overlay.jpg", "_probability.png"])
@pytest.mark.parametrize("damage", [emptied, cut, zeroed])
def test_a_damaged_file_of_any_kind_is_made_again_and_no_other(
    predictor: Predictor, photos: Path, tmp_path: Path, ending: str,
    damage: Callable[[bytes], bytes],
) -> None:  # fmt: skip
    out, options = tmp_path / "out", OutputOptions(probability=True)
    assert run(predictor, photos, out, options) == 4
    before = snapshot(out)
    assert len(before) == 12
    path = out / f"2{ending}"
    path.write_bytes(damage(path.read_bytes()))
    assert run(predictor, photos, out, options) == 1
    after = snapshot(out)
    assert {name: content for name, (content, _) in after.items()} == {
        name: content for name, (content, _) in before.items()
    }
    changed = {name for name in before if after[name] != before[name]}
    assert changed == {"2_segmentation.png", "2_overlay.jpg", "2_probability.png"}
    assert len(rows_of(out)) == 4


def test_damaged_masks_of_other_images_lose_their_row(
    predictor: Predictor, photos: Path, tmp_path: Path
) -> None:
    out, options = tmp_path / "out", OutputOptions()
    run(predictor, photos, out, options)
    (out / "1_segmentation.png").write_bytes(b"")
    (photos / "1.jpg").unlink()
    assert run(predictor, photos, out, options) == 0
    assert [Path(row["file"]).name for row in rows_of(out)] == ["0.jpg", "2.jpg", "3.jpg"]


def test_a_table_whose_end_never_reached_the_disk_loses_only_that(
    predictor: Predictor, photos: Path, tmp_path: Path
) -> None:
    out, options = tmp_path / "out", OutputOptions()
    run(predictor, photos, out, options)
    table = out / "predictions.csv"
    lines = table.read_bytes().splitlines(keepends=True)
    table.write_bytes(b"".join(lines[:3]) + bytes(len(lines[3])) + lines[4])
    assert run(predictor, photos, out, options) == 2
    assert len({row["file"] for row in rows_of(out)}) == len(rows_of(out)) == 4


def test_temporary_files_of_killed_runs_are_removed_and_nothing_else(
    predictor: Predictor, photos: Path, tmp_path: Path
) -> None:
    out = tmp_path / "out"
    run(predictor, photos, out, OutputOptions())
    (out / ".dermseg-0123456789abcdef.tmp").write_bytes(b"half a mask")
    (out / ".hidden").write_bytes(b"of somebody else")
    (out / ".dermseg-folder.tmp").mkdir()
    assert run(predictor, photos, out, OutputOptions()) == 0
    assert {path.name for path in out.glob(".*")} == {".hidden", ".dermseg-folder.tmp"}


@pytest.mark.slow
@pytest.mark.skipif(sys.platform == "win32", reason="SIGKILL")
@pytest.mark.parametrize("options", [["--no-overlay"], ["--probability"], ["--format", "coco"]])
def test_a_killed_run_is_continued_without_doing_finished_images_again(
    dark_package: Path, command: str, photos: Path, tmp_path: Path, options: list[str]
) -> None:
    for number in range(4, 300):
        os.link(photos / "0.jpg", photos / f"{number}.jpg")
    out = tmp_path / "out"
    call = [command, "predict", str(photos), "-o", str(out), "--model", str(dark_package)]
    call += ["--skip-existing", *options]
    process = subprocess.Popen(call, stderr=subprocess.DEVNULL)
    while not ((out / "predictions.csv").is_file() and len(rows_of(out)) >= 20):
        assert process.poll() is None
        time.sleep(0.005)
    process.send_signal(signal.SIGKILL)
    process.wait()
    finished = {Path(row["file"]).stem for row in rows_of(out)[:20]}
    before = snapshot(out)
    assert all(is_whole(out / name) for name in before)
    assert len(finished) == 20
    subprocess.run(call, capture_output=True, text=True, check=True)
    after = snapshot(out)
    assert all(after[name] == before[name] for name in before if name.split("_")[0] in finished)
    assert len({row["file"] for row in rows_of(out)}) == len(rows_of(out)) == 300
    files = {"--no-overlay": 1, "--probability": 3, "--format": 0}
    assert len(after) == 300 * files[options[0]]
    if "coco" in options:
        coco = json.loads((out / "predictions.coco.json").read_bytes())
        assert len(coco["images"]) == len(coco["annotations"]) == 300
    assert not list(out.glob(".*"))
