"""Reading, predicting and writing at once: same results, bounded memory, no shortcuts."""

from __future__ import annotations

import io
import os
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from dermseg.errors import ImageError
from dermseg.metrics import jaccard
from dermseg.prediction import (
    OutputOptions,
    Prediction,
    Predictor,
    load_model,
    open_output,
    plan_jobs,
    predict_jobs,
)
from dermseg.prediction.memory_budget import MemoryBudget
from dermseg.prediction.table import read_rows

Disc = Callable[..., tuple[np.ndarray, np.ndarray]]


@pytest.fixture(scope="module")
def predictor(dark_package: Path) -> Predictor:
    return load_model(dark_package)


def jpeg(image: np.ndarray, **options: object) -> bytes:
    buffer = io.BytesIO()
    Image.fromarray(image).save(buffer, "JPEG", quality=92, **options)
    return buffer.getvalue()


@pytest.fixture
def photos(tmp_path: Path, disc: Disc) -> Path:
    """Images of many sizes, whole, turned and cut off, in two formats."""
    folder = tmp_path / "photos"
    folder.mkdir()
    for number in range(12):
        size = (90 + 70 * number, 120 + 60 * number)
        image, _ = disc(size, centre=(size[1] / 2.5, size[0] / 2), radius=20 + 12 * number)
        exif = Image.Exif()
        exif[0x0112] = 1 + number % 8
        (folder / f"{number:02d}.jpg").write_bytes(jpeg(image, exif=exif))
    Image.fromarray(image).save(folder / "12.png")
    (folder / "13.jpg").write_bytes(jpeg(image)[:-2000])
    return folder


def run(
    predictor: Predictor, photos: Path, out: Path, *, batch_size: int, workers: int
) -> tuple[list[dict[str, str]], dict[str, bytes]]:
    options = OutputOptions()
    jobs = plan_jobs([photos], recursive=False)
    todo, _ = open_output(out, jobs, predictor, options, existing="refuse")
    done = predict_jobs(predictor, todo, out, options, batch_size=batch_size, workers=workers)
    assert [job for job, _ in done] == jobs
    rows = [{**row, "seconds": ""} for row in read_rows(out)]
    names = sorted(path.name for path in out.iterdir() if path.suffix in {".png", ".jpg"})
    return rows, {name: (out / name).read_bytes() for name in names}


def test_no_file_depends_on_batch_size_or_workers(
    predictor: Predictor, photos: Path, tmp_path: Path
) -> None:
    expected = run(predictor, photos, tmp_path / "one", batch_size=1, workers=1)
    assert [bool(row["error"]) for row in expected[0]] == [False] * 13 + [True]
    for batch_size, workers in ((3, 4), (50, 2)):
        out = tmp_path / f"{batch_size}"
        assert run(predictor, photos, out, batch_size=batch_size, workers=workers) == expected


def test_reduced_images_give_the_masks_of_whole_ones(predictor: Predictor, photos: Path) -> None:
    sources = [photos / f"{number:02d}.jpg" for number in range(12)]
    whole = predictor.predict_many(sources, batch_size=1)
    reduced = predictor.predict_many(sources, image_side=64)
    for one, other in zip(whole, reduced, strict=True):
        assert isinstance(one, Prediction)
        assert one.image.shape[:2] == one.size == other.size == other.mask.shape
        assert max(other.image.shape) == 64
        assert jaccard(one.mask, other.mask) > 0.97
        assert other.overlay().shape == other.image.shape


@pytest.mark.data
@pytest.mark.slow
def test_masks_of_real_images_stay_within_the_bound(real_data: Path) -> None:
    folder = real_data / "isic2017_native" / "ISIC-2017_Training_Data"
    predictor = load_model()
    sources = sorted(folder.glob("*.jpg"))
    whole = predictor.predict_many(sources, batch_size=1)
    reduced = predictor.predict_many(sources, image_side=128)
    scores = [jaccard(one.mask, other.mask) for one, other in zip(whole, reduced, strict=True)]
    assert len(scores) == 36
    assert np.mean(scores) > 0.998


@pytest.mark.parametrize("bad", [b"", b"no image", b"\xff\xd8\xff\xe0"])
def test_reduced_reading_refuses_with_the_same_words(predictor: Predictor, bad: bytes) -> None:
    one, other = (
        next(predictor.predict_many([bad], on_error="return", image_side=side))
        for side in (None, 64)
    )
    assert isinstance(one, ImageError)
    assert str(one) == str(other)


def test_memory_budget_lets_in_what_fits_and_a_larger_one_alone() -> None:
    memory = MemoryBudget(10)
    order: list[str] = []

    def enter(name: str, num_pixels: int) -> None:
        with memory.hold(num_pixels):
            order.append(name)

    with memory.hold(4):
        with memory.hold(6):
            thread = threading.Thread(target=enter, args=("huge", 1000))
            thread.start()
            time.sleep(0.05)
            assert order == []
        enter("small", 6)
    thread.join(timeout=10)
    assert order == ["small", "huge"]


_PEAK = """
import resource, subprocess, sys

subprocess.run(sys.argv[1:], check=True, stdout=subprocess.DEVNULL)
print(resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss // 1024)
"""


def peak_mb(*call: object) -> int:
    """Run a command; the most memory that it held."""
    command = [sys.executable, "-c", _PEAK, *map(str, call)]
    return int(subprocess.run(command, capture_output=True, text=True, check=True).stdout)


@pytest.mark.slow
@pytest.mark.skipif(sys.platform != "linux", reason="ru_maxrss is in kilobytes on Linux only")
def test_40_megapixel_images_among_thumbnails_stay_below_a_bound(
    dark_package: Path, command: str, tmp_path: Path, disc: Disc
) -> None:
    large, _ = disc((5000, 8000), centre=(4000, 2500), radius=1500)
    folder = tmp_path / "photos"
    folder.mkdir()
    Image.fromarray(large).save(folder / "large.png", compress_level=1)
    (folder / "large.jpg").write_bytes(jpeg(large))
    small = jpeg(large[::50, ::50])
    for number in range(6):
        os.link(folder / f"large.{'png' if number % 3 else 'jpg'}", folder / f"a{number}.jpg")
        (folder / f"b{number}.jpg").write_bytes(small)
    (folder / "large.png").unlink()
    (folder / "large.jpg").unlink()
    call = [command, "predict", folder, "-o", tmp_path / "out", "--model", dark_package]
    assert peak_mb(*call, "--workers", 4) < 900
