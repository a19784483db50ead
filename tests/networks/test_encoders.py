"""Encoders of timm: strides, and what is said when something is not to be had."""

from __future__ import annotations

from pathlib import Path

import cv2
import huggingface_hub.constants
import numpy as np
import pytest
import skimage.data
import torch
from torch import nn

from dermseg.errors import MissingExtraError, RecipeError
from dermseg.networks import create_network, encoders
from dermseg.networks.encoders import (
    LITE_ENCODERS,
    create_lite_encoder,
    create_resnet_encoder,
    read_lite_weights,
    replace_strided_pointwise,
)
from dermseg.preprocessing import to_unit_range
from dermseg.recipes import Network
from dermseg.training.initialization import imagenet_normalization


@pytest.fixture
def offline(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """The hub's client as with HF_HUB_OFFLINE=1 and an empty cache."""
    monkeypatch.setattr(huggingface_hub.constants, "HF_HUB_OFFLINE", True)
    monkeypatch.setattr(huggingface_hub.constants, "HF_HUB_CACHE", str(tmp_path))


def test_slicing_gives_the_numbers_and_gradients_of_strided_convolutions() -> None:
    torch.manual_seed(0)
    strided = nn.Sequential(nn.Conv2d(3, 5, 1, stride=2), nn.Conv2d(5, 4, 1, stride=(1, 2)))
    strided.double()
    sliced = nn.Sequential(*strided)
    replace_strided_pointwise(sliced)
    assert [module.stride for module in sliced] == [(1, 1), (1, 1)]
    assert set(sliced.state_dict()) == set(strided.state_dict())
    images = torch.rand(2, 3, 7, 10, dtype=torch.float64, requires_grad=True)
    with torch.backends.mkldnn.flags(enabled=False, allow_tf32=None):
        (expected_gradient,) = torch.autograd.grad(strided(images).square().sum(), images)
    (gradient,) = torch.autograd.grad(sliced(images).square().sum(), images)
    torch.testing.assert_close(sliced(images), strided(images))
    torch.testing.assert_close(gradient, expected_gradient)


def test_resnets_gradients_are_the_same_without_onednn() -> None:
    torch.manual_seed(0)
    encoder, _ = create_resnet_encoder("resnet18", pretrained=False)
    encoder.eval()
    images = torch.rand(1, 3, 64, 64).contiguous(memory_format=torch.channels_last)
    encoder.to(memory_format=torch.channels_last)  # type: ignore[call-overload]

    def gradients() -> list[torch.Tensor]:
        encoder.zero_grad()
        encoder(images)[-1].square().mean().backward()
        return [parameter.grad for parameter in encoder.parameters() if parameter.grad is not None]

    with torch.backends.mkldnn.flags(enabled=False, allow_tf32=None):
        expected = gradients()
    for found, wanted in zip(gradients(), expected, strict=True):
        scale = float(wanted.abs().max()) + 1e-12
        torch.testing.assert_close(found / scale, wanted / scale, rtol=0, atol=1e-4)


def test_unknown_encoder_names_the_nearest() -> None:
    with pytest.raises(RecipeError, match=r"unknown encoder 'resnet_18': .*resnet18"):
        create_network("resnet_unet", parameters={"encoder": "resnet_18"})


@pytest.mark.usefixtures("offline")
@pytest.mark.parametrize(
    ("name", "parameters", "encoder"),
    [
        ("resnet_unet", {"encoder": "resnet18"}, "resnet18"),
        ("resnet_aspp_unet", {"encoder": "resnet18.a1_in1k"}, "resnet18.a1_in1k"),
        ("inception_aspp_unet", {}, "inception_v3"),
        ("resnet_unet", {"encoder": "resnet50t"}, "resnet50t"),  # nobody published weights
    ],
)
def test_weights_that_cannot_be_fetched_are_one_line(
    name: str, parameters: dict[str, str], encoder: str
) -> None:
    with pytest.raises(RecipeError) as caught:
        create_network(name, parameters={**parameters, "pretrained": True})
    message = str(caught.value)
    assert f"weights of '{encoder}' could not be fetched" in message
    assert "pretrained = false" in message
    assert "\n" not in message


@pytest.mark.parametrize("name", ["resnet_unet", "smp:unet/resnet18"])
def test_a_word_is_not_taken_for_yes(name: str) -> None:
    with pytest.raises(RecipeError, match="pretrained is 'false', expected true or false"):
        create_network(name, parameters={"pretrained": "false"})


def _crop_to_square(image: np.ndarray) -> torch.Tensor:
    """The middle of a photograph at 224x224, as the weights expect it."""
    side = min(image.shape[:2])
    top, left = ((length - side) // 2 for length in image.shape[:2])
    square = image[top : top + side, left : left + side]
    small = cv2.resize(square, (224, 224), interpolation=cv2.INTER_AREA)
    options = Network(name="efficientnet_unet")
    normalized = imagenet_normalization(options).apply(to_unit_range(small.astype(np.uint8)))
    return torch.from_numpy(normalized)[None]


@pytest.mark.parametrize("name", LITE_ENCODERS)
def test_pretrained_lite_networks_know_a_cat_and_a_coffee(name: str) -> None:
    import timm  # noqa: PLC0415 -- behind torchvision

    network = timm.create_model(LITE_ENCODERS[name])
    network.load_state_dict(read_lite_weights(name))
    network.eval()
    with torch.inference_mode():
        found = [
            int(network(_crop_to_square(image)).argmax())
            for image in (skimage.data.cat(), skimage.data.coffee())  # type: ignore[no-untyped-call]
        ]
    # ImageNet's Egyptian cat and espresso.
    assert found == [285, 967]


def test_a_pretrained_encoder_has_the_whole_networks_weights() -> None:
    encoder, channels = create_lite_encoder("lite0", weights="imagenet")
    whole = read_lite_weights("lite0")
    assert channels == [16, 24, 40, 112, 320]
    for name, value in encoder.state_dict().items():
        assert torch.equal(value, whole[name]), name


def test_weights_that_are_not_installed_name_the_extra(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(encoders, "find_spec", lambda name: None)
    with pytest.raises(MissingExtraError, match=r"'lite1' needs the extra 'pretrained'"):
        create_network("efficientnet_unet", parameters={"encoder": "lite1", "weights": "imagenet"})


@pytest.mark.parametrize(
    ("parameters", "message"),
    [
        ({"encoder": "lite9"}, "unknown encoder 'lite9': expected one of lite0, lite1, lite2"),
        ({"weights": "noisy"}, "weights is 'noisy', expected 'imagenet'"),
        ({"decoder_widths": [8, 8]}, r"decoder_widths is \[8, 8\], expected 4 numbers"),
    ],
)
def test_parameters_that_do_not_fit_are_named(parameters: dict[str, str], message: str) -> None:
    with pytest.raises(RecipeError, match=message):
        create_network("efficientnet_unet", parameters=parameters)
