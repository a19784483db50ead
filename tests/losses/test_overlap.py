"""The losses of overlap: by hand, against another implementation, and their range."""

from __future__ import annotations

import math

import hypothesis.extra.numpy as arrays
import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray
from torch import Tensor

from dermseg.losses import DiceLoss, JaccardLoss, LovaszLoss, TverskyLoss
from dermseg.recipes import Activation

# Probabilities 1/2, 3/4 | 1/4, 1/2 on the target 1, 1 | 0, 0.
LOGITS = torch.tensor([[0.0, math.log(3)], [-math.log(3), 0.0]])[None, None]
TARGET = torch.tensor([[1.0, 1.0], [0.0, 0.0]])[None, None]


def draw(seed: int, num_maps: int = 1) -> tuple[Tensor, Tensor]:
    """One image's random logits, and masks that are neither empty nor full."""
    generator = torch.Generator().manual_seed(seed)
    logits = 3 * torch.randn(1, num_maps, 12, 16, generator=generator)
    return logits, (torch.rand(1, 1, 12, 16, generator=generator) > 0.7).float()


def test_jaccard_loss_by_hand() -> None:
    # Intersection 1.25, union 2 + 2 - 1.25 = 2.75, one added to both.
    assert JaccardLoss()(LOGITS, TARGET).item() == pytest.approx(1 - 2.25 / 3.75)


def test_dice_loss_by_hand() -> None:
    # Common 1.25; 0.75 too much and 0.75 missed, half of each below the line.
    assert DiceLoss()(LOGITS, TARGET).item() == pytest.approx(1 - 2.25 / 3.0)


def test_tversky_loss_by_hand() -> None:
    logits = LOGITS.clone()
    logits[0, 0, 1] = math.log(3)
    # Probabilities 3/4 below: 1.5 too much, 0.75 missed.
    loss = TverskyLoss(alpha=0.2, beta=0.8)
    assert loss(logits, TARGET).item() == pytest.approx(1 - 2.25 / (2.25 + 0.2 * 1.5 + 0.8 * 0.75))


def test_softmax_by_hand_leaves_the_background_out() -> None:
    # Shares of background, first and second class: 1/2, 1/4, 1/4 everywhere.
    logits = torch.tensor([2.0, 1.0, 1.0]).log().reshape(1, 3, 1, 1).expand(1, 3, 2, 2)
    target = torch.zeros(1, 2, 2, 2)
    target[0, 0, 0] = 1
    # First class: 0.5 of 2 found, 0.5 too much. Second: empty, 1 too much.
    expected = 1 - ((0.5 + 1) / (2 + 0.5 + 1) + 1 / (1 + 1)) / 2
    assert JaccardLoss("softmax")(logits, target).item() == pytest.approx(expected)


def test_images_count_the_same_whatever_their_area() -> None:
    target = torch.zeros(2, 1, 16, 16)
    target[0] = 1
    target[1, 0, 0, 0] = 1
    logits = torch.full((2, 1, 16, 16), -30.0)
    logits[0] = 30.0
    # A perfect large lesion and a small one that is missed: (0 + (1 - 1/2)) / 2.
    assert JaccardLoss()(logits, target).item() == pytest.approx(0.25)


def test_classes_count_the_same() -> None:
    target = torch.zeros(1, 2, 4, 4)
    target[0, 0] = 1
    logits = torch.full((1, 2, 4, 4), 30.0)
    # Perfect on the first class, 16 wrong pixels on the second: (0 + (1 - 1/17)) / 2.
    assert JaccardLoss()(logits, target).item() == pytest.approx(0.5 * (1 - 1 / 17))


@pytest.mark.parametrize("seed", range(4))
def test_losses_of_one_image_equal_the_librarys(seed: int) -> None:
    # Only now, when dermseg has made torchvision importable.
    import segmentation_models_pytorch.losses as smp  # noqa: PLC0415

    logits, target = draw(seed)
    pairs = [
        (JaccardLoss(), smp.JaccardLoss("binary", smooth=1.0)),
        (DiceLoss(), smp.DiceLoss("binary", smooth=1.0)),
        (
            TverskyLoss(alpha=0.2, beta=0.8),
            smp.TverskyLoss("binary", smooth=1.0, alpha=0.2, beta=0.8),
        ),
    ]
    for own, library in pairs:
        expected = library(logits, target).item()
        assert own(logits, target).item() == pytest.approx(expected, abs=1e-6)


def test_lovasz_hinge_by_hand() -> None:
    # Errors 1 - logit * sign: 3 (missed), 0.5 (nearly found), 0 and 0 (surely not).
    logits = torch.tensor([[-2.0, 0.5], [-4.0, -1.0]])[None, None]
    # The first error takes the Jaccard index from 1 to 1/2, the second to 0.
    assert LovaszLoss()(logits, TARGET).item() == pytest.approx(3 * 0.5 + 0.5 * 0.5)


def test_lovasz_hinge_averages_images_and_classes() -> None:
    logits = torch.cat([draw(seed)[0] for seed in range(4)]).reshape(2, 2, 12, 16)
    target = torch.cat([draw(seed)[1] for seed in range(4)]).reshape(2, 2, 12, 16)
    single = [LovaszLoss()(*draw(seed)).item() for seed in range(4)]
    assert LovaszLoss()(logits, target).item() == pytest.approx(np.mean(single), rel=1e-6)


@pytest.mark.parametrize("seed", range(3))
def test_lovasz_softmax_of_a_sure_network_is_the_mean_jaccard_distance(seed: int) -> None:
    logits, target = draw(seed, num_maps=2)
    predicted = logits.argmax(dim=1).numpy() == 1
    truth = target[:, 0].numpy() == 1
    # At probabilities of 0 and 1 the extension is 1 minus the Jaccard index, of both classes.
    distances = [
        1 - (one & other).sum() / (one | other).sum()
        for one, other in ((predicted, truth), (~predicted, ~truth))
    ]
    sure = 1000 * (logits - logits.mean(dim=1, keepdim=True))
    assert LovaszLoss("softmax")(sure, target).item() == pytest.approx(np.mean(distances), abs=1e-4)


MASKS = arrays.arrays(np.bool_, (2, 1, 3, 4))
LOGIT_MAPS = arrays.arrays(np.float32, (2, 2, 3, 4), elements=st.floats(-50, 50, width=32))


@pytest.mark.parametrize("activation", ["sigmoid", "softmax"])
@given(values=LOGIT_MAPS, masks=MASKS, alpha=st.floats(0, 2), beta=st.floats(0.1, 2))
def test_tversky_loss_is_between_0_and_1(
    activation: Activation,
    values: NDArray[np.float32],
    masks: NDArray[np.bool_],
    alpha: float,
    beta: float,
) -> None:
    logits = torch.from_numpy(values if activation == "softmax" else values[:, :1])
    target = torch.from_numpy(masks).float()
    value = TverskyLoss(activation, alpha=alpha, beta=beta)(logits, target).item()
    assert -1e-6 <= value <= 1


@given(values=LOGIT_MAPS, masks=MASKS)
def test_jaccard_costs_at_least_what_dice_does(
    values: NDArray[np.float32], masks: NDArray[np.bool_]
) -> None:
    logits, target = torch.from_numpy(values[:, :1]), torch.from_numpy(masks).float()
    assert JaccardLoss()(logits, target).item() >= DiceLoss()(logits, target).item() - 1e-6
