"""``dermseg predict``, through the installed entry point."""

from __future__ import annotations

import csv
import json
import os
import signal
import subprocess
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from dermseg.images import read_image, read_mask, read_mask_values, write_image

Run = Callable[..., "subprocess.CompletedProcess[str]"]
Disc = Callable[..., tuple[np.ndarray, np.ndarray]]


@pytest.fixture
def photos(tmp_path: Path, disc: Disc) -> Path:
    """Three photographs of different sizes."""
    folder = tmp_path / "photos"
    folder.mkdir()
    for name, size in (("a", (96, 128)), ("b", (90, 64)), ("c", (300, 500))):
        image, _ = disc(size, centre=(size[1] / 2, size[0] / 2), radius=min(size) / 4)
        write_image(folder / f"{name}.jpg", image, quality=95)
    return folder


def rows_of(folder: Path) -> list[dict[str, str]]:
    with (folder / "predictions.csv").open(newline="") as file:
        return list(csv.DictReader(file))


def test_masks_have_native_size_and_the_table_measures_them(
    dermseg: Run, dark_package: Path, photos: Path, tmp_path: Path
) -> None:
    out = tmp_path / "out"
    result = dermseg("predict", photos, "-o", out, "--model", dark_package)
    assert result.returncode == 0, result.stderr
    rows = rows_of(out)
    assert [Path(row["file"]).name for row in rows] == ["a.jpg", "b.jpg", "c.jpg"]
    for row in rows:
        image = read_image(row["file"])
        values = read_mask_values(out / row["mask"])
        assert values.shape == image.shape[:2]
        assert set(np.unique(values)) == {0, 255}
        assert int(row["area_pixels"]) == np.count_nonzero(values)
        expected = np.pi * (min(image.shape[:2]) / 4) ** 2
        assert np.count_nonzero(values) == pytest.approx(expected, rel=0.1)
        assert row["error"] == ""
    assert (out / "c_overlay.jpg").is_file()


def test_overlays_are_at_most_1024_pixels_long(
    dermseg: Run, dark_package: Path, tmp_path: Path, disc: Disc
) -> None:
    image, _ = disc((1100, 2048), centre=(1000, 500), radius=300)
    write_image(tmp_path / "large.jpg", image)
    result = dermseg(
        "predict", tmp_path / "large.jpg", "-o", tmp_path / "o", "--model", dark_package
    )
    assert result.returncode == 0
    assert read_image(tmp_path / "o" / "large_overlay.jpg").shape == (550, 1024, 3)
    assert read_mask(tmp_path / "o" / "large_segmentation.png").shape == (1100, 2048)


def test_mask_is_in_the_orientation_that_a_viewer_shows(
    dermseg: Run, dark_package: Path, tmp_path: Path, disc: Disc
) -> None:
    upright, _ = disc((96, 128), centre=(30, 40), radius=20)
    write_image(tmp_path / "upright.png", upright)
    # Orientation 6: a viewer turns the stored pixels clockwise by a quarter.
    stored = Image.fromarray(np.rot90(upright))
    exif = Image.Exif()
    exif[0x0112] = 6
    stored.save(tmp_path / "turned.jpg", quality=97, exif=exif)
    inputs = (tmp_path / "upright.png", tmp_path / "turned.jpg")
    result = dermseg("predict", *inputs, "-o", tmp_path / "o", "--model", dark_package)
    assert result.returncode == 0
    one, other = (
        read_mask(tmp_path / "o" / f"{name}_segmentation.png") for name in ("upright", "turned")
    )
    assert one.shape == other.shape == (96, 128)
    assert np.count_nonzero(one != other) < 0.02 * np.count_nonzero(one)


def test_options_choose_the_files_and_columns(
    dermseg: Run, dark_package: Path, photos: Path, tmp_path: Path
) -> None:
    out = tmp_path / "out"
    result = dermseg(
        "predict", photos / "a.jpg", "-o", out, "--model", dark_package, "--probability",
        "--no-overlay", "--spacing-mm", "0.5", "--threshold", "0.9", "--json",
    )  # fmt: skip
    assert result.returncode == 0
    assert sorted(path.name for path in out.iterdir()) == [
        "a_probability.png",
        "a_segmentation.png",
        "index.html",
        "predictions.csv",
        "predictions.json",
    ]
    summary = json.loads(result.stdout)
    assert summary["num_predicted"] == 1
    assert summary["threshold"] == 0.9
    (row,) = rows_of(out)
    assert float(row["area_mm2"]) == pytest.approx(int(row["area_pixels"]) / 4)
    strict = np.count_nonzero(read_mask(out / "a_segmentation.png"))
    dermseg("predict", photos / "a.jpg", "-o", tmp_path / "p", "--model", dark_package)
    assert strict < np.count_nonzero(read_mask(tmp_path / "p" / "a_segmentation.png"))


def test_coco_is_one_file_without_pictures(
    dermseg: Run, dark_package: Path, photos: Path, tmp_path: Path
) -> None:
    out = tmp_path / "out"
    call = ("predict", photos, "-o", out, "--model", dark_package, "--format", "coco")
    assert dermseg(*call).returncode == 0
    assert not list(out.glob("*.png")) + list(out.glob("*.jpg"))
    coco = json.loads((out / "predictions.coco.json").read_bytes())
    areas = [annotation["area"] for annotation in coco["annotations"]]
    assert areas == [int(row["area_pixels"]) for row in rows_of(out)]
    assert [row["mask"] for row in rows_of(out)] == ["a.jpg", "b.jpg", "c.jpg"]


def test_recursive_keeps_the_relative_paths(
    dermseg: Run, dark_package: Path, photos: Path, tmp_path: Path
) -> None:
    deep = photos / "day 1" / "left"
    deep.mkdir(parents=True)
    (photos / "a.jpg").rename(deep / "a.jpg")
    out = tmp_path / "out"
    assert dermseg("predict", photos, "-o", out, "--model", dark_package).returncode == 0
    assert not (out / "day 1").exists()
    result = dermseg(
        "predict", photos, "-o", tmp_path / "r", "--model", dark_package, "--recursive"
    )
    assert result.returncode == 0
    assert (tmp_path / "r" / "day 1" / "left" / "a_segmentation.png").is_file()


def test_unicode_and_very_long_names_work(
    dermseg: Run, dark_package: Path, photos: Path, tmp_path: Path
) -> None:
    names = ["Läsion № 1 🔬.jpg", "x" * 251 + ".jpg", "y" * 250 + "1.jpg", "y" * 250 + "2.jpg"]
    for name in names:
        (photos / name).write_bytes((photos / "a.jpg").read_bytes())
    out = tmp_path / "out"
    result = dermseg("predict", photos, "-o", out, "--model", dark_package)
    assert result.returncode == 0, result.stderr
    rows = rows_of(out)
    assert len(rows) == len({row["mask"] for row in rows}) == 7
    assert all((out / row["mask"]).is_file() for row in rows)


@pytest.fixture
def broken(photos: Path) -> dict[str, Path]:
    """Broken files beside the good photographs, by what is wrong with them."""
    good = (photos / "c.jpg").read_bytes()
    contents = {
        "truncated": good[: len(good) // 2],
        "empty": b"",
        "text": b"not an image at all\n",
        "corrupt": good[:200] + bytes(2000),
    }
    for name, content in contents.items():
        (photos / f"{name}.jpg").write_bytes(content)
    bomb = Image.new("1", (30000, 30000))
    bomb.save(photos / "bomb.png")
    return {name: photos / f"{name}.jpg" for name in contents} | {"bomb": photos / "bomb.png"}


def test_bad_images_are_named_and_the_rest_is_done(
    dermseg: Run, dark_package: Path, photos: Path, broken: dict[str, Path], tmp_path: Path
) -> None:
    out = tmp_path / "out"
    result = dermseg("predict", photos, "-o", out, "--model", dark_package)
    assert result.returncode == 1
    errors = {Path(row["file"]): row["error"] for row in rows_of(out)}
    assert len(errors) == 8
    for path in broken.values():
        assert str(path) in result.stderr
        assert errors[path]
    masks = sorted(path.name for path in out.glob("*_segmentation.png"))
    assert masks == ["a_segmentation.png", "b_segmentation.png", "c_segmentation.png"]


def test_wrong_calls_are_refused_before_any_work(
    dermseg: Run, dark_package: Path, photos: Path, tmp_path: Path
) -> None:
    out = tmp_path / "out"
    empty = tmp_path / "empty"
    empty.mkdir()
    (photos / "a.png").write_bytes(b"")
    file = tmp_path / "file"
    file.write_text("")
    a = photos / "a.jpg"
    calls = {
        "no such file": [tmp_path / "nowhere.jpg", "-o", out],
        "no images in": [empty, "-o", out],
        "would both be written": [photos, "-o", out, "--model", dark_package],
        "is a file": [a, "-o", file, "--model", dark_package],
        "no model 'other'": [a, "-o", out, "--model", "other"],
        "the threshold is 2.0": [a, "-o", out, "--model", dark_package, "--threshold", "2"],
        "expected png or coco": [a, "-o", out, "--format", "jpeg"],
        "exclude each other": [a, "-o", out, "--overwrite", "--skip-existing"],
        "expected a number above 0": [a, "-o", out, "--spacing-mm", "0"],
        "No such option": [a, "-o", out, "--tresh"],
    }
    for message, arguments in calls.items():
        result = dermseg("predict", *arguments)
        assert result.returncode == 2, (message, result.stderr)
        assert message in " ".join(result.stderr.split()), result.stderr
    assert not out.exists()


def test_existing_results_are_refused_overwritten_or_kept(
    dermseg: Run, dark_package: Path, photos: Path, tmp_path: Path
) -> None:
    out = tmp_path / "out"
    call = ("predict", photos, "-o", out, "--model", dark_package)
    assert dermseg(*call).returncode == 0
    assert "--skip-existing" in dermseg(*call).stderr
    assert dermseg(*call).returncode == 2
    assert dermseg(*call, "--overwrite").returncode == 0
    # What a killed run leaves: a mask without a row, a row without a mask, half a row.
    table = out / "predictions.csv"
    header, first, second, third = table.read_text().splitlines(keepends=True)
    (out / "b_segmentation.png").unlink()
    table.write_text(header + first + second + third[:20])
    kept = (out / "a_segmentation.png").stat().st_mtime_ns
    result = dermseg(*call, "--skip-existing")
    assert result.returncode == 0
    assert "2 masks written" in result.stdout
    assert "1 kept" in result.stdout
    assert (out / "a_segmentation.png").stat().st_mtime_ns == kept
    assert sorted(Path(row["file"]).name for row in rows_of(out)) == ["a.jpg", "b.jpg", "c.jpg"]
    refused = dermseg(*call, "--skip-existing", "--threshold", "0.3")
    assert refused.returncode == 2
    assert "'threshold': 0.5" in refused.stderr
    refused = dermseg(*call, "--skip-existing", "--spacing-mm", "0.01")
    assert refused.returncode == 2
    assert "spacing_mm None, now 0.01" in refused.stderr


def test_more_images_join_results_that_are_there(
    dermseg: Run, dark_package: Path, photos: Path, tmp_path: Path
) -> None:
    out, more = tmp_path / "out", tmp_path / "more"
    more.mkdir()
    (more / "d.jpg").write_bytes((photos / "a.jpg").read_bytes())
    options = ("-o", out, "--model", dark_package, "--skip-existing")
    assert dermseg("predict", photos, *options).returncode == 0
    assert dermseg("predict", more, *options).returncode == 0
    names = [Path(row["file"]).name for row in rows_of(out)]
    assert names == ["a.jpg", "b.jpg", "c.jpg", "d.jpg"]
    # Another image of the same name would replace the first one's mask.
    mask = (out / "a_segmentation.png").read_bytes()
    (more / "a.jpg").write_bytes((photos / "b.jpg").read_bytes())
    refused = dermseg("predict", more, *options)
    assert refused.returncode == 2
    assert "rename one of the images" in " ".join(refused.stderr.split())
    assert (out / "a_segmentation.png").read_bytes() == mask
    assert len(rows_of(out)) == 4


def test_full_disk_is_one_line_and_leaves_no_half_mask(
    command: str, dark_package: Path, tmp_path: Path, disc: Disc
) -> None:
    noise = np.random.default_rng(0).integers(0, 255, (700, 700, 3), dtype=np.uint8)
    write_image(tmp_path / "noise.png", noise)
    # A limit on the size of files stops writing as a full disk does.
    script = f'ulimit -f 8; trap "" XFSZ; exec "{command}" predict "$@"'
    result = subprocess.run(
        ["bash", "-c", script, "bash", tmp_path / "noise.png", "-o", tmp_path / "out", "--model",
         dark_package],
        capture_output=True,
        text=True,
        check=False,
    )  # fmt: skip
    assert result.returncode == 3, result.stderr
    assert "Traceback" not in result.stderr
    assert len(result.stderr.strip().splitlines()) == 1
    assert not list((tmp_path / "out").glob("*.png"))
    assert not list((tmp_path / "out").glob("*.jpg"))


@pytest.mark.skipif(os.name == "nt", reason="signals of POSIX")
@pytest.mark.parametrize("sent", [signal.SIGINT, signal.SIGKILL])
def test_interrupted_prediction_leaves_whole_files_and_can_be_continued(
    sent: signal.Signals, dermseg: Run, command: str, dark_package: Path, photos: Path,
    tmp_path: Path,
) -> None:  # fmt: skip
    for number in range(200):
        os.link(photos / "c.jpg", photos / f"copy_{number:03d}.jpg")
    out = tmp_path / "out"
    call = ["predict", str(photos), "-o", str(out), "--model", str(dark_package)]
    process = subprocess.Popen([command, *call], stderr=subprocess.PIPE, stdout=subprocess.DEVNULL)
    while len(list(out.glob("*_segmentation.png"))) < 10:
        assert process.poll() is None
        time.sleep(0.01)
    process.send_signal(sent)
    _, errors = process.communicate(timeout=60)
    assert process.returncode == (130 if sent == signal.SIGINT else -signal.SIGKILL)
    assert b"Traceback" not in errors
    masks = list(out.glob("*_segmentation.png"))
    assert 10 <= len(masks) < 203
    for mask in masks:
        read_mask(mask)
    if sent == signal.SIGINT:
        assert not list(out.glob(".*"))
    assert dermseg(*call, "--skip-existing").returncode == 0
    assert len(rows_of(out)) == len({row["file"] for row in rows_of(out)}) == 203
