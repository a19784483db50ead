"""EGE-UNet's size, and what its maps and bridges do."""

from __future__ import annotations

import pytest
import torch

from dermseg.errors import RecipeError
from dermseg.networks import EGEUNet, create_network


def product(before: int, after: int) -> int:
    """Parameters of a multi-axis product, counted by hand; convolutions have biases."""
    quarter = before // 4
    mixing = 4 * quarter + quarter * quarter + quarter  # three taps along a line, then 1x1
    plane = 64 * quarter + (10 * quarter + quarter * quarter + quarter)
    lines = 2 * (8 * quarter + mixing)
    local = (quarter * quarter + quarter) + 10 * quarter
    norms = 2 * (2 * before)
    return plane + lines + local + norms + 10 * before + before * after + after


def bridge(below: int, level: int) -> int:
    group = level // 2 + 1
    branches = 4 * (2 * group + 10 * group)
    joining = 2 * (4 * group) + 4 * group * level + level
    return (below * level + level) + branches + joining


def count_by_hand() -> int:
    plain = sum(9 * before * after + after for before, after in [(3, 8), (8, 16), (16, 24)])
    encoder = plain + product(24, 32) + product(32, 48) + product(48, 64)
    decoder = product(64, 48) + product(48, 32) + product(32, 24)
    decoder += (9 * 24 * 16 + 16) + (9 * 16 * 8 + 8)
    levels = (8, 16, 24, 32, 48)
    norms = 2 * sum(2 * width for width in levels)
    bridges = sum(
        bridge(below, level) for below, level in zip((16, 24, 32, 48, 64), levels, strict=True)
    )
    heads = sum(width + 1 for width in levels) + (8 + 1)
    return encoder + decoder + norms + bridges + heads


def test_parameters_are_as_many_as_counted_by_hand_and_as_published() -> None:
    found = sum(parameter.numel() for parameter in EGEUNet().parameters())
    assert found == count_by_hand() == 53_374
    assert "53,374" in (EGEUNet.__doc__ or "")


def test_masks_are_found_on_five_levels() -> None:
    network = EGEUNet(2, widths=[8] * 6)
    sizes = [tuple(each.shape[2:]) for each in network.training_logits(torch.rand(2, 3, 64, 96))]
    assert sizes == [(64, 96), (32, 48), (16, 24), (8, 12), (4, 6), (2, 3)]


def test_maps_multiply_the_axes_that_they_are_for() -> None:
    block = EGEUNet(widths=[8] * 6).encoder[3]
    features = torch.rand(1, 8, 8, 8)
    with torch.no_grad():
        gradients = {}
        for name, across in (("rows", 2), ("columns", 3)):
            before = block(features)
            values = block.get_parameter(name).clone()
            block.get_parameter(name)[..., 0] += 5.0  # the first of eight places along the axis
            changed = (block(features) - before).abs().sum(dim=1, keepdim=True)
            block.get_parameter(name).copy_(values)
            along = changed.sum(dim=[dim for dim in (0, 1, 2, 3) if dim != across])
            gradients[name] = along
    # Two convolutions of three taps carry a change two places on, no further.
    for along in gradients.values():
        assert (along[:3] > 0).all()
        assert along[3:].abs().max() < 1e-6


@pytest.mark.parametrize("widths", [[8, 8], [8, 8, 8, 8, 8, 6], [0, 8, 8, 8, 8, 8]])
def test_widths_that_do_not_fit_are_refused(widths: list[int]) -> None:
    with pytest.raises(RecipeError, match="expected 6 multiples of 4"):
        create_network("ege_unet", parameters={"widths": widths})
