"""The weights of a package's network by name, to start other runs from."""

from __future__ import annotations

from pathlib import Path
from typing import Final

import numpy as np
import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import save
from torch import Tensor

from dermseg.errors import PackageError
from dermseg.export.onnx import read_onnx_weights
from dermseg.networks import SegmentationNetwork

__all__ = ["WEIGHTS", "read_weights", "write_weights"]

WEIGHTS: Final = "weights.safetensors"
"""Holds what ``model.onnx`` lacks, and the names of what is there."""

_IN_ONNX = "in model.onnx"
_MEMBER = "members.0."
"""Before the names of a network that is averaged over mirror images."""


def write_weights(network: SegmentationNetwork, package: Path, *, half: bool) -> None:
    """Write the weights that ``model.onnx`` does not hold, such as those of auxiliary heads.

    Args:
        network: The one that the package was made of.
        package: Its folder, with ``model.onnx``.
        half: Store them as float16.
    """
    held = _held(package)
    there, missing = list[str](), dict[str, Tensor]()
    for name, value in network.state_dict().items():
        stored = value.half() if half and value.is_floating_point() else value
        if name in held and np.array_equal(held[name], value.numpy().astype(held[name].dtype)):
            there.append(name)
        else:
            missing[name] = stored.contiguous()
    (package / WEIGHTS).write_bytes(save(missing, {_IN_ONNX: " ".join(there)}))


def read_weights(package: Path) -> dict[str, Tensor]:
    """The weights of the network that a package was made of, as float32, by name.

    Raises:
        PackageError: If it was made of several networks, or a file of it cannot be read.
    """
    path = package / WEIGHTS
    try:
        with safe_open(path, "pt") as file:
            weights = {name: file.get_tensor(name).float() for name in file.keys()}  # noqa: SIM118
            there = (file.metadata() or {}).get(_IN_ONNX, "").split()
    except (OSError, SafetensorError, ValueError, TypeError) as error:
        message = f"{path}: no weights to start from ({error}); export the run again to get them"
        raise PackageError(message) from error
    if there:
        held = _held(package)
        if missing := sorted(set(there) - held.keys()):
            message = (
                f"{path}: it says that model.onnx holds {missing[0]}, which it does not; export "
                "the run again"
            )
            raise PackageError(message)
        weights |= {name: torch.from_numpy(held[name].astype(np.float32)) for name in there}
    return weights


def _held(package: Path) -> dict[str, np.ndarray]:
    weights = read_onnx_weights(package / "model.onnx")
    return {name.removeprefix(_MEMBER): value for name, value in weights.items()}
