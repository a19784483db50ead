"""The Python interface: one image, and streams of them."""

from __future__ import annotations

import io
import itertools
import json
import os
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import ExifTags, Image

import dermseg
from dermseg.errors import ImageError, UsageError
from dermseg.images import ImageLike, read_image, write_image
from dermseg.prediction import Prediction, Predictor, load_model
from dermseg.prediction.table import row_of_prediction
from dermseg.storage import Folder, StoredFile

Disc = Callable[..., tuple[np.ndarray, np.ndarray]]


@pytest.fixture(scope="module")
def predictor(dark_package: Path) -> Predictor:
    return load_model(dark_package)


def test_the_mask_of_an_array_is_where_it_is_dark(predictor: Predictor, disc: Disc) -> None:
    image, truth = disc((120, 160), centre=(60, 50), radius=30)
    prediction = predictor.predict(image)
    assert prediction.mask.shape == (120, 160)
    assert np.count_nonzero(prediction.mask != truth) < 0.1 * np.count_nonzero(truth)
    assert prediction.class_probabilities.shape == (1, 48, 64)
    assert prediction.probability.shape == (120, 160)
    assert np.array_equal(prediction.masks["lesion"], prediction.probability >= 0.5)
    assert prediction.overlay().shape == image.shape
    assert prediction.measurements.area == np.count_nonzero(prediction.mask)


def test_paths_bytes_files_arrays_and_pillow_images_give_the_same(
    predictor: Predictor, disc: Disc, tmp_path: Path
) -> None:
    image, _ = disc((60, 80), centre=(40, 30), radius=15)
    path = tmp_path / "image.png"
    write_image(path, image)
    encoded = path.read_bytes()
    sources = (image, path, str(path), encoded, io.BytesIO(encoded), Image.open(path))
    first, *others = (predictor.predict(source).probability for source in sources)
    assert all(np.array_equal(first, other) for other in others)


def test_a_stream_keeps_its_order_whatever_batch_size_and_workers(
    predictor: Predictor, disc: Disc
) -> None:
    images = [
        disc((60 + 3 * number, 80), centre=(40, 30), radius=5 + number)[0] for number in range(13)
    ]
    expected = [predictor.predict(image).mask for image in images]
    for batch_size, workers in ((1, 1), (4, 3), (50, 2)):
        stream = predictor.predict_many(iter(images), batch_size=batch_size, workers=workers)
        for prediction, mask in zip(stream, expected, strict=True):
            assert np.array_equal(prediction.mask, mask)


def test_an_endless_stream_is_read_only_a_little_ahead(predictor: Predictor, disc: Disc) -> None:
    image, _ = disc((48, 64), centre=(32, 24), radius=9)
    num_read = 0

    def endless() -> Iterator[np.ndarray]:
        nonlocal num_read
        while True:
            num_read += 1
            yield image

    stream = predictor.predict_many(endless(), batch_size=4, workers=2)
    assert len(list(itertools.islice(stream, 10))) == 10
    assert num_read <= 10 + 4 + 4 + 2
    stream.close()


def test_threads_wait_for_the_next_call(dark_package: Path, disc: Disc) -> None:
    image, _ = disc((48, 64), centre=(32, 24), radius=9)
    before = set(threading.enumerate())
    predictor = load_model(dark_package)
    for _ in range(3):
        list(predictor.predict_many([image] * 4, workers=2))
    kept = {thread for thread in set(threading.enumerate()) - before if "dermseg" in thread.name}
    assert 1 <= len(kept) <= 2


def test_a_forked_process_has_threads_of_its_own(predictor: Predictor, disc: Disc) -> None:
    image, _ = disc((48, 64), centre=(32, 24), radius=9)
    expected = predictor.predict(image).mask
    pools = predictor._pools
    assert {process for process, _ in pools} == {os.getpid()}
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(os, "getpid", lambda: -1)
        assert np.array_equal(predictor.predict(image).mask, expected)
    assert -1 in {process for process, _ in pools}


@pytest.mark.parametrize("source", [None, 3, ["a.png"]])
def test_what_is_no_image_is_refused_with_what_is_expected(
    predictor: Predictor, source: object
) -> None:
    with pytest.raises(UsageError, match="expected a path, the bytes of a file, an open file"):
        predictor.predict(source)  # type: ignore[arg-type]


def test_a_file_that_is_open_for_text_is_named(predictor: Predictor) -> None:
    with pytest.raises(ImageError, match="open for text; open it with mode 'rb'"):
        predictor.predict(io.StringIO("no image"))  # type: ignore[arg-type]


def test_a_pillow_image_lies_as_its_orientation_says(
    predictor: Predictor, disc: Disc, tmp_path: Path
) -> None:
    image, _ = disc((60, 80), centre=(20, 15), radius=9)
    exif = Image.Exif()
    exif[ExifTags.Base.Orientation] = 6
    Image.fromarray(image).save(tmp_path / "turned.png", exif=exif)
    opened = Image.open(tmp_path / "turned.png")
    assert predictor.predict(opened).size == (80, 60)
    assert np.array_equal(
        predictor.predict(opened).mask, predictor.predict(tmp_path / "turned.png").mask
    )


def test_a_prediction_says_what_it_is_in_a_line_and_everything_in_a_dict(
    predictor: Predictor, disc: Disc
) -> None:
    image, _ = disc((60, 80), centre=(40, 30), radius=15)
    prediction = predictor.predict(image)
    assert repr(prediction) == "Prediction(80 x 60 pixels, lesion, threshold 0.5)"
    described = json.loads(json.dumps(prediction.to_dict(spacing_mm=0.1)))
    row = row_of_prediction("a.png", "a", prediction, spacing_mm=0.1)
    assert {key: row[key] for key in row if key not in {"file", "mask"}} == {
        key: described[key] for key in described.keys() & row.keys()
    }
    assert described["refusal"] is None
    assert described["area_pixels"] == prediction.measurements.area
    assert described["area_mm2"] == pytest.approx(0.01 * prediction.measurements.area)
    shown = read_image(prediction._repr_png_())
    assert shown.shape == image.shape


def test_no_thread_at_all_is_refused(dark_package: Path) -> None:
    with pytest.raises(UsageError, match="num_threads is 0, expected at least 1"):
        load_model(dark_package, num_threads=0)


def test_a_bad_image_stops_the_stream_or_takes_its_place(predictor: Predictor, disc: Disc) -> None:
    image, _ = disc((48, 64), centre=(32, 24), radius=9)
    sources: list[ImageLike] = [image, b"no image", image]
    with pytest.raises(ImageError):
        list(predictor.predict_many(sources))
    results = list(predictor.predict_many(sources, on_error="return"))
    assert [type(result) for result in results] == [Prediction, ImageError, Prediction]


@pytest.mark.parametrize(
    "wrong",
    [
        np.zeros((5, 5), np.uint8),
        np.zeros((5, 5, 4), np.uint8),
        np.zeros((5, 5, 3), np.float32),
        np.zeros((0, 5, 3), np.uint8),
    ],
)
def test_arrays_that_are_no_rgb_images_are_refused(predictor: Predictor, wrong: np.ndarray) -> None:
    with pytest.raises(ImageError, match=r"expected \(H, W, 3\) uint8"):
        predictor.predict(wrong)


def test_wrong_numbers_are_refused(predictor: Predictor, dark_package: Path) -> None:
    with pytest.raises(UsageError, match="threshold"):
        load_model(dark_package, threshold=1.0)
    with pytest.raises(UsageError, match="at least 1"):
        predictor.predict_many([], batch_size=0)


@pytest.mark.parametrize(
    ("option", "values"),
    [
        ("threshold", ["0.5", [], 1j, float("nan")]),
        ("max_megapixels", ["a", [], 0, float("nan")]),
        ("num_threads", [1.5, "2", 10**12]),
        ("lesion_model", [3]),
    ],
)
def test_options_of_other_types_are_named(
    dark_package: Path, option: str, values: list[Any]
) -> None:
    for value in values:
        with pytest.raises(UsageError, match="expected"):
            load_model(dark_package, **{option: value})
    with pytest.raises(UsageError, match="a model is 3, expected a name or the path of a folder"):
        load_model(3)  # type: ignore[arg-type]


def test_arguments_of_a_stream_of_other_types_are_named(
    predictor: Predictor, disc: Disc, tmp_path: Path
) -> None:
    image, _ = disc((48, 64), centre=(32, 24), radius=9)
    wrong = {
        "batch_size": (0, 1.5, "a", None), "workers": (0, "x"), "image_side": (0, 1.5),
        "on_error": ("ignore", None),
    }  # fmt: skip
    for option, values in wrong.items():
        for value in values:
            with pytest.raises(UsageError, match=f"{option} is .* expected"):
                predictor.predict_many([image], **{option: value})  # type: ignore[call-overload]
    ones = ("a.jpg", tmp_path, b"bytes", image, io.BytesIO(), StoredFile(Folder(tmp_path), "a"))
    for one in ones:
        with pytest.raises(UsageError, match="put one into a list"):
            predictor.predict_many(one)  # type: ignore[arg-type]
    for nothing in (None, 3):
        with pytest.raises(UsageError, match="expected a list"):
            predictor.predict_many(nothing)  # type: ignore[call-overload]
    assert len(list(predictor.predict_many(np.stack([image, image])))) == 2


def test_a_stream_that_fails_in_its_own_way_is_an_image_that_cannot_be_read(
    predictor: Predictor,
) -> None:
    class Broken(io.BytesIO):
        def read(self, size: int | None = -1) -> bytes:
            raise RuntimeError("the connection is gone")

    with pytest.raises(ImageError, match="the connection is gone"):
        predictor.predict(Broken())


def test_arrays_and_pillow_images_are_as_limited_as_files(dark_package: Path, disc: Disc) -> None:
    image, _ = disc((48, 64), centre=(32, 24), radius=9)
    predictor = load_model(dark_package, max_megapixels=0.003)
    for source in (image, Image.fromarray(image)):
        with pytest.raises(ImageError, match="64 x 48 pixels are"):
            predictor.predict(source)
    with pytest.raises(ImageError, match="no pixels"):
        predictor.predict(Image.new("RGB", (0, 5)))


def test_threads_share_a_predictor(predictor: Predictor, disc: Disc) -> None:
    images = [disc((60 + 9 * n, 80), centre=(40, 30), radius=5 + n)[0] for n in range(5)]
    expected = [predictor.predict(image).mask for image in images]

    def masks(_: int) -> list[np.ndarray]:
        return [each.mask for each in predictor.predict_many(images, batch_size=2, workers=2)]

    with ThreadPoolExecutor(4) as pool:
        for found in pool.map(masks, range(8)):
            assert all(map(np.array_equal, found, expected))


def test_public_names_exist() -> None:
    for name in dermseg.__all__:
        assert getattr(dermseg, name) is not None
    with pytest.raises(AttributeError):
        getattr(dermseg, "no_such_name")  # noqa: B009 -- mypy knows that it is not there


_IMPORT = """
import time
started = time.perf_counter()
import dermseg
seconds = time.perf_counter() - started
import sys
heavy = {"torch", "matplotlib", "onnxruntime", "cv2", "numpy"} & set(sys.modules)
print(seconds, heavy or "")
"""


def test_importing_dermseg_is_quick_and_light() -> None:
    outputs = [
        subprocess.run(
            [sys.executable, "-c", _IMPORT], capture_output=True, text=True, check=True
        ).stdout.split(maxsplit=1)
        for _ in range(3)
    ]
    assert min(float(output[0]) for output in outputs) < 0.3
    assert all(len(output) == 1 for output in outputs), outputs


_NO_TORCH = """
import sys

class Refuse:
    def find_spec(self, name, path=None, target=None):
        if name.split(".")[0] in {"torch", "torchvision", "lightning", "matplotlib", "scipy"}:
            raise ModuleNotFoundError(name)

sys.meta_path.insert(0, Refuse())
import dermseg
predictor = dermseg.load_model(sys.argv[1])
print(predictor.predict(dermseg.create_phantom(0).image).mask.shape)
"""


def test_prediction_needs_no_torch(dark_package: Path) -> None:
    result = subprocess.run(
        [sys.executable, "-c", _NO_TORCH, str(dark_package)],
        capture_output=True,
        text=True,
        check=False,
    )
    assert result.stdout == "(192, 256)\n", result.stderr


def test_an_image_of_which_the_network_gives_no_numbers_fails_alone(
    dark_package: Path, disc: Disc, monkeypatch: pytest.MonkeyPatch
) -> None:
    predictor = load_model(dark_package)
    images = [disc((48, 64), centre=(30, 20), radius=radius)[0] for radius in (5, 10)]
    whole = predictor.infer

    def infer(inputs: np.ndarray) -> np.ndarray:
        found = whole(inputs)
        found[0] = np.nan
        return found

    monkeypatch.setattr(predictor, "infer", infer)
    first, second = predictor.predict_many(images, on_error="return")
    assert isinstance(first, ImageError)
    assert str(first).startswith("array: the model dark gives no numbers for it (NaN)")
    assert isinstance(second, Prediction)
    with pytest.raises(ImageError, match="gives no numbers"):
        predictor.predict(images[0])
