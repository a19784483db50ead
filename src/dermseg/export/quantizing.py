"""Calculate a package's network in int8: half the time, and a loss that is measured."""

from __future__ import annotations

import contextlib
import hashlib
import logging
import tempfile
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import onnx
from numpy.typing import NDArray
from onnxruntime.quantization import CalibrationDataReader, QuantFormat, QuantType, quantize_static
from onnxruntime.quantization.shape_inference import quant_pre_process

from dermseg.datasets import Dataset, read_class_masks
from dermseg.errors import UsageError
from dermseg.export.onnx import averages_out
from dermseg.images import read_image
from dermseg.metrics import jaccard
from dermseg.package import ModelPackage, ModelSpec, Quantization
from dermseg.prediction import Predictor
from dermseg.preprocessing import find_box, preprocess
from dermseg.types import Sample

__all__ = ["CalibrationImages", "choose_images", "quantize_onnx", "quantized_spec"]

_NUM_CALIBRATION = 256


@dataclass(frozen=True)
class CalibrationImages:
    """The calibration images of a quantisation, from the network's own training run.

    Attributes:
        source: Name of the dataset.
        training: From these, the range of every activation is found.
        held_out: On these, which were not trained on, the loss is measured.
    """

    source: str
    training: Sequence[Sample]
    held_out: Sequence[Sample]


def choose_images(
    source: str, samples: Sequence[Sample], training_ids: Sequence[str], held_out_ids: Sequence[str]
) -> CalibrationImages:
    """Find the images of a training run among the samples of a dataset.

    Args:
        source: Name of the dataset.
        samples: With masks.
        training_ids: Images that were trained on; of them, evenly spread ones calibrate.
        held_out_ids: Images that chose the checkpoint.

    Raises:
        UsageError: If none of either is among the samples.
    """
    found = {sample.id: sample for sample in samples}
    training = [found[name] for name in sorted(training_ids) if name in found]
    held_out = [found[name] for name in sorted(held_out_ids) if name in found]
    for what, ids, there in (
        ("training", training_ids, training),
        ("selection", held_out_ids, held_out),
    ):
        if not there:
            message = (
                f"none of the run's {len(ids)} {what} images are in the data ({len(samples)} "
                f"images of {source}): give the data that the run was trained on"
            )
            raise UsageError(message)
    spread = np.linspace(0, len(training) - 1, min(_NUM_CALIBRATION, len(training)))
    return CalibrationImages(source, [training[round(place)] for place in spread], held_out)


def quantized_spec(folder: Path, spec: ModelSpec, data: Dataset) -> ModelSpec:
    """Replace the network of a package by one in int8, and measure what that costs.

    The Jaccard index is that of masks at native size, in ONNX Runtime, before and after.

    Args:
        folder: The package, whose ``model.onnx`` is replaced.
        spec: What its ``model.json`` says; that file is left alone.
        data: What it was trained on, to calibrate on and to measure with.

    Returns:
        What ``model.json`` has to say now.

    Raises:
        UsageError: If the network sees the lesion only, which another model finds, or was trained
            on other data.
        ImageError: If an image cannot be read.
    """
    if spec.lesion_crop is not None:
        message = f"the model {spec.name} sees lesions that another one finds: --int8 is not for it"
        raise UsageError(message)
    origin = spec.provenance
    samples = [sample for sample in data.samples if sample.mask is not None]
    images = choose_images(data.name, samples, origin.training_ids, origin.selection_ids)
    path = folder / "model.onnx"
    before = _mean_jaccard(ModelPackage(folder, spec), images.held_out)
    quantize_onnx(path, path, (_input_of(sample, spec) for sample in images.training))
    sha256 = hashlib.sha256(path.read_bytes()).hexdigest()
    spec = spec.model_copy(update={"onnx_sha256": sha256})
    after = _mean_jaccard(ModelPackage(folder, spec), images.held_out)
    measured = Quantization(
        num_calibration_images=len(images.training),
        on=f"{images.source}, the images that chose the checkpoint",
        num_images=len(images.held_out),
        float32_jaccard=before,
        int8_jaccard=after,
    )
    return spec.model_copy(update={"quantization": measured})


def quantize_onnx(source: Path, destination: Path, inputs: Iterator[NDArray[np.float32]]) -> None:
    """Write a network with int8 weights and activations; ``images`` and ``logits`` stay float32.

    Weights have a scale for each channel and seven bits: with eight, the sums of two products
    overflow in the int16 of processors without VNNI, which costs more than the bit is worth.
    Convolutions whose outputs sum few products, such as depthwise ones and the first, keep float32:
    there rounding errors do not average out.

    Args:
        source: An ONNX file.
        destination: The file to write; may be the same.
        inputs: Batches, (N, 3, H, W) float32, whose activations are typical.
    """
    with tempfile.TemporaryDirectory() as scratch, _quiet():
        prepared, quantized = (str(Path(scratch, f"{name}.onnx")) for name in ("in", "out"))
        quant_pre_process(str(source), prepared, skip_symbolic_shape=True)
        quantize_static(
            prepared,
            quantized,
            _Reader(inputs),
            quant_format=QuantFormat.QDQ,
            activation_type=QuantType.QUInt8,
            weight_type=QuantType.QInt8,
            per_channel=True,
            reduce_range=True,
            nodes_to_exclude=_find_thin(onnx.load(prepared).graph),
        )
        onnx.checker.check_model(quantized)
        destination.write_bytes(Path(quantized).read_bytes())


def _find_thin(graph: onnx.GraphProto) -> list[str]:
    """Names of the convolutions in which rounding errors do not average out."""
    shapes = {tensor.name: tensor.dims for tensor in graph.initializer}
    return [
        node.name
        for node in graph.node
        if node.op_type == "Conv" and not averages_out(shapes[node.input[1]])
    ]


class _Reader(CalibrationDataReader):  # type: ignore[misc]
    """Hands one batch after the other to ONNX Runtime, and None at the end."""

    def __init__(self, inputs: Iterator[NDArray[np.float32]]) -> None:
        self._inputs = inputs

    def get_next(self) -> dict[str, NDArray[np.float32]] | None:
        batch = next(self._inputs, None)
        return None if batch is None else {"images": batch}


@contextlib.contextmanager
def _quiet() -> Iterator[None]:
    """Without ONNX Runtime's advice to prepare the graph, which was done."""
    logger = logging.getLogger()
    level = logger.level
    logger.setLevel(logging.ERROR)
    try:
        yield
    finally:
        logger.setLevel(level)


def _input_of(sample: Sample, spec: ModelSpec) -> NDArray[np.float32]:
    image = read_image(sample.image)
    cleaning = spec.preprocessing
    box = find_box(image, cleaning)
    return preprocess(image, spec.input_size, spec.normalization, box=box, cleaning=cleaning)[None]


def _mean_jaccard(package: ModelPackage, samples: Sequence[Sample]) -> float:
    predictor = Predictor(package, runtime="onnx")
    scores = []
    results = predictor.predict_many((sample.image for sample in samples), force=True)
    for sample, result in zip(samples, results, strict=True):
        truth = read_class_masks(sample, package.spec.classes)
        scores += [
            jaccard(mask, expected)
            for mask, expected, known in zip(
                result.masks.values(), truth.masks, truth.known, strict=True
            )
            if known
        ]
    return float(np.mean(scores))
