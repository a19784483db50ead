"""Packages in int8: calibrated on training images, with a loss that was measured."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import onnx
import pytest

from dermseg.datasets import Dataset, open_dataset
from dermseg.errors import UsageError
from dermseg.export import ExportOptions, choose_images, export_run, quantize_package
from dermseg.images import read_mask, write_image, write_mask
from dermseg.metrics import jaccard
from dermseg.package import Runtime, load_package
from dermseg.prediction import load_model
from dermseg.types import Sample

Disc = Callable[..., tuple[np.ndarray, np.ndarray]]


@pytest.fixture
def data(tmp_path: Path, disc: Disc) -> Dataset:
    """The images that the run says it was trained on and chosen by, and others."""
    for folder in ("images", "masks"):
        (tmp_path / "data" / folder).mkdir(parents=True)
    for number, name in enumerate("abcde"):
        image, mask = disc((64, 96), centre=(40 + 4 * number, 30), radius=12 + number)
        write_image(tmp_path / "data" / "images" / f"{name}.png", image)
        write_mask(tmp_path / "data" / "masks" / f"{name}.png", mask)
    return open_dataset(tmp_path / "data")


def sample(name: str) -> Sample:
    return Sample(name, Path(f"{name}.png"), Path(f"{name}_mask.png"), name)


@pytest.mark.slow
def test_a_run_is_exported_in_int8_with_its_loss(tmp_path: Path, run: Path, data: Dataset) -> None:
    plain, quantized = tmp_path / "plain", tmp_path / "int8"
    export_run(run, plain)
    spec = export_run(run, quantized, ExportOptions(int8=data))
    assert load_package(quantized).spec == spec
    assert load_package(plain).spec.quantization is None
    measured = spec.quantization
    assert measured is not None
    assert (measured.num_calibration_images, measured.num_images) == (2, 1)
    truth = read_mask(tmp_path / "data" / "masks" / "c.png")
    for package, expected in (
        (plain, measured.float32_jaccard),
        (quantized, measured.int8_jaccard),
    ):
        prediction = load_model(package, runtime="onnx").predict(
            tmp_path / "data" / "images" / "c.png"
        )
        assert jaccard(prediction.mask, truth) == pytest.approx(expected)
    assert measured.loss == measured.float32_jaccard - measured.int8_jaccard
    card = (quantized / "MODEL_CARD.md").read_text()
    assert "calculates in int8, calibrated on 2 training images" in card
    assert "int8" not in (plain / "MODEL_CARD.md").read_text()


@pytest.mark.slow
def test_weights_are_int8_and_probabilities_near(tmp_path: Path, run: Path, data: Dataset) -> None:
    plain, quantized = tmp_path / "plain", tmp_path / "int8"
    spec = export_run(run, plain)
    assert quantize_package(plain, quantized, "small-int8", data).name == "small-int8"
    graph = onnx.load(quantized / "model.onnx").graph
    weights = [tensor for tensor in graph.initializer if len(tensor.dims) == 4]
    is_int8 = [tensor.data_type == onnx.TensorProto.INT8 for tensor in weights]
    # The first layer, each of whose outputs sums 27 products, keeps float32.
    assert is_int8 == [np.prod(tensor.dims[1:]) >= 64 for tensor in weights]
    assert set(is_int8) == {True, False}
    one, other = (Runtime(load_package(path), runtime="onnx") for path in (plain, quantized))
    assert (one.precision, other.precision) == ("float32", "int8")
    inputs = np.random.default_rng(0).uniform(-1, 1, (3, 3, *spec.input_size)).astype(np.float32)
    difference = np.abs(one(inputs) - other(inputs))
    assert 0 < difference.mean() < 0.02


def test_images_are_those_of_the_run_and_evenly_spread() -> None:
    samples = [sample(f"{number:04d}") for number in range(1000)]
    training = [f"{number:04d}" for number in range(0, 1000, 2)]
    chosen = choose_images("discs", samples, training, ["0001", "gone"])
    ids = [one.id for one in chosen.training]
    assert len(set(ids)) == 256
    assert (ids[0], ids[-1]) == ("0000", "0998")
    assert set(ids) <= set(training)
    assert [one.id for one in chosen.held_out] == ["0001"]


@pytest.mark.parametrize(("training", "held_out"), [(["x"], ["a"]), (["a"], ["x"])])
def test_data_that_the_run_did_not_see_are_refused(
    training: list[str], held_out: list[str]
) -> None:
    with pytest.raises(UsageError, match=r"none of the run's 1 \w+ images are in the data"):
        choose_images("discs", [sample("a")], training, held_out)


@pytest.mark.slow
def test_refused_data_leave_no_package(tmp_path: Path, run: Path, disc_dataset: Path) -> None:
    with pytest.raises(UsageError, match="give the data that the run was trained on"):
        export_run(run, tmp_path / "model", ExportOptions(int8=open_dataset(disc_dataset)))
    assert not (tmp_path / "model").exists()
    assert not list(tmp_path.glob(".export-*"))
