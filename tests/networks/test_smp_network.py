"""Networks of segmentation-models-pytorch, by name."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import huggingface_hub.constants
import pytest
import torch
from torch import nn

from dermseg.errors import RecipeError
from dermseg.export import compare_onnx, write_onnx
from dermseg.networks import SMPNetwork, create_network
from dermseg.networks.encoders import read_lite_weights

ARCHITECTURES = [
    "unet",
    "unetplusplus",
    "manet",
    "linknet",
    "fpn",
    "pspnet",
    "deeplabv3",
    "deeplabv3plus",
    "pan",
    "upernet",
    "segformer",
]
SMALL = {"decoder_channels": [16, 16, 8, 8, 8]}


@pytest.mark.parametrize("architecture", ARCHITECTURES)
def test_logits_have_the_images_size(architecture: str) -> None:
    with torch.device("meta"):
        network = create_network(f"smp:{architecture}/resnet18", num_classes=3)
        multiple = network.size_multiple
        least = network.min_side or multiple
        for height, width in [(least, least), (least, 9 * multiple), (11 * multiple, least)]:
            assert network(torch.zeros(2, 3, height, width)).shape == (2, 3, height, width)
        with pytest.raises(ValueError, match=f"needs multiples of {multiple}"):
            network(torch.zeros(2, 3, least + 1, least))


def test_logits_are_the_librarys() -> None:
    # Through dermseg first, which lets torchvision and the library import.
    network = create_network("smp:unet/resnet18", num_classes=2, parameters=SMALL).eval()
    import segmentation_models_pytorch as smp  # noqa: PLC0415

    theirs = smp.Unet("resnet18", encoder_weights=None, classes=2, **SMALL).eval()
    theirs.load_state_dict(network.state_dict())
    images = torch.rand(2, 3, 64, 96)
    torch.testing.assert_close(network(images), theirs(images))
    strides = {
        module.stride
        for module in network.modules()
        if isinstance(module, nn.Conv2d) and module.kernel_size == (1, 1)
    }
    assert strides == {(1, 1)}


def test_timms_encoders_are_reached() -> None:
    with torch.device("meta"):
        network = create_network("smp:unet/tu-mobilenetv4_conv_small")
        assert network(torch.zeros(1, 3, 64, 64)).shape == (1, 1, 64, 64)
    assert isinstance(network, SMPNetwork)


@pytest.mark.parametrize(
    ("name", "parameters", "reason"),
    [
        ("smp:unett/resnet18", {}, "no architecture 'unett'.*such as unet"),
        ("smp:dpt/tu-vit_base_patch16_224", {}, "no architecture 'dpt'"),
        ("smp:unet/resnet-18", {}, "no encoder 'resnet-18'.*resnet18"),
        ("smp:unet/tu-resnet1O1", {}, "no encoder 'tu-resnet1O1'.*tu-resnet101"),
        ("smp:unet", {}, "expected smp:<architecture>/<encoder>, such as smp:unet/resnet18"),
        ("smp:/resnet18", {}, "expected smp:<architecture>/<encoder>"),
        ("smp:unet/resnet18", {"decoder_chanels": [1]}, "'decoder_chanels' is none of its"),
        ("smp:unet/resnet18", {"activation": "sigmoid"}, "'activation' is none of its"),
        ("smp:unet/resnet18", {"decoder_channels": [8]}, "does not take these parameters"),
        ("smp:unet/resnet18", {"encoder_depth": 9}, "does not take these parameters"),
        ("smp:unetplusplus/mit_b0", {}, "does not take these parameters"),
        ("smp:unet/tu-vit_base_patch16_224", {}, "does not take these parameters"),
        ("smp:unet/resnet18", {"encoder": "resnet34"}, "does not take these parameters"),
    ],
)
def test_what_does_not_fit_is_one_line(name: str, parameters: dict[str, Any], reason: str) -> None:
    with torch.device("meta"), pytest.raises(RecipeError) as caught:
        create_network(name, parameters=parameters)
    assert re.search(reason, str(caught.value)), caught.value


@pytest.mark.parametrize("encoder", ["resnet18", "tu-resnet18"])
def test_weights_that_cannot_be_fetched_are_one_line(
    encoder: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(huggingface_hub.constants, "HF_HUB_OFFLINE", True)
    monkeypatch.setattr(huggingface_hub.constants, "HF_HUB_CACHE", str(tmp_path))
    with pytest.raises(
        RecipeError, match=rf"'{encoder}' could not be fetched .*pretrained = false"
    ):
        create_network(f"smp:unet/{encoder}", parameters={"pretrained": True})


@pytest.mark.slow
def test_listing_networks_imports_neither_timm_nor_the_library() -> None:
    code = (
        "import sys, dermseg.networks\n"
        "found = {'timm', 'segmentation_models_pytorch', 'torchvision'} & set(sys.modules)\n"
        "assert not found, found"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr


@pytest.mark.slow
def test_exported_graph_gives_the_same_numbers(tmp_path: Path) -> None:
    torch.manual_seed(0)
    network = create_network("smp:unet/resnet18", num_classes=2, parameters=SMALL)
    path = tmp_path / "model.onnx"
    write_onnx(network, path, size=(64, 96))
    assert compare_onnx(network, path, size=(64, 96)) < 1e-5


def test_lite_encoders_take_the_installed_weights() -> None:
    name = "smp:unet/tu-tf_efficientnet_lite0"
    found = create_network(name, parameters={"pretrained": True}).state_dict()
    expected = read_lite_weights("lite0")["conv_stem.weight"]
    assert torch.equal(found["encoder.model.conv_stem.weight"], expected)
