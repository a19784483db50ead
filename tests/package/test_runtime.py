"""From logits to probabilities."""

from __future__ import annotations

import hashlib
import math
from collections.abc import Callable
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from onnx import TensorProto, helper

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


IMAGES = helper.make_tensor_value_info("images", TensorProto.FLOAT, ["batch", 3, 2, 2])
KEEP = helper.make_tensor("keep", TensorProto.INT64, [4], [-1, 1, 2, 2])


def save_graph(edit: Edit, nodes: list[Any], kind: int = TensorProto.FLOAT, **shape: Any) -> Path:
    """Write a package with a graph from ``images`` (2 x 2 pixels) to ``logits``."""
    maps = helper.make_tensor_value_info(
        "logits", kind, shape.get("logits", ["batch", 1, None, None])
    )
    axes = helper.make_tensor("axes", TensorProto.INT64, [1], [1])
    graph = helper.make_graph(nodes, "hostile", [IMAGES], [maps], [axes, KEEP])
    opset = helper.make_opsetid("", 20)
    content = helper.make_model(graph, opset_imports=[opset], ir_version=10).SerializeToString()
    folder = edit(input_size=[2, 2], onnx_sha256=hashlib.sha256(content).hexdigest())
    (folder / "model.onnx").write_bytes(content)
    return folder


def node(kind: str, inputs: list[str], output: str = "logits", **values: Any) -> Any:
    return helper.make_node(kind, inputs, [output], **values)


MEAN = node("ReduceMean", ["images", "axes"], "mean")


@pytest.mark.parametrize(
    ("nodes", "kind", "message"),
    [
        ([MEAN, node("Log", ["mean"], "log"), node("Sub", ["log", "log"])], TensorProto.FLOAT,
         "gives no finite numbers"),
        ([MEAN, node("Concat", ["mean", "mean"], axis=2)], TensorProto.FLOAT,
         r"of shape \(1, 1, 4, 2\), expected floats of shape \(1, 1, 2, 2\)"),
        ([MEAN, node("Flatten", ["mean"], "flat"), node("Identity", ["flat"])],
         TensorProto.FLOAT, "gives 0 maps|refuses it"),
        ([MEAN, node("Greater", ["mean", "mean"])], TensorProto.BOOL, "gives bool of shape"),
        ([MEAN, node("Cast", ["mean"], to=TensorProto.INT32)], TensorProto.INT32, "gives int32"),
        ([MEAN, node("Nothing", ["mean"])], TensorProto.FLOAT, "ONNX Runtime refuses it"),
        ([MEAN, node("Slice", ["mean", "axes", "axes"])], TensorProto.FLOAT, "of shape"),
    ],
)  # fmt: skip
def test_what_a_graph_says_of_noise_is_checked_when_it_is_loaded(
    edit: Edit, nodes: list[Any], kind: int, message: str
) -> None:
    folder = save_graph(edit, nodes, kind)
    with pytest.raises(PackageError, match=message):
        Runtime(load_package(folder), runtime="onnx")


def test_a_loop_without_end_is_stopped(edit: Edit, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("dermseg.package.runtime._PROBE_SECONDS", 0.5)
    flag: list[int] = []
    whole = [None, 1, None, None]
    body = helper.make_graph(
        [node("Identity", ["go"], "goes"), node("Identity", ["value"], "next")],
        "body",
        [
            helper.make_tensor_value_info("i", TensorProto.INT64, flag),
            helper.make_tensor_value_info("go", TensorProto.BOOL, flag),
            helper.make_tensor_value_info("value", TensorProto.FLOAT, whole),
        ],
        [
            helper.make_tensor_value_info("goes", TensorProto.BOOL, flag),
            helper.make_tensor_value_info("next", TensorProto.FLOAT, whole),
        ],
    )
    nodes = [
        MEAN,
        node("Constant", [], "true", value=helper.make_tensor("t", TensorProto.BOOL, [], [True])),
        helper.make_node("Loop", ["", "true", "mean"], ["logits"], body=body),
    ]
    with pytest.raises(PackageError, match=r"cannot run .*: after 0 s|is not done"):
        Runtime(load_package(save_graph(edit, nodes)))
