"""Write a network as ONNX, compare its numbers with torch's, and read its weights again."""

from __future__ import annotations

import logging
import math
import warnings
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import onnxruntime
import torch
from numpy.typing import NDArray
from onnx import TensorProto, helper, numpy_helper
from onnx_ir.passes.common import ClearMetadataAndDocStringPass
from onnxscript.optimizer import fold_constants, remove_unused_nodes

from dermseg.errors import ExportError
from dermseg.losses import class_probabilities
from dermseg.networks import SegmentationNetwork
from dermseg.recipes import Activation
from dermseg.types import Size

__all__ = ["averages_out", "compare_onnx", "read_onnx_weights", "round_weights", "write_onnx"]

OPSET = 20
_HALF = ".half"
_FEWEST_PRODUCTS = 64


def write_onnx(
    network: SegmentationNetwork, path: Path, *, size: Size, half_weights: bool = False
) -> None:
    """Write a network in eval mode as one ONNX file, ``images`` in and ``logits`` out.

    The batch size is free; height and width are fixed. With ``half_weights`` those weights that
    `round_weights` rounds are stored as float16 and widened to float32 when the file is loaded:
    half the bytes, the same speed. Batch norms stay nodes of their own, which runtimes fold into
    the convolutions, so that the weights are those of the network and `read_onnx_weights` finds
    them by name.
    """
    network = network.eval().to("cpu", memory_format=torch.contiguous_format)  # type: ignore[call-overload]
    example = torch.zeros(2, 3, *size)
    logging.getLogger("torch.onnx").setLevel(logging.ERROR)
    with warnings.catch_warnings():
        # The exporter warns of its own internals, which nobody here can change.
        warnings.simplefilter("ignore")
        program = torch.onnx.export(
            network,
            (example,),
            dynamo=True,
            verbose=False,
            input_names=["images"],
            output_names=["logits"],
            dynamic_shapes={"images": {0: torch.export.Dim("batch", min=1)}},
            opset_version=OPSET,
            optimize=False,
        )
    if program is None:
        message = "torch.onnx.export returned nothing"
        raise ExportError(message)
    fold_constants(program.model)
    remove_unused_nodes(program.model)
    # The exporter notes for each node which lines of which files it comes from.
    ClearMetadataAndDocStringPass()(program.model)
    model = program.model_proto
    if half_weights:
        _store_half(model.graph)
    onnx.checker.check_model(model)
    path.write_bytes(model.SerializeToString())


def round_weights(network: SegmentationNetwork) -> None:
    """Round the weights of a network to float16, in place, as ``half_weights`` stores them.

    Only tensors in which the errors average out, see `averages_out`.
    """
    with torch.no_grad():
        for value in network.state_dict().values():
            if value.is_floating_point() and averages_out(value.shape):
                value.copy_(value.half())


def averages_out(shape: Sequence[int]) -> bool:
    """Whether each output of weights of this shape sums so many products that errors average out.

    Not in depthwise convolutions and batch norms, which are small and sensitive.
    """
    return len(shape) > 1 and math.prod(shape[1:]) >= _FEWEST_PRODUCTS


def compare_onnx(
    network: SegmentationNetwork,
    path: Path,
    *,
    size: Size,
    activation: Activation = "sigmoid",
    seed: int = 0,
) -> float:
    """Largest difference of any probability between torch and ONNX Runtime.

    Compared on batches of one and of three random images, normalised colours in [-2, 2]. NaN if
    either gives no number somewhere.
    """
    session = onnxruntime.InferenceSession(str(path), providers=["CPUExecutionProvider"])
    generator = np.random.default_rng(seed)
    differences = []
    for num_images in (1, 3):
        coarse = generator.uniform(-2, 2, (num_images, 3, 6, 8)).astype(np.float32)
        smooth = torch.nn.functional.interpolate(
            torch.from_numpy(coarse), size=size, mode="bicubic", align_corners=False
        )
        images = smooth + 0.1 * torch.from_numpy(
            generator.standard_normal(smooth.shape).astype(np.float32)
        )
        with torch.inference_mode():
            expected = class_probabilities(network(images), activation).numpy()
        (logits,) = session.run(["logits"], {"images": images.numpy()})
        exported = class_probabilities(torch.from_numpy(logits), activation).numpy()
        differences.append(np.abs(exported - expected).max())
    return float(np.max(differences))


def read_onnx_weights(path: Path) -> dict[str, NDArray[Any]]:
    """The weights in a file that `write_onnx` wrote, by their names in the network.

    What was computed from them in advance has a name of its own.
    """
    graph = onnx.load(path).graph
    return {
        tensor.name.removesuffix(_HALF): numpy_helper.to_array(tensor)
        for tensor in graph.initializer
    }


def _store_half(graph: onnx.GraphProto) -> None:
    """Replace each float32 initialiser that is rounded by a float16 one and a cast back."""
    casts = []
    for tensor in graph.initializer:
        if tensor.data_type != TensorProto.FLOAT or not averages_out(tensor.dims):
            continue
        values = numpy_helper.to_array(tensor)
        name = tensor.name
        half_name = f"{name}{_HALF}"
        tensor.CopyFrom(numpy_helper.from_array(values.astype(np.float16), half_name))
        casts.append(helper.make_node("Cast", [half_name], [name], to=TensorProto.FLOAT))
    nodes = [*casts, *graph.node]
    del graph.node[:]
    graph.node.extend(nodes)
