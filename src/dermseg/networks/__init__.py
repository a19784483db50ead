"""Architectures by name. Needs the extra ``train``."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from dermseg.errors import RecipeError
from dermseg.networks.base import SegmentationNetwork
from dermseg.networks.improved_unet import ImprovedUNet
from dermseg.networks.residual_unet import ResidualUNet
from dermseg.networks.unet import UNet
from dermseg.networks.xception_unet import XceptionUNet

__all__ = [
    "NETWORKS",
    "ImprovedUNet",
    "ResidualUNet",
    "SegmentationNetwork",
    "UNet",
    "XceptionUNet",
    "create_network",
]

NETWORKS: dict[str, type[SegmentationNetwork]] = {
    "improved_unet": ImprovedUNet,
    "residual_unet": ResidualUNet,
    "unet": UNet,
    "xception_unet": XceptionUNet,
}


def create_network(
    name: str, *, num_classes: int = 1, parameters: Mapping[str, Any] | None = None
) -> SegmentationNetwork:
    """Build a network by name.

    Args:
        name: A key of :data:`NETWORKS`.
        num_classes: Maps of logits.
        parameters: Keyword arguments of the network.

    Raises:
        RecipeError: If the name or a parameter is unknown, or a value does not fit.
    """
    if name not in NETWORKS:
        message = f"unknown network '{name}': expected one of {', '.join(sorted(NETWORKS))}"
        raise RecipeError(message)
    try:
        return NETWORKS[name](num_classes, **(parameters or {}))
    except (TypeError, ValueError) as error:
        message = f"network '{name}' does not take these parameters: {error}"
        raise RecipeError(message) from error
