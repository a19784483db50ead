"""Architectures by name. Needs the extra ``train``."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from dermseg.errors import RecipeError
from dermseg.networks.base import SegmentationNetwork
from dermseg.networks.efficientnet_unet import EfficientNetUNet
from dermseg.networks.ege_unet import EGEUNet
from dermseg.networks.improved_unet import ImprovedUNet
from dermseg.networks.inception_aspp_unet import InceptionASPPUNet
from dermseg.networks.residual_unet import ResidualUNet
from dermseg.networks.resnet_aspp_unet import ResNetASPPUNet
from dermseg.networks.resnet_unet import ResNetUNet
from dermseg.networks.smp_network import PREFIX, SMPNetwork, create_smp_network
from dermseg.networks.unet import UNet
from dermseg.networks.xception_unet import XceptionUNet

__all__ = [
    "NETWORKS",
    "EGEUNet",
    "EfficientNetUNet",
    "ImprovedUNet",
    "InceptionASPPUNet",
    "ResNetASPPUNet",
    "ResNetUNet",
    "ResidualUNet",
    "SMPNetwork",
    "SegmentationNetwork",
    "UNet",
    "XceptionUNet",
    "create_network",
]

NETWORKS: dict[str, type[SegmentationNetwork]] = {
    "efficientnet_unet": EfficientNetUNet,
    "ege_unet": EGEUNet,
    "improved_unet": ImprovedUNet,
    "inception_aspp_unet": InceptionASPPUNet,
    "residual_unet": ResidualUNet,
    "resnet_aspp_unet": ResNetASPPUNet,
    "resnet_unet": ResNetUNet,
    "unet": UNet,
    "xception_unet": XceptionUNet,
}


def create_network(
    name: str,
    *,
    num_classes: int = 1,
    parameters: Mapping[str, Any] | None = None,
) -> SegmentationNetwork:
    """Build a network by name.

    Args:
        name: A key of :data:`NETWORKS`, or ``smp:<architecture>/<encoder>`` for a network of
            segmentation-models-pytorch.
        num_classes: Maps of logits.
        parameters: Keyword arguments of the network.

    Raises:
        RecipeError: If the name or a parameter is unknown, or a value does not fit, or weights
            cannot be fetched.
    """
    if name not in NETWORKS and not name.startswith(PREFIX):
        message = (
            f"unknown network '{name}': expected one of {', '.join(sorted(NETWORKS))}, or "
            f"{PREFIX}<architecture>/<encoder>"
        )
        raise RecipeError(message)
    parameters = dict(parameters or {})
    pretrained = parameters.get("pretrained", False)
    if not isinstance(pretrained, bool):
        message = f"network.parameters: pretrained is {pretrained!r}, expected true or false"
        raise RecipeError(message)
    try:
        if name.startswith(PREFIX):
            return create_smp_network(name, num_classes, parameters)
        return NETWORKS[name](num_classes, **parameters)
    except (TypeError, ValueError) as error:
        message = f"network '{name}' does not take these parameters: {error}"
        raise RecipeError(message) from error
