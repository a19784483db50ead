"""Layers, parameters and multiply-adds of a network, counted without running it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, nn
from torch.utils.flop_counter import FlopCounterMode

from dermseg.networks.base import SegmentationNetwork
from dermseg.types import Size

__all__ = ["Block", "Summary", "summarize"]


@dataclass(frozen=True)
class Block:
    """A part of a network that stands by itself.

    Attributes:
        name: As the parameters' names begin.
        output_shape: (channels, height, width) of what it gives, the deepest where it gives
            several; None for what acts in training only.
        num_parameters: That are trained.
        num_multiply_adds: For one image.
    """

    name: str
    output_shape: tuple[int, ...] | None
    num_parameters: int
    num_multiply_adds: int


@dataclass(frozen=True)
class Summary:
    """A network at one size.

    Attributes:
        size: (height, width) of the input.
        blocks: In the order in which the network holds them.
        num_parameters: That are trained, with those of auxiliary heads.
        num_multiply_adds: For one image, of convolutions, linear layers and attention; norms,
            activations, poolings and interpolations are not counted.
    """

    size: Size
    blocks: tuple[Block, ...]
    num_parameters: int
    num_multiply_adds: int


def summarize(network: SegmentationNetwork, *, size: Size) -> Summary:
    """Count parameters and multiply-adds, as in prediction.

    Args:
        network: On torch's device ``meta``, where nothing is computed.
        size: (height, width) of the input.

    Raises:
        ValueError: If the network does not take this size.
    """
    network = network.eval()
    parts = dict(_blocks(network))
    shapes: dict[str, tuple[int, ...]] = {}
    handles = [
        module.register_forward_hook(_recorder(shapes, name)) for name, module in parts.items()
    ]
    counter = FlopCounterMode(display=False)
    try:
        with torch.no_grad(), counter:
            network(torch.zeros(1, 3, *size, device="meta"))
    finally:
        for handle in handles:
            handle.remove()
    counts = counter.get_flop_counts()
    root = type(network).__name__
    # A multiply-add is two of the counter's operations.
    blocks = tuple(
        Block(
            name,
            shapes.get(name),
            _num_parameters(module),
            sum(counts.get(f"{root}.{name}", {}).values()) // 2,
        )
        for name, module in parts.items()
    )
    return Summary(size, blocks, _num_parameters(network), counter.get_total_flops() // 2)


def _blocks(module: nn.Module, prefix: str = "") -> Iterator[tuple[str, nn.Module]]:
    """The children, or theirs where a child is a mere container."""
    for name, child in module.named_children():
        if isinstance(child, nn.ModuleList | nn.ModuleDict):
            yield from _blocks(child, f"{prefix}{name}.")
        else:
            yield f"{prefix}{name}", child


def _recorder(
    shapes: dict[str, tuple[int, ...]], name: str
) -> Callable[[nn.Module, Any, Any], None]:
    def record(_module: nn.Module, _inputs: Any, output: Any) -> None:  # noqa: ANN401 -- any module's
        last = output if isinstance(output, Tensor) else output[-1]
        shapes[name] = tuple(last.shape[1:])

    return record


def _num_parameters(module: nn.Module) -> int:
    return sum(parameter.numel() for parameter in module.parameters() if parameter.requires_grad)
