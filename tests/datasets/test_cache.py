"""A cache gives what the files give, and makes only what is new."""

from __future__ import annotations

import json
import os
import pickle
import shutil
import signal
import subprocess
import time
from collections import namedtuple
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from importlib import metadata
from pathlib import Path

import cv2
import numpy as np
import pytest

from dermseg.datasets import LESION, open_dataset
from dermseg.datasets.cache import CachedPairs, fill_cache
from dermseg.datasets.pairs import NativePairs, Preparation
from dermseg.datasets.superpixels import write_features
from dermseg.errors import DatasetError, ImageError, OutputError, UsageError
from dermseg.images import read_image, write_image, write_mask
from dermseg.recipes import Cleaning
from dermseg.types import Sample, Size

SIZES: tuple[Size, ...] = ((12, 16), (24, 32))
PLAIN = Preparation(Cleaning())
ATTRIBUTES = ("globules", "milia_like_cyst", "negative_network", "pigment_network", "streaks")
CROPPED = Preparation(Cleaning(crop_field=True), (*ATTRIBUTES, LESION), 0.1)
STEPS = Cleaning(crop_field=True, fill_background=True, remove_hair=True, color_constancy=True)
NUM_BYTES = sum(4 + 1 + height * width // 8 * 25 for height, width in SIZES)
Usage = namedtuple("Usage", "total used free")


@pytest.fixture
def data(tmp_path: Path, disc_dataset: Path) -> Path:
    """Eight images of discs and their masks, to change and damage."""
    root = tmp_path / "data"
    for folder in ("images", "masks"):
        (root / folder).mkdir(parents=True)
        for path in sorted((disc_dataset / folder).iterdir())[:8]:
            shutil.copy2(path, root / folder)
    return root


@pytest.fixture
def attributes(tmp_path: Path, attribute_dataset: Path) -> Path:
    """Four images with masks of six classes, to change and damage."""
    root = tmp_path / "isic2018"
    for path in sorted(attribute_dataset.rglob("ISIC_000000[0-3]*")):
        folder = root / path.parent.name
        folder.mkdir(parents=True, exist_ok=True)
        shutil.copy2(path, folder)
    return root


def fill(
    cache: Path, data: Path | Sequence[Sample], preparation: Preparation = PLAIN
) -> tuple[int, int]:
    """Fill a cache, check all that it gives against the files, and count prepared and kept."""
    samples = open_dataset(data).samples if isinstance(data, Path) else data
    pairs, report = fill_cache(cache, samples, sizes=SIZES, preparation=preparation)
    assert report.failures == ()
    assert_right(pairs, samples, preparation)
    return report.num_prepared, report.num_kept


def assert_right(pairs: CachedPairs, samples: Sequence[Sample], preparation: Preparation) -> None:
    native = NativePairs(preparation)
    for sample in samples:
        for size in SIZES:
            pair, expected = pairs(sample, size), native(sample, size)
            for name in ("image", "masks", "known"):
                values, truth = getattr(pair, name), getattr(expected, name)
                assert values.dtype == truth.dtype
                assert values.flags.writeable
                assert np.array_equal(values, truth)


def content(cache: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in cache.iterdir()}


def repaint(path: Path) -> None:
    write_image(path, 255 - read_image(path))


def test_first_call_makes_every_pair_and_the_second_none(tmp_path: Path, data: Path) -> None:
    cache = tmp_path / "new" / "cache"
    assert fill(cache, data) == (8, 0)
    assert len(list(cache.glob("*-12x16.pair"))) == len(list(cache.glob("*-24x32.pair"))) == 8
    times = {path: path.stat().st_ctime_ns for path in cache.iterdir()}
    assert fill(cache, data) == (0, 8)
    assert times == {path: path.stat().st_ctime_ns for path in cache.iterdir()}


@pytest.mark.parametrize(
    "preparation",
    [Preparation(STEPS, (LESION,)), Preparation(Cleaning(), ATTRIBUTES), CROPPED],
)
def test_all_steps_and_classes_give_the_native_pairs(
    tmp_path: Path, attributes: Path, preparation: Preparation
) -> None:
    assert fill(tmp_path / "cache", attributes, preparation) == (4, 0)


def test_more_classes_than_bits_of_a_byte_are_kept(tmp_path: Path, attributes: Path) -> None:
    sample = open_dataset(attributes).samples[0]
    assert sample.mask is not None
    names = [f"class_{number}" for number in range(9)]
    masks = dict(zip(names, [*sample.attributes.values(), *[sample.mask] * 4], strict=True))
    del masks["class_6"]
    samples = [replace(sample, attributes=masks)]
    assert fill(tmp_path / "cache", samples, Preparation(Cleaning(), tuple(names))) == (1, 0)


def test_reading_needs_no_source_file_and_works_in_other_processes(
    tmp_path: Path, data: Path
) -> None:
    samples = open_dataset(data).samples
    pairs, _ = fill_cache(tmp_path / "cache", samples, sizes=SIZES, preparation=PLAIN)
    expected = [NativePairs(PLAIN)(sample, (24, 32)) for sample in samples]
    shutil.rmtree(data)
    sent = pickle.loads(pickle.dumps(pairs))  # noqa: S301
    for sample, pair in zip(samples, expected, strict=True):
        assert np.array_equal(sent(sample, (24, 32)).image, pair.image)


def test_what_is_edited_added_or_removed_is_followed(tmp_path: Path, data: Path) -> None:
    cache = tmp_path / "cache"
    fill(cache, data)
    repaint(data / "images" / "disc_03.png")
    write_mask(data / "masks" / "disc_00_segmentation.png", np.ones((48, 64), np.bool_))
    for path in data.rglob("disc_06*"):
        path.unlink()
    for path in data.rglob("disc_05*"):
        path.rename(path.with_name(path.name.replace("disc_05", "new")))
    assert fill(cache, data) == (3, 4)
    assert fill(cache, data) == (0, 7)


@pytest.mark.skipif(os.name == "nt", reason="Windows has no time of change")
def test_file_replaced_by_one_of_the_same_length_and_time_is_noticed(
    tmp_path: Path, data: Path
) -> None:
    (data / "images" / "disc_03.png").unlink()
    path, image = data / "images" / "disc_03.bmp", np.full((48, 64, 3), 200, np.uint8)
    path.write_bytes(cv2.imencode(".bmp", image)[1].tobytes())
    status = path.stat()
    fill(tmp_path / "cache", data)
    path.write_bytes(cv2.imencode(".bmp", image // 2)[1].tobytes())
    os.utime(path, ns=(status.st_atime_ns, status.st_mtime_ns))
    assert (path.stat().st_size, path.stat().st_mtime_ns) == (status.st_size, status.st_mtime_ns)
    assert fill(tmp_path / "cache", data) == (1, 7)


def test_other_settings_and_versions_have_files_of_their_own(
    tmp_path: Path, attributes: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    cache = tmp_path / "cache"
    settings = [
        PLAIN,
        Preparation(Cleaning(color_constancy=True)),
        Preparation(Cleaning(), ATTRIBUTES[:2]),
        Preparation(Cleaning(), ATTRIBUTES[1::-1]),
        CROPPED,
        replace(CROPPED, crop_margin=0.2),
    ]
    for preparation in settings:
        assert fill(cache, attributes, preparation) == (4, 0)
    for preparation in settings:
        assert fill(cache, attributes, preparation) == (0, 4)
    for package in ("dermseg", "opencv-python-headless", "pillow"):
        versions = {package: "0.0"}
        monkeypatch.setattr(metadata, "version", lambda name, new=versions: new.get(name, "1.0"))
        assert fill(cache, attributes) == (4, 0)


def test_masks_count_where_their_classes_do(tmp_path: Path, attributes: Path) -> None:
    cache, plain = tmp_path / "cache", Preparation(Cleaning(), ATTRIBUTES)
    fill(cache, attributes, plain)
    fill(cache, attributes, CROPPED)
    lesions = attributes / "ISIC2018_Task1_Training_GroundTruth"
    write_mask(lesions / "ISIC_0000000_segmentation.png", np.zeros((72, 96), np.bool_))
    assert fill(cache, attributes, plain) == (0, 4)
    assert fill(cache, attributes, CROPPED) == (1, 3)
    streaks = sorted(attributes.rglob("*streaks*"))
    write_mask(streaks[1], np.ones((72, 96), np.bool_))
    streaks[2].unlink()
    assert fill(cache, attributes, plain) == (2, 2)


def test_features_of_superpixels_are_followed(tmp_path: Path) -> None:
    data = tmp_path / "isic2017" / "ISIC-2017_Training_Data"
    truth = tmp_path / "isic2017" / "ISIC-2017_Training_Part2_GroundTruth"
    data.mkdir(parents=True)
    truth.mkdir()
    labels = np.zeros((48, 96, 3), np.uint8)
    labels[..., 0] = np.arange(6).reshape(2, 3).repeat(24, axis=0).repeat(32, axis=1)
    flags = {name: np.arange(6) == place for place, name in enumerate(ATTRIBUTES[1:])}
    for id in ("ISIC_0000000", "ISIC_0000001"):
        write_image(data / f"{id}.jpg", np.full((48, 96, 3), 180, np.uint8))
        write_image(data / f"{id}_superpixels.png", labels)
        write_features(truth / f"{id}_features.json", flags)
    preparation = Preparation(Cleaning(), ATTRIBUTES)
    assert fill(tmp_path / "cache", tmp_path / "isic2017", preparation) == (2, 0)
    write_features(truth / "ISIC_0000001_features.json", flags | {"streaks": np.ones(6, np.bool_)})
    assert fill(tmp_path / "cache", tmp_path / "isic2017", preparation) == (1, 1)


def test_image_of_known_presence_is_not_mistaken_for_one_of_which_nothing_is_known(
    tmp_path: Path, attributes: Path
) -> None:
    bare = replace(open_dataset(attributes).samples[0], attributes={})
    told = replace(bare, presence={"streaks": True})
    preparation = Preparation(Cleaning(), ATTRIBUTES)
    assert fill(tmp_path / "cache", [told], preparation) == (1, 0)
    _, report = fill_cache(tmp_path / "cache", [bare, told], sizes=SIZES, preparation=preparation)
    assert report.num_kept == 1
    ((sample, error),) = report.failures
    assert sample is bare
    assert "ISIC_0000000 has no mask of globules or milia_like_cyst" in str(error)


def test_same_image_in_two_datasets_is_made_once(tmp_path: Path, data: Path) -> None:
    samples = open_dataset(data).samples
    assert fill(tmp_path / "cache", [*samples, *samples]) == (8, 0)


def test_bad_pairs_are_named_and_all_others_done(tmp_path: Path, data: Path) -> None:
    good = (data / "images" / "disc_02.png").read_bytes()
    (data / "images" / "disc_02.png").write_bytes(good[:200])
    write_mask(data / "masks" / "disc_07_segmentation.png", np.zeros((64, 48), np.bool_))
    samples = open_dataset(data).samples
    (data / "images" / "disc_04.png").unlink()
    pairs, report = fill_cache(tmp_path / "cache", samples, sizes=SIZES, preparation=PLAIN)
    assert (report.num_prepared, report.num_kept, report.num_bytes) == (5, 0, 5 * NUM_BYTES)
    assert [sample.id for sample, _ in report.failures] == ["disc_02", "disc_04", "disc_07"]
    for sample, error in report.failures:
        for source in (NativePairs(PLAIN), pairs):
            with pytest.raises((ImageError, DatasetError)) as caught:
                source(sample, (12, 16))
            assert str(caught.value) == str(error)
            assert sample.id in str(error)
    (data / "images" / "disc_02.png").write_bytes(good)
    _, report = fill_cache(tmp_path / "cache", samples, sizes=SIZES, preparation=PLAIN)
    assert (report.num_prepared, report.num_kept, len(report.failures)) == (1, 5, 2)


@pytest.mark.parametrize("damage", ["flip", "cut", "lengthen", "empty", "zeros", "remove"])
def test_damaged_files_are_noticed_and_made_again(tmp_path: Path, data: Path, damage: str) -> None:
    cache = tmp_path / "cache"
    fill(cache, data)
    before = content(cache)
    for place, (name, whole) in enumerate(before.items()):
        flipped = bytearray(whole)
        flipped[place * len(whole) // len(before)] ^= 1  # the checksum, the masks, the image
        damaged = {
            "flip": bytes(flipped),
            "cut": whole[:-1],
            "lengthen": whole + b"\0",
            "empty": b"",
            "zeros": bytes(len(whole)),
        }
        (cache / name).unlink()
        if damage != "remove":
            (cache / name).write_bytes(damaged[damage])
    fill(cache, data)
    assert content(cache) == before


def test_folder_of_something_else_is_refused_and_left_alone(tmp_path: Path, data: Path) -> None:
    before = sorted(data.rglob("*"))
    with pytest.raises(UsageError, match="data holds something else than a cache"):
        fill(data, data)
    assert sorted(data.rglob("*")) == before


def test_opencv_keeps_its_threads(tmp_path: Path, data: Path) -> None:
    before = cv2.getNumThreads()
    fill(tmp_path / "cache", data)
    assert cv2.getNumThreads() == before


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
def test_full_disk_is_one_line_and_leaves_nothing_half_done(tmp_path: Path, data: Path) -> None:
    cache = tmp_path / "cache"
    with (
        files_of_at_most(24 * 32 * 3),
        pytest.raises(OutputError, match=r"-24x32\.pair: cannot be written: the file would"),
    ):
        fill(cache, data)
    assert set(map(len, content(cache).values())) <= {4 + 1 + 12 * 16 // 8 * 25}
    fill(cache, data)
    assert fill(cache, data) == (0, 8)


def test_too_little_space_is_refused_before_anything_is_read(
    tmp_path: Path, data: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    free = 8 * NUM_BYTES - 1
    monkeypatch.setattr(shutil, "disk_usage", lambda _: Usage(10**9, 10**9 - free, free))
    with pytest.raises(OutputError, match=r"cache: 0\.0 MB are needed and 0\.0 MB are free"):
        fill(tmp_path / "cache", data)
    assert content(tmp_path / "cache") == {}
    monkeypatch.setattr(shutil, "disk_usage", lambda _: Usage(10**9, 10**9 - free, free + 1))
    assert fill(tmp_path / "cache", data) == (8, 0)


@pytest.mark.skipif(
    os.name == "nt" or os.geteuid() == 0, reason="needs a folder that may not be written"
)
def test_folder_that_may_not_be_written_is_an_output_error(tmp_path: Path, data: Path) -> None:
    (tmp_path / "closed").mkdir(mode=0o500)
    for cache in (tmp_path / "closed", tmp_path / "closed" / "cache"):
        with pytest.raises(OutputError, match="no permission"):
            fill(cache, data)


def test_place_below_a_file_is_an_output_error(tmp_path: Path, data: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(OutputError, match="cannot be made"):
        fill(tmp_path / "file" / "cache", data)


@pytest.mark.slow
@pytest.mark.skipif(os.name == "nt", reason="kills by signal")
def test_processes_fill_one_cache_at_once_and_may_be_killed(
    tmp_path: Path, command: str, disc: Callable[..., tuple[np.ndarray, np.ndarray]]
) -> None:
    data, cache, generator = tmp_path / "data", tmp_path / "cache", np.random.default_rng(0)
    for folder in ("images", "masks"):
        (data / folder).mkdir(parents=True)
    for number in range(24):  # some 20 ms each
        image, mask = disc((480, 640), centre=generator.uniform(200, 300, 2), radius=100)
        noisy = image + generator.integers(-20, 20, image.shape)
        write_image(data / "images" / f"disc_{number:02d}.png", noisy.astype(np.uint8))
        write_mask(data / "masks" / f"disc_{number:02d}.png", mask)
    call: list[str | Path] = [
        command,
        "data",
        "prepare",
        "unet-isic2018",
        "--data",
        data,
        "-o",
        cache,
        "--json",
    ]
    call += ["--set", "preprocessing.size=[24, 32]", "--set", "preprocessing.remove_hair=true"]
    processes = [
        subprocess.Popen(call, stdout=subprocess.PIPE, stderr=subprocess.PIPE) for _ in range(3)
    ]
    while not list(cache.glob("*.pair")):
        time.sleep(0.01)
    processes[0].send_signal(signal.SIGKILL)
    outputs = [process.communicate(timeout=120) for process in processes]
    assert [process.returncode for process in processes] == [-signal.SIGKILL, 0, 0], outputs
    for output, _ in outputs[1:]:
        summary = json.loads(output)
        assert summary["num_prepared"] + summary["num_kept"] == 24
    samples = open_dataset(data).samples
    preparation = Preparation(Cleaning(remove_hair=True))
    pairs, report = fill_cache(cache, samples, sizes=[(24, 32)], preparation=preparation)
    assert (report.num_prepared, report.num_kept) == (0, 24)
    native = NativePairs(preparation)
    for sample in samples:
        assert np.array_equal(pairs(sample, (24, 32)).image, native(sample, (24, 32)).image)
