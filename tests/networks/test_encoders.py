"""Encoders of timm: strides, and what is said when something is not to be had."""

from __future__ import annotations

from pathlib import Path

import huggingface_hub.constants
import pytest
import torch
from torch import nn

from dermseg.errors import RecipeError
from dermseg.networks import create_network
from dermseg.networks.encoders import create_resnet_encoder, replace_strided_pointwise


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
