"""A disk that is full, or would be."""

from __future__ import annotations

import os
import shutil
from collections import namedtuple
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from dermseg.datasets import open_dataset
from dermseg.datasets.cache import CacheReport, open_cache
from dermseg.datasets.pairs import Preparation
from dermseg.errors import OutputError
from dermseg.recipes import Cleaning

SIZE = (48, 64)
ROW = 48 * 64 * 4
Usage = namedtuple("Usage", "total used free")


def build(cache: Path, data: Path) -> CacheReport:
    samples = open_dataset(data).samples
    with open_cache(cache, samples, sizes=[SIZE], preparation=Preparation(Cleaning())) as (
        _,
        report,
    ):
        return report


@contextmanager
def files_of_at_most(num_bytes: int) -> Iterator[None]:
    """Let no file grow beyond a size, as a full disk does."""
    import resource  # noqa: PLC0415 -- not on Windows

    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (num_bytes, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))


@pytest.mark.skipif(os.name == "nt", reason="needs POSIX limits")
def test_full_disk_is_one_line_and_nothing_half_done_looks_whole(
    tmp_path: Path, data: Path
) -> None:
    cache = tmp_path / "cache"
    with (
        files_of_at_most(48 * 64 * 3 * 5 + 100),
        pytest.raises(OutputError, match=r"images-48x64\.u8: cannot be written: the file would"),
    ):
        build(cache, data)
    # Five rows were written, but were not on the disk for sure when the sixth failed.
    assert build(cache, data).num_prepared == 8
    assert build(cache, data).num_kept == 8


def test_too_little_space_is_refused_before_anything_is_read(
    tmp_path: Path, data: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(shutil, "disk_usage", lambda _: Usage(10**9, 10**9 - ROW * 7, ROW * 7))
    with pytest.raises(
        OutputError, match=r"cache: 0\.1 MB are needed for 8 images and 0\.1 MB are free"
    ):
        build(tmp_path / "cache", data)
    assert (tmp_path / "cache" / "images-48x64.u8").stat().st_size == 0
    monkeypatch.setattr(shutil, "disk_usage", lambda _: Usage(10**9, 10**9 - ROW * 8, ROW * 8))
    assert build(tmp_path / "cache", data).num_prepared == 8


def test_rows_that_are_made_again_in_place_need_no_space(
    tmp_path: Path, data: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    build(tmp_path / "cache", data)
    (tmp_path / "cache" / "index.json").unlink()
    monkeypatch.setattr(shutil, "disk_usage", lambda _: Usage(10**9, 10**9, 0))
    assert build(tmp_path / "cache", data).num_prepared == 8


@pytest.mark.skipif(
    os.name == "nt" or os.geteuid() == 0, reason="needs a folder that may not be written"
)
def test_folder_that_may_not_be_written_is_an_output_error(tmp_path: Path, data: Path) -> None:
    (tmp_path / "closed").mkdir(mode=0o500)
    with pytest.raises(OutputError, match="no permission"):
        build(tmp_path / "closed" / "cache", data)


def test_place_below_a_file_is_an_output_error(tmp_path: Path, data: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(OutputError, match="cannot be made"):
        build(tmp_path / "file" / "cache", data)
