"""A cache holds what the files give, and only what is new is made."""

from __future__ import annotations

import json
import os
import pickle
import threading
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest

from dermseg.datasets import open_dataset
from dermseg.datasets.cache import CachedPairs, CacheReport, open_cache
from dermseg.datasets.cache.locking import exclusive_lock
from dermseg.datasets.pairs import NativePairs, Preparation
from dermseg.errors import DatasetError, ImageError, UsageError
from dermseg.images import read_image, write_image, write_mask
from dermseg.recipes import Cleaning
from dermseg.types import Sample, Size

SIZES: tuple[Size, ...] = ((12, 16), (24, 32))
PLAIN = Preparation(Cleaning())


class Lines:
    """Keeps what is said."""

    def __init__(self) -> None:
        self.lines: list[str] = []

    def say(self, message: str) -> None:
        self.lines.append(message)

    def track(self, items: Any, total: int, what: str) -> Any:
        del total, what
        yield from items


def samples_of(*folders: Path) -> list[Sample]:
    return [sample for folder in folders for sample in open_dataset(folder).samples]


def build(
    cache: Path,
    *folders: Path,
    sizes: Sequence[Size] = SIZES,
    preparation: Preparation = PLAIN,
    prune: bool = True,
) -> CacheReport:
    """Complete a cache, and check all that it gives against the files."""
    samples = samples_of(*folders)
    with open_cache(cache, samples, sizes=sizes, preparation=preparation, prune=prune) as opened:
        pairs, report = opened
        failed = {failure.sample.id for failure in report.failures}
        assert_right(pairs, [sample for sample in samples if sample.id not in failed], sizes)
    return report


def assert_right(
    pairs: CachedPairs,
    samples: Sequence[Sample],
    sizes: Sequence[Size] = SIZES,
    preparation: Preparation = PLAIN,
) -> None:
    native = NativePairs(preparation)
    for sample in samples:
        for size in sizes:
            pair, expected = pairs(sample, size), native(sample, size)
            for name in ("image", "masks", "known"):
                values, truth = getattr(pair, name), getattr(expected, name)
                assert values.dtype == truth.dtype
                assert np.array_equal(values, truth)


def counts(report: CacheReport) -> tuple[int, int, int]:
    return report.num_prepared, report.num_kept, report.num_removed


def content(cache: Path) -> dict[str, bytes]:
    return {
        path.name: path.read_bytes()
        for path in sorted(cache.iterdir())
        if not path.name.startswith(".")
    }


def repaint(path: Path) -> None:
    write_image(path, 255 - read_image(path))


def test_first_build_makes_every_pair_and_the_second_none(tmp_path: Path, data: Path) -> None:
    cache = tmp_path / "new" / "cache"
    assert counts(build(cache, data)) == (8, 0, 0)
    before = content(cache)
    assert set(before) == {
        "index.json",
        "images-12x16.u8",
        "images-24x32.u8",
        "masks-12x16.u8",
        "masks-24x32.u8",
    }
    assert len(before["images-24x32.u8"]) == 8 * 24 * 32 * 3
    assert set(before["masks-24x32.u8"]) == {0, 1}
    assert counts(build(cache, data)) == (0, 8, 0)
    assert content(cache) == before


def test_cached_pairs_are_the_native_ones_with_every_step_of_cleaning(
    tmp_path: Path, data: Path
) -> None:
    cleaning = Cleaning(
        crop_field=True, fill_background=True, remove_hair=True, color_constancy=True
    )
    preparation = Preparation(cleaning)
    samples = samples_of(data)
    with open_cache(tmp_path / "cache", samples, sizes=SIZES, preparation=preparation) as (
        pairs,
        _,
    ):
        assert_right(pairs, samples, SIZES, preparation)


def test_index_names_ids_and_the_contents_they_were_made_from(tmp_path: Path, data: Path) -> None:
    build(tmp_path / "cache", data)
    index = json.loads((tmp_path / "cache" / "index.json").read_text())
    assert [row["id"] for row in index["rows"]] == [f"disc_{number:02d}" for number in range(8)]
    assert [row["slot"] for row in index["rows"]] == list(range(8))
    assert index["settings"]["cleaning"] == PLAIN.cleaning.model_dump()


def test_edited_image_alone_is_made_again_in_its_place(tmp_path: Path, data: Path) -> None:
    cache = tmp_path / "cache"
    build(cache, data)
    before = content(cache)
    repaint(data / "images" / "disc_03.png")
    assert counts(build(cache, data)) == (1, 7, 1)
    row = 24 * 32 * 3
    rows = [
        [files["images-24x32.u8"][k * row : (k + 1) * row] for k in range(8)]
        for files in (before, content(cache))
    ]
    assert [k for k in range(8) if rows[0][k] != rows[1][k]] == [3]


def test_edit_that_keeps_size_and_time_is_noticed(tmp_path: Path, data: Path) -> None:
    path = data / "images" / "disc_03.bmp"
    (data / "images" / "disc_03.png").unlink()
    image = np.full((48, 64, 3), 200, np.uint8)
    path.write_bytes(cv2.imencode(".bmp", image)[1].tobytes())
    status = path.stat()
    build(tmp_path / "cache", data)
    path.write_bytes(cv2.imencode(".bmp", image // 2)[1].tobytes())
    os.utime(path, ns=(status.st_atime_ns, status.st_mtime_ns))
    assert (path.stat().st_size, path.stat().st_mtime_ns) == (status.st_size, status.st_mtime_ns)
    assert counts(build(tmp_path / "cache", data)) == (1, 7, 1)


def test_moved_dataset_with_new_times_is_kept(tmp_path: Path, data: Path) -> None:
    build(tmp_path / "cache", data)
    moved = data.rename(tmp_path / "moved")
    for path in moved.rglob("*.png"):
        os.utime(path, (1, 1))
    assert counts(build(tmp_path / "cache", moved)) == (0, 8, 0)


def test_edited_mask_added_and_removed_images_are_followed(tmp_path: Path, data: Path) -> None:
    cache = tmp_path / "cache"
    build(cache, data)
    write_mask(data / "masks" / "disc_00_segmentation.png", np.ones((48, 64), np.bool_))
    for folder, ending in (("images", ""), ("masks", "_segmentation")):
        old = data / folder / f"disc_05{ending}.png"
        old.rename(data / folder / f"new{ending}.png")
        (data / folder / f"disc_06{ending}.png").unlink()
    repaint(data / "images" / "new.png")
    assert counts(build(cache, data)) == (2, 5, 3)
    assert counts(build(cache, data)) == (0, 7, 0)
    assert len(content(cache)["masks-12x16.u8"]) == 8 * 12 * 16  # the last slot is in use


def test_rows_behind_the_last_one_are_cut_off(tmp_path: Path, data: Path) -> None:
    build(tmp_path / "cache", data)
    for path in data.rglob("disc_07*"):
        path.unlink()
    report = build(tmp_path / "cache", data)
    assert counts(report) == (0, 7, 1)
    assert report.num_bytes == 7 * 4 * (12 * 16 + 24 * 32)


def test_without_pruning_other_images_and_sizes_stay(tmp_path: Path, data: Path) -> None:
    cache = tmp_path / "cache"
    build(cache, data)
    some = samples_of(data)[2:4]
    with open_cache(cache, some, sizes=[(24, 32), (8, 8)], preparation=PLAIN) as (pairs, report):
        assert counts(report) == (2, 0, 0)  # each lacked a size
        assert_right(pairs, some, [(24, 32), (8, 8)])
    assert counts(build(cache, data)) == (0, 8, 0)


def test_another_size_is_added_and_one_that_is_not_wanted_goes(tmp_path: Path, data: Path) -> None:
    cache = tmp_path / "cache"
    build(cache, data)
    before = content(cache)
    assert counts(build(cache, data, sizes=[(24, 32), (16, 16)])) == (8, 0, 0)
    after = content(cache)
    assert set(after) == {
        "index.json",
        "images-16x16.u8",
        "images-24x32.u8",
        "masks-16x16.u8",
        "masks-24x32.u8",
    }
    assert after["images-24x32.u8"] == before["images-24x32.u8"]


def test_other_cleaning_or_another_version_makes_all_again(tmp_path: Path, data: Path) -> None:
    cache = tmp_path / "cache"
    build(cache, data)
    samples = samples_of(data)
    preparation = Preparation(Cleaning(color_constancy=True))
    with open_cache(cache, samples, sizes=SIZES, preparation=preparation) as (pairs, report):
        assert counts(report) == (8, 0, 8)
        assert_right(pairs, samples, SIZES, preparation)
    assert counts(build(cache, data)) == (8, 0, 8)
    index = json.loads((cache / "index.json").read_text())
    index["settings"]["versions"]["opencv-python-headless"] = "4.0"
    (cache / "index.json").write_text(json.dumps(index))
    assert counts(build(cache, data)) == (8, 0, 8)


def test_same_image_in_two_datasets_has_one_row(tmp_path: Path, data: Path) -> None:
    assert counts(build(tmp_path / "cache", data, data)) == (8, 0, 0)
    assert counts(build(tmp_path / "cache", data, data)) == (0, 8, 0)


def test_bad_pairs_are_named_and_all_others_done(tmp_path: Path, data: Path) -> None:
    cache = tmp_path / "cache"
    good = (data / "images" / "disc_02.png").read_bytes()
    (data / "images" / "disc_02.png").write_bytes(good[:200])
    (data / "images" / "disc_04.png").write_bytes(b"")
    write_mask(data / "masks" / "disc_07_segmentation.png", np.zeros((64, 48), np.bool_))
    report = build(cache, data)
    assert counts(report) == (5, 0, 0)
    assert [failure.sample.id for failure in report.failures] == ["disc_02", "disc_04", "disc_07"]
    native = NativePairs(PLAIN)
    for failure in report.failures:
        with pytest.raises((ImageError, DatasetError)) as caught:
            native(failure.sample, (12, 16))
        assert str(caught.value) == str(failure.error)
        assert failure.sample.id in str(failure.error)
    (data / "images" / "disc_02.png").write_bytes(good)
    report = build(cache, data)
    assert counts(report) == (1, 5, 0)
    assert len(report.failures) == 2


@pytest.mark.parametrize("name", ["images-24x32.u8", "masks-12x16.u8"])
@pytest.mark.parametrize(
    ("damage", "num_damaged"), [("flip", 1), ("cut", 3), ("empty", 8), ("remove", 8)]
)
def test_damaged_arrays_are_noticed_and_made_again(
    tmp_path: Path, data: Path, name: str, damage: str, num_damaged: int
) -> None:
    cache = tmp_path / "cache"
    build(cache, data)
    before = content(cache)
    whole = bytearray(before[name])
    if damage == "flip":
        whole[len(whole) // 2] ^= 1
    elif damage == "cut":  # in the middle of the sixth row
        del whole[int(len(whole) * 5.5 / 8) :]
    else:
        whole.clear()
    (cache / name).write_bytes(whole)
    if damage == "remove":
        (cache / name).unlink()
    assert counts(build(cache, data)) == (num_damaged, 8 - num_damaged, 0)
    assert content(cache) == before


@pytest.mark.parametrize("text", [b"", b"{", b'{"format": 2}', b"\xff\x00"])
def test_damaged_index_makes_all_again(tmp_path: Path, data: Path, text: bytes) -> None:
    cache = tmp_path / "cache"
    build(cache, data)
    before = content(cache)
    (cache / "index.json").write_bytes(text)
    assert counts(build(cache, data)) == (8, 0, 0)
    assert content(cache) == before
    (cache / "index.json").unlink()
    assert counts(build(cache, data)) == (8, 0, 0)
    assert content(cache) == before


@pytest.mark.parametrize("name", ["notes.txt", "index.json"])
def test_folder_of_something_else_is_refused_and_left_alone(
    tmp_path: Path, data: Path, name: str
) -> None:
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / name).write_text("{}")
    with pytest.raises(UsageError, match="mine holds something else than a cache"):
        build(tmp_path / "mine", data)
    assert [path.name for path in (tmp_path / "mine").iterdir()] == [name]


def test_left_over_temporary_files_are_removed(tmp_path: Path, data: Path) -> None:
    cache = tmp_path / "cache"
    build(cache, data)
    (cache / ".dermseg-0123.tmp").write_bytes(b"half an index")
    build(cache, data)
    assert {path.name for path in cache.glob(".*")} == {".reading", ".writing"}


def test_pairs_are_sent_to_other_processes_without_the_arrays(tmp_path: Path, data: Path) -> None:
    samples = samples_of(data)
    with open_cache(tmp_path / "cache", samples, sizes=SIZES, preparation=PLAIN) as (pairs, _):
        pairs(samples[0], (24, 32))
        sent = pickle.dumps(pairs)
        assert len(sent) < 8 * 24 * 32
        assert_right(pickle.loads(sent), samples)  # noqa: S301


def test_another_process_that_writes_is_waited_for(tmp_path: Path, data: Path) -> None:
    cache = tmp_path / "cache"
    build(cache, data)
    repaint(data / "images" / "disc_03.png")
    lines, done = Lines(), threading.Event()

    def complete() -> None:
        with open_cache(cache, samples_of(data), sizes=SIZES, preparation=PLAIN, display=lines) as (
            _,
            report,
        ):
            assert report.num_prepared == 1
        done.set()

    thread = threading.Thread(target=complete)
    # Two handles of a file lock each other out, in one process as in two.
    with exclusive_lock(cache / ".writing", on_wait=lambda: None):
        thread.start()
        assert not done.wait(0.5)
        assert len(lines.lines) == 1
        assert "waiting, another process is writing it" in lines.lines[0]
    thread.join(30)
    assert done.is_set()


def test_nothing_is_given_up_while_a_process_reads(tmp_path: Path, data: Path) -> None:
    cache = tmp_path / "cache"
    samples = samples_of(data)
    with open_cache(cache, samples, sizes=SIZES, preparation=PLAIN) as (pairs, _):
        expected = [pairs(sample, (24, 32)).image for sample in samples]
        for path in data.rglob("disc_00*"):
            path.unlink()
        repaint(data / "images" / "disc_03.png")
        assert counts(build(cache, data, sizes=[(24, 32)])) == (1, 6, 0)
        reopened = pickle.loads(pickle.dumps(pairs))  # noqa: S301
        for sample, image in zip(samples, expected, strict=True):
            assert np.array_equal(reopened(sample, (24, 32)).image, image)
        with pytest.raises(UsageError, match="in use by a training run"):
            build(cache, data, preparation=Preparation(Cleaning(remove_hair=True)))
    assert counts(build(cache, data, sizes=[(24, 32)])) == (0, 7, 2)


def test_opencv_keeps_its_threads(tmp_path: Path, data: Path) -> None:
    before = cv2.getNumThreads()
    build(tmp_path / "cache", data)
    assert cv2.getNumThreads() == before
