"""The loss of whether a class is in an image, by hand."""

from __future__ import annotations

import math

import pytest
import torch
import torch.nn.functional as F
from torch import Tensor

from dermseg.losses import SOMEWHERE, UNKNOWN, PresenceLoss


def image(*values: float) -> Tensor:
    """One image and class of one row."""
    return torch.tensor(values).reshape(1, 1, 1, -1)


def test_present_and_absent_by_hand() -> None:
    logits = image(-5.0, 3.0, 1.0, -9.0)
    loss = PresenceLoss(share=0.5)
    # The two highest of four: their mean is 2.
    assert loss(logits, image(0, 0, 0, 0)).item() == pytest.approx(math.log(1 + math.exp(2)))
    for present in (image(0, 0, 0, 1), image(*[SOMEWHERE] * 4)):
        assert loss(logits, present).item() == pytest.approx(math.log(1 + math.exp(-2)))


def test_a_single_pixel_is_pooled_at_least() -> None:
    logits = image(-5.0, 3.0, 1.0, -9.0)
    expected = math.log(1 + math.exp(3))
    assert PresenceLoss(share=0.01)(logits, image(0, 0, 0, 0)).item() == pytest.approx(expected)


def test_unknown_pixels_are_not_pooled() -> None:
    logits = image(9.0, 3.0, 1.0, -9.0)
    target = image(UNKNOWN, SOMEWHERE, SOMEWHERE, UNKNOWN)
    # Half of the two that something is said of: the higher one.
    value = PresenceLoss(share=0.5)(logits, target).item()
    assert value == pytest.approx(math.log(1 + math.exp(-3)))
    inside = image(UNKNOWN, 0, 0, UNKNOWN)
    value = PresenceLoss(share=0.5)(logits, inside).item()
    assert value == pytest.approx(math.log(1 + math.exp(3)))


def test_classes_of_unknown_presence_are_left_out_of_the_mean() -> None:
    logits = torch.tensor([[1.0, -2.0], [3.0, 0.5]]).reshape(2, 2, 1, 1).expand(2, 2, 4, 5)
    target = torch.zeros(2, 2, 4, 5)
    target[0, 0] = SOMEWHERE
    target[0, 1] = UNKNOWN
    target[1, 1, 2, 3] = 1
    costs = [
        F.softplus(torch.tensor(value)).item()
        for value in (-1.0, 3.0, -0.5)  # present, absent, present
    ]
    assert PresenceLoss()(logits, target).item() == pytest.approx(sum(costs) / 3)


def test_only_the_highest_logits_are_pushed() -> None:
    logits = torch.arange(100.0).reshape(1, 1, 10, 10).requires_grad_()
    PresenceLoss(share=0.03)(logits / 100, torch.full((1, 1, 10, 10), SOMEWHERE)).backward()
    assert logits.grad is not None
    pushed = logits.grad.flatten()
    assert (pushed[-3:] < 0).all()
    assert not pushed[:-3].any()


def test_a_diverged_network_is_not_hidden() -> None:
    logits = image(math.nan, 1.0)
    assert math.isnan(PresenceLoss(share=1)(logits, image(0, 0)).item())
