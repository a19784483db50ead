"""What every network in the table has to keep."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import nn

from dermseg.export import compare_onnx, write_onnx
from dermseg.losses import create_loss
from dermseg.metrics import jaccard
from dermseg.networks import NETWORKS, SegmentationNetwork, create_network
from dermseg.phantom import PhantomOptions, create_phantom
from dermseg.preprocessing import to_unit_range
from dermseg.recipes import LossTerm

# Small parameters for each network; a new row of the table needs one here.
SMALL: dict[str, dict[str, Any]] = {
    "efficientnet_unet": {"decoder_widths": [16, 8, 8, 8]},
    "ege_unet": {"widths": [8, 8, 8, 8, 8, 8]},
    "improved_unet": {"width": 4, "dropout": 0.0},
    "inception_aspp_unet": {"aspp_width": 8, "decoder_widths": [16, 16, 16], "dropout": 0.0},
    "residual_unet": {"widths": [4, 8, 8, 8]},
    "resnet_aspp_unet": {
        "encoder": "resnet10t",
        "aspp_width": 8,
        "decoder_widths": [16, 16, 16, 8, 8],
        "dropout": 0.0,
    },
    "resnet_unet": {"encoder": "resnet18", "decoder_widths": [16, 16, 16, 8, 8]},
    "unet": {"width": 4, "depth": 3},
    "xception_unet": {"widths": [8, 16, 16]},
}
SIZE = (64, 96)


def create(name: str, num_classes: int = 1) -> SegmentationNetwork:
    torch.manual_seed(0)
    return create_network(name, num_classes=num_classes, parameters=SMALL[name])


def draw_images(num_images: int, size: tuple[int, int] = SIZE) -> torch.Tensor:
    return torch.rand(num_images, 3, *size, generator=torch.Generator().manual_seed(1))


@pytest.mark.parametrize("name", NETWORKS)
@pytest.mark.parametrize("num_classes", [1, 3])
@pytest.mark.parametrize("training", [True, False])
def test_logits_have_the_images_size(name: str, num_classes: int, training: bool) -> None:  # noqa: FBT001
    network = create(name, num_classes).train(training)
    assert network(draw_images(2)).shape == (2, num_classes, *SIZE)


@pytest.mark.parametrize("name", NETWORKS)
def test_smallest_size_works(name: str) -> None:
    network = create(name).eval()
    side = network.min_side or network.size_multiple
    assert network(draw_images(1, (side, side))).shape == (1, 1, side, side)


@pytest.mark.parametrize("name", NETWORKS)
def test_logits_are_not_squashed(name: str) -> None:
    network = create(name).eval()
    head = network.get_submodule("segmentation_head")
    assert isinstance(head, nn.Conv2d)
    assert head.bias is not None
    with torch.no_grad():
        head.bias.fill_(100)
    assert network(draw_images(1)).min() > 50


@pytest.mark.parametrize("name", NETWORKS)
def test_every_parameter_gets_a_gradient(name: str) -> None:
    network = create(name).train()
    optimizer = torch.optim.SGD(network.parameters(), lr=0.01)
    for _ in range(2):  # the first step moves norms that start at zero and let nothing through
        optimizer.step()
        optimizer.zero_grad()
        outputs = network.training_logits(draw_images(2))
        create_loss([LossTerm(name="bce")])(outputs, torch.ones(2, 1, *SIZE)).backward()
    without = [
        key
        for key, parameter in network.named_parameters()
        if parameter.grad is None or not parameter.grad.abs().sum() > 0
    ]
    assert without == []


@pytest.mark.parametrize("name", NETWORKS)
def test_training_logits_begin_with_the_finest_and_get_coarser(name: str) -> None:
    network = create(name, num_classes=2).train()
    sizes = [tuple(logits.shape) for logits in network.training_logits(draw_images(2))]
    assert sizes[0] == (2, 2, *SIZE)
    assert sizes == sorted(sizes, reverse=True)
    assert len(set(sizes)) == len(sizes)
    network.eval()
    assert len(network.training_logits(draw_images(2))) == 1


@pytest.mark.parametrize("name", NETWORKS)
def test_batch_of_one_equals_a_row_of_a_batch_of_four(name: str) -> None:
    network = create(name)
    network.train()
    network(draw_images(4))  # statistics that differ from those of a new batch norm
    # Double: where a norm divides by the deviation of a few pixels, it enlarges rounding errors.
    network.eval().double()
    images = draw_images(4).double()
    with torch.inference_mode():
        together = network(images)
        alone = torch.cat([network(image[None]) for image in images])
    torch.testing.assert_close(alone, together, rtol=1e-9, atol=1e-9)


@pytest.mark.parametrize("name", NETWORKS)
def test_channels_last_gives_the_same_logits(name: str) -> None:
    network = create(name).eval()
    images = draw_images(2)
    with torch.inference_mode():
        expected = network(images)
        network.to(memory_format=torch.channels_last)  # type: ignore[call-overload]
        found = network(images.contiguous(memory_format=torch.channels_last))
    torch.testing.assert_close(found, expected, rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize("name", NETWORKS)
def test_no_pointwise_convolution_is_strided(name: str) -> None:
    # In the backward pass of narrow float32 maps with the channels last, oneDNN's version writes
    # outside its memory: https://github.com/uxlfoundation/oneDNN/issues/6035.
    strides = {
        module.stride
        for module in create(name).modules()
        if isinstance(module, nn.Conv2d) and module.kernel_size == (1, 1)
    }
    assert strides == {(1, 1)}


@pytest.mark.parametrize("name", NETWORKS)
@pytest.mark.parametrize("size", [(33, 48), (31, 50), (1, 1), (100, 78)])
def test_size_error_names_a_size_that_works(name: str, size: tuple[int, int]) -> None:
    network = create(name).eval()
    with pytest.raises(
        ValueError, match=rf"input is {size[0]}x{size[1]} \(height x width\)"
    ) as caught:
        network(draw_images(1, size))
    named = re.search(r"use (\d+)x(\d+)", str(caught.value))
    assert named is not None
    height, width = map(int, named.groups())
    multiple = network.size_multiple
    least = network.min_side or multiple
    for side, wanted in ((height, size[0]), (width, size[1])):
        assert side == least if wanted < least else abs(side - wanted) <= multiple / 2
    assert network(draw_images(1, (height, width))).shape == (1, 1, height, width)
    with pytest.raises(ValueError, match="use"):
        network.training_logits(draw_images(2, size))


@pytest.mark.parametrize("name", NETWORKS)
def test_same_seed_gives_the_same_weights(name: str) -> None:
    first, second = create(name).state_dict(), create(name).state_dict()
    assert all(torch.equal(value, second[key]) for key, value in first.items())


@pytest.mark.slow
@pytest.mark.parametrize("name", NETWORKS)
def test_exported_graph_gives_the_same_numbers(name: str, tmp_path: Path) -> None:
    network = create(name, num_classes=2)
    network.train()
    network(draw_images(4))
    path = tmp_path / "model.onnx"
    write_onnx(network, path, size=SIZE)
    assert compare_onnx(network, path, size=SIZE) < 1e-5


@pytest.mark.slow
@pytest.mark.parametrize("name", NETWORKS)
def test_four_images_can_be_learned_by_heart(name: str) -> None:
    options = PhantomOptions(artefacts={})
    phantoms = [create_phantom(seed, size=(64, 64), options=options) for seed in range(4)]
    images = torch.stack(
        [torch.from_numpy(to_unit_range(phantom.image)).permute(2, 0, 1) for phantom in phantoms]
    )
    masks = [phantom.mask for phantom in phantoms]
    target = torch.stack([torch.from_numpy(mask)[None].float() for mask in masks])
    torch.manual_seed(0)
    network = create(name).train()
    optimizer = torch.optim.Adam(network.parameters(), lr=0.02)
    loss = create_loss([LossTerm(name="bce"), LossTerm(name="jaccard")])
    for _ in range(250):
        optimizer.zero_grad()
        loss(network.training_logits(images - 0.5), target).backward()
        optimizer.step()
    predicted = (network(images - 0.5).detach() > 0)[:, 0].numpy()
    scores = [jaccard(one, mask) for one, mask in zip(predicted, masks, strict=True)]
    assert min(scores) > 0.95
