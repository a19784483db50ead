"""From logits to probabilities."""

from __future__ import annotations

import hashlib
import math
from collections.abc import Callable
from importlib.util import find_spec
from pathlib import Path

import numpy as np
import pytest

from dermseg.errors import PackageError
from dermseg.package import Runtime, load_package

MakePackage = Callable[..., Path]
Edit = Callable[..., Path]

RED, GREEN = np.eye(3, dtype=np.float32)[:2]


def draw_pixels(red: float, green: float = 0.0) -> np.ndarray:
    """One image of 2 x 2 pixels of one colour."""
    inputs = np.zeros((1, 3, 2, 2), np.float32)
    inputs[0, 0], inputs[0, 1] = red, green
    return inputs


@pytest.mark.parametrize(
    ("logit", "expected"), [(0.0, 0.5), (math.log(3), 0.75), (-math.log(3), 0.25)]
)
def test_sigmoid_by_hand(make_package: MakePackage, logit: float, expected: float) -> None:
    runtime = Runtime(load_package(make_package(RED[None])))
    probabilities = runtime(draw_pixels(logit))
    assert probabilities.shape == (1, 1, 2, 2)
    assert probabilities.dtype == np.float32
    assert probabilities == pytest.approx(np.full((1, 1, 2, 2), expected), abs=1e-6)


@pytest.mark.parametrize("activation", ["sigmoid", "softmax"])
def test_huge_logits_do_not_overflow(make_package: MakePackage, activation: str) -> None:
    weights = [RED, -RED] if activation == "sigmoid" else [np.zeros(3, np.float32), RED, -RED]
    runtime = Runtime(load_package(make_package(np.stack(weights), activation=activation)))
    probabilities = runtime(draw_pixels(1e6))
    assert probabilities[0, :, 0, 0].tolist() == [1.0, 0.0]


def test_softmax_by_hand_without_the_background(make_package: MakePackage) -> None:
    zero = np.zeros(3, np.float32)
    runtime = Runtime(
        load_package(make_package(np.stack([RED, GREEN, zero]), activation="softmax"))
    )
    probabilities = runtime(draw_pixels(math.log(2), math.log(5)))
    assert probabilities[0, :, 1, 1] == pytest.approx([5 / 8, 1 / 8], abs=1e-6)


def test_temperature_divides_the_logits(make_package: MakePackage) -> None:
    folder = make_package(RED[None], temperature=2.0)
    probabilities = Runtime(load_package(folder))(draw_pixels(2 * math.log(3)))
    assert probabilities[0, 0, 0, 0] == pytest.approx(0.75, abs=1e-6)


def test_bias_is_added_to_what_was_divided(make_package: MakePackage) -> None:
    folder = make_package(RED[None], temperature=2.0, bias=math.log(2))
    probabilities = Runtime(load_package(folder))(draw_pixels(2 * math.log(3)))
    assert probabilities[0, 0, 0, 0] == pytest.approx(6 / 7, abs=1e-6)


def test_temperature_divides_the_logits_of_a_softmax(make_package: MakePackage) -> None:
    weights = np.stack([RED, np.zeros(3, np.float32)])
    folder = make_package(weights, activation="softmax", temperature=0.5)
    probabilities = Runtime(load_package(folder))(draw_pixels(math.log(2)))
    assert probabilities[0, :, 0, 0] == pytest.approx([0.2], abs=1e-6)


def test_images_of_a_batch_do_not_mix(make_package: MakePackage) -> None:
    runtime = Runtime(load_package(make_package(RED[None])), num_threads=1)
    inputs = np.concatenate([draw_pixels(0), draw_pixels(math.log(3)), draw_pixels(-9)])
    together = runtime(inputs)
    assert together.shape == (3, 1, 2, 2)
    for row, image in enumerate(inputs):
        assert np.array_equal(together[row], runtime(image[None])[0])


def test_file_that_is_no_graph_is_refused(edit: Edit) -> None:
    content = b"this is no graph"
    folder = edit(onnx_sha256=hashlib.sha256(content).hexdigest())
    (folder / "model.onnx").write_bytes(content)
    with pytest.raises(PackageError, match=r"model\.onnx: ONNX Runtime refuses it"):
        Runtime(load_package(folder), runtime="onnx")
    if find_spec("openvino"):
        with pytest.raises(PackageError, match=r"model\.onnx: OpenVINO refuses it: Unable to read"):
            Runtime(load_package(folder), runtime="openvino")


def test_graph_for_another_size_is_refused(edit: Edit) -> None:
    folder = edit(input_size=[96, 128])
    with pytest.raises(PackageError, match=r"takes .*48, 64.* expects .*96, 128"):
        Runtime(load_package(folder))


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ({"activation": "softmax"}, r"gives 1 maps .* expects 2, for lesion and the background"),
        ({"classes": ["a", "b"]}, r"gives 1 maps .* expects 2, for a, b under sigmoid"),
    ],
)
def test_graph_for_another_number_of_classes_is_refused(
    edit: Edit, values: dict[str, object], message: str
) -> None:
    with pytest.raises(PackageError, match=message):
        Runtime(load_package(edit(**values)))


def test_onnx_runtime_is_told_to_report_nothing(
    make_package: MakePackage, monkeypatch: pytest.MonkeyPatch
) -> None:
    told = []
    monkeypatch.setattr("onnxruntime.disable_telemetry_events", lambda: told.append(True))
    Runtime(load_package(make_package(RED[None])), runtime="onnx")(draw_pixels(0.0))
    assert told
