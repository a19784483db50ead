"""The shipped model in int8: its measured loss, and that runtimes agree on it."""

from __future__ import annotations

from importlib.util import find_spec

import numpy as np
import pytest

from dermseg.metrics import jaccard
from dermseg.package import Precision, Runtime, load_package
from dermseg.phantom import create_phantom
from dermseg.prediction import load_model

needs_openvino = pytest.mark.skipif(not find_spec("openvino"), reason="needs [openvino]")


def test_it_lost_less_than_three_thousandths() -> None:
    measured = load_package("fast-int8").spec.quantization
    assert measured is not None
    assert measured.num_images == 205
    assert measured.loss < 0.003


def test_it_is_reported_as_int8_whatever_is_asked_for() -> None:
    package = load_package("fast-int8")
    precisions: tuple[Precision, ...] = ("auto", "float32")
    for precision in precisions:
        assert Runtime(package, runtime="onnx", precision=precision).precision == "int8"


def test_its_masks_are_nearly_those_of_float32() -> None:
    one, other = (load_model(name, runtime="onnx") for name in ("fast", "fast-int8"))
    images = [create_phantom(seed).image for seed in range(6)]
    scores = [jaccard(one.predict(image).mask, other.predict(image).mask) for image in images]
    assert np.mean(scores) > 0.97


@needs_openvino
def test_runtimes_agree_in_probabilities_and_masks() -> None:
    one = load_model("fast-int8", runtime="onnx")
    other = load_model("fast-int8", runtime="openvino", precision="auto")
    assert (one.runtime.precision, other.runtime.precision) == ("int8", "int8")
    for seed in range(4):
        image = create_phantom(seed).image
        predictions = one.predict(image), other.predict(image)
        difference = np.subtract(*(each.class_probabilities for each in predictions))
        # A value that falls on the other side of a rounding step is off by a whole step.
        assert np.abs(difference).mean() < 2e-3
        assert jaccard(*(each.mask for each in predictions)) > 0.98
