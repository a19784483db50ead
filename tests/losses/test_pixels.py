"""The losses of single pixels: by hand, and against other formulas."""

from __future__ import annotations

import math

import numpy as np
import pytest
import torch
from torch import Tensor, nn

from dermseg.losses import BCELoss, CrossEntropyLoss, FocalLoss
from dermseg.recipes import Activation

# The logit of a probability of 3/4.
SURE = math.log(3)


def pixels(*values: float) -> Tensor:
    """One image of one row."""
    return torch.tensor(values).reshape(1, 1, 1, -1)


def two_maps(*values: float) -> Tensor:
    """Logits of background and lesion, whose probabilities are those of a sigmoid."""
    return torch.cat([torch.zeros(1, 1, 1, len(values)), pixels(*values)], dim=1)


def test_bce_by_hand() -> None:
    expected = (-math.log(3 / 4) - math.log(1 / 2)) / 2
    assert BCELoss()(pixels(SURE, 0.0), pixels(1.0, 0.0)).item() == pytest.approx(expected)


def test_bce_equals_torchs() -> None:
    logits, target = torch.linspace(-4, 4, 64).reshape(2, 2, 4, 4), torch.ones(2, 2, 4, 4)
    assert BCELoss()(logits, target) == nn.BCEWithLogitsLoss()(logits, target)


def test_cross_entropy_by_hand() -> None:
    logits, target = two_maps(SURE, SURE), pixels(1.0, 0.0)
    expected = (-math.log(3 / 4) - math.log(1 / 4)) / 2
    assert CrossEntropyLoss()(logits, target).item() == pytest.approx(expected)


def test_class_weights_weigh_the_mean() -> None:
    logits, target = two_maps(SURE, SURE, SURE), pixels(1.0, 0.0, 0.0)
    # Background first: each of its pixels counts 1, the lesion's 4.
    expected = (-4 * math.log(3 / 4) - 2 * math.log(1 / 4)) / 6
    loss = CrossEntropyLoss(class_weights=[1.0, 4.0])
    assert loss(logits, target).item() == pytest.approx(expected)
    scaled = CrossEntropyLoss(class_weights=[0.1, 0.4])
    assert scaled(logits, target).item() == pytest.approx(expected)


@pytest.mark.parametrize("activation", ["sigmoid", "softmax"])
def test_focal_loss_by_hand(activation: Activation) -> None:
    logits = pixels(SURE, 0.0) if activation == "sigmoid" else two_maps(SURE, 0.0)
    # What is missing to 1, squared: 1/16 and 1/4.
    expected = (-math.log(3 / 4) / 16 - math.log(1 / 2) / 4) / 2
    assert FocalLoss(activation)(logits, pixels(1.0, 0.0)).item() == pytest.approx(expected)


def test_alpha_weighs_the_class_against_all_else() -> None:
    expected = (-0.8 * math.log(3 / 4) / 16 - 0.2 * math.log(1 / 2) / 4) / 2
    loss = FocalLoss(alpha=0.8)
    assert loss(pixels(SURE, 0.0), pixels(1.0, 0.0)).item() == pytest.approx(expected)


def test_focal_class_weights_weigh_the_mean() -> None:
    logits, target = two_maps(SURE, SURE, SURE), pixels(1.0, 0.0, 0.0)
    wrong = -math.log(1 / 4) * (3 / 4) ** 2
    expected = (-4 * math.log(3 / 4) / 16 + 2 * wrong) / 6
    loss = FocalLoss("softmax", class_weights=[1.0, 4.0])
    assert loss(logits, target).item() == pytest.approx(expected)


@pytest.mark.parametrize("weights", [None, [0.2, 0.5, 0.3]])
def test_focal_loss_without_focus_is_cross_entropy(weights: list[float] | None) -> None:
    generator = torch.Generator().manual_seed(0)
    logits = torch.randn(2, 3, 5, 6, generator=generator)
    target = (torch.rand(2, 2, 5, 6, generator=generator) > 0.6).float()
    focal = FocalLoss("softmax", gamma=0, class_weights=weights)(logits, target)
    plain = CrossEntropyLoss(class_weights=weights)(logits, target)
    assert focal.item() == pytest.approx(plain.item(), rel=1e-5)
    binary = FocalLoss(gamma=0)(logits[:, :2], target)
    assert binary.item() == pytest.approx(BCELoss()(logits[:, :2], target).item(), rel=1e-5)


@pytest.mark.parametrize("gamma", [1.0, 2.0, 3.5])
def test_focal_loss_equals_its_formula_in_numpy(gamma: float) -> None:
    generator = np.random.default_rng(1)
    logits = generator.normal(0, 3, (2, 3, 5, 6))
    labels = generator.integers(0, 3, (2, 5, 6))
    shares = np.exp(logits) / np.exp(logits).sum(axis=1, keepdims=True)
    own = np.take_along_axis(shares, labels[:, None], axis=1)[:, 0]
    weights = np.array([0.2, 0.5, 0.3])[labels]
    expected = (weights * -((1 - own) ** gamma) * np.log(own)).sum() / weights.sum()
    target = torch.from_numpy(np.stack([labels == 1, labels == 2], axis=1)).double()
    loss = FocalLoss("softmax", gamma=gamma, class_weights=[0.2, 0.5, 0.3])
    assert loss(torch.from_numpy(logits), target).item() == pytest.approx(expected)
