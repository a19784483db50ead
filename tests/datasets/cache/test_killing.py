"""A build that is killed, at any moment, is continued and ends as an unbroken one."""

from __future__ import annotations

import contextlib
import json
import os
import signal
import subprocess
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pytest

from dermseg.images import write_image, write_mask

RECIPE = """
name = "two-sizes"
description = "A recipe of two sizes"
preprocessing = { size = [96, 128], remove_hair = true }
network = { name = "unet" }
loss = [{ name = "bce" }]
training = { epochs = 2, batch_size = 1, lr = 1e-3, progressive_resizing = [
    { until_epoch = 1, size = [48, 64] },
] }
"""
NUM_IMAGES = 150
NUM_KILLS = 10


@pytest.fixture(scope="module")
def data(
    tmp_path_factory: pytest.TempPathFactory,
    disc: Callable[..., tuple[np.ndarray, np.ndarray]],
) -> Path:
    """Images that take some 20 ms each."""
    root = tmp_path_factory.mktemp("data")
    (root / "images").mkdir()
    (root / "masks").mkdir()
    generator = np.random.default_rng(0)
    for number in range(NUM_IMAGES):
        image, mask = disc((480, 640), centre=generator.uniform(200, 300, 2), radius=100)
        noisy = image + generator.integers(-20, 20, image.shape)
        write_image(root / "images" / f"disc_{number:02d}.png", noisy.astype(np.uint8))
        write_mask(root / "masks" / f"disc_{number:02d}.png", mask)
    (root / "recipe.toml").write_text(RECIPE)
    return root


def start(command: str, data: Path, cache: Path) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [command, "data", "prepare", data / "recipe.toml", "--data", data, "-o", cache, "--json"],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def finish(process: subprocess.Popen[str]) -> dict[str, int]:
    output, errors = process.communicate(timeout=120)
    assert process.returncode == 0, errors
    summary: dict[str, int] = json.loads(output)
    return summary


def done(cache: Path) -> int:
    """Rows that a killed build says to have finished."""
    index = cache / "index.json"
    return len(json.loads(index.read_bytes())["rows"]) if index.is_file() else 0


def content(cache: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in sorted(cache.glob("[!.]*"))}


def moments() -> Iterator[float]:
    """Shares of a build's time, one in each tenth, in random order; over and over."""
    generator = np.random.default_rng(8)
    while True:
        tenths = generator.permutation(NUM_KILLS) + generator.uniform(size=NUM_KILLS)
        yield from tenths / NUM_KILLS


@pytest.mark.slow
@pytest.mark.skipif(os.name == "nt", reason="kills by signal")
def test_build_killed_ten_times_ends_as_an_unbroken_one(
    tmp_path: Path, command: str, data: Path
) -> None:
    started = time.monotonic()
    assert finish(start(command, data, tmp_path / "unbroken"))["num_prepared"] == NUM_IMAGES
    seconds = time.monotonic() - started
    expected = content(tmp_path / "unbroken")

    shares, num_kills, num_caches, found = moments(), 0, 1, []
    while num_kills < NUM_KILLS:
        cache = tmp_path / f"cache-{num_caches}"
        before = done(cache)
        started = time.monotonic()
        process = start(command, data, cache)
        with contextlib.suppress(subprocess.TimeoutExpired):
            process.wait(seconds * next(shares))
        process.send_signal(signal.SIGKILL)
        if process.wait() == -signal.SIGKILL:
            process.communicate()
            num_kills += 1
            assert done(cache) >= before
            found.append(done(cache))
        else:  # it was done before; the next kills are for a new one, at the present speed
            seconds = min(seconds, time.monotonic() - started)
            summary = finish(process)
            assert summary["num_kept"] == before
            assert summary["num_prepared"] == NUM_IMAGES - before
            assert content(cache) == expected
            num_caches += 1
    # Some kills came when a part was done, and that part was kept.
    assert len(set(found)) > 1
    for number in range(1, num_caches + 1):
        cache = tmp_path / f"cache-{number}"
        before = done(cache)
        summary = finish(start(command, data, cache))
        assert (summary["num_kept"], summary["num_prepared"]) == (before, NUM_IMAGES - before)
        assert content(cache) == expected
        assert {path.name for path in cache.glob(".*")} == {".reading", ".writing"}


@pytest.mark.slow
def test_two_builds_at_once_share_the_work(tmp_path: Path, command: str, data: Path) -> None:
    cache = tmp_path / "cache"
    builds = [start(command, data, cache) for _ in range(2)]
    summaries = [finish(build) for build in builds]
    assert sorted(summary["num_prepared"] for summary in summaries) == [0, NUM_IMAGES]
    assert sorted(summary["num_kept"] for summary in summaries) == [0, NUM_IMAGES]
