"""Every loss, and their weighted sum."""

from __future__ import annotations

import math

import pytest
import torch
from torch import Tensor, nn

from dermseg.errors import RecipeError
from dermseg.losses import LOSSES, JaccardLoss, WeightedSumLoss, create_loss
from dermseg.recipes import LossTerm


class MeanLogit(nn.Module):
    """The mean of the logits: a loss whose value is known for constant maps."""

    def forward(self, logits: Tensor, target: Tensor) -> Tensor:
        assert logits.shape == target.shape
        return logits.mean()


@pytest.fixture
def target() -> Tensor:
    """Two masks, the second one empty."""
    target = torch.zeros(2, 1, 8, 8)
    target[0, 0, 2:6, 3:7] = 1
    return target


@pytest.mark.parametrize("name", LOSSES)
def test_perfect_logits_cost_nearly_nothing(name: str, target: Tensor) -> None:
    logits = 40 * target - 20
    assert 0 <= LOSSES[name]()(logits, target).item() < 1e-6


@pytest.mark.parametrize("name", LOSSES)
def test_the_more_is_wrong_the_more_it_costs(name: str, target: Tensor) -> None:
    loss = LOSSES[name]()
    perfect = 40 * target - 20
    half = perfect.clone()
    half[0, 0, 2:4] *= -1
    costs = [loss(logits, target).item() for logits in (perfect, half, -perfect)]
    assert costs == sorted(costs)
    assert costs[0] < costs[1] < costs[2]


@pytest.mark.parametrize("name", LOSSES)
@pytest.mark.parametrize("kind", ["empty", "full", "mixed"])
@pytest.mark.parametrize("scale", [0.0, 1.0, 1e4])
def test_loss_and_gradient_are_finite(name: str, kind: str, scale: float) -> None:
    target = {"empty": torch.zeros, "full": torch.ones}.get(kind, torch.zeros)(2, 1, 8, 8)
    if kind == "mixed":
        target[0] = 1
    logits = (scale * torch.linspace(-1, 1, 128).reshape(2, 1, 8, 8)).requires_grad_()
    value = LOSSES[name]()(logits, target)
    value.backward()
    assert value.shape == ()
    assert torch.isfinite(value)
    assert logits.grad is not None
    assert torch.isfinite(logits.grad).all()


@pytest.mark.parametrize("name", LOSSES)
def test_gradient_pushes_logits_towards_the_target(name: str, target: Tensor) -> None:
    logits = torch.zeros(2, 1, 8, 8, requires_grad=True)
    LOSSES[name]()(logits, target).backward()
    assert logits.grad is not None
    assert (logits.grad[target == 1] < 0).all()
    assert (logits.grad[target == 0] > 0).all()


def test_jaccard_loss_by_hand() -> None:
    # Probabilities 1/2, 3/4 | 1/4, 1/2 on the target 1, 1 | 0, 0.
    logits = torch.tensor([[0.0, math.log(3)], [-math.log(3), 0.0]])[None, None]
    target = torch.tensor([[1.0, 1.0], [0.0, 0.0]])[None, None]
    # Intersection 1.25, union 2 + 2 - 1.25 = 2.75, one added to both.
    assert JaccardLoss()(logits, target).item() == pytest.approx(1 - 2.25 / 3.75)


def test_jaccard_loss_averages_images_whatever_their_area() -> None:
    target = torch.zeros(2, 1, 16, 16)
    target[0] = 1
    target[1, 0, 0, 0] = 1
    logits = torch.full((2, 1, 16, 16), -30.0)
    logits[0] = 30.0
    # A perfect large lesion and a small one that is missed: (0 + (1 - 1/2)) / 2.
    assert JaccardLoss()(logits, target).item() == pytest.approx(0.25)


def test_jaccard_loss_averages_classes() -> None:
    target = torch.zeros(1, 2, 4, 4)
    target[0, 0] = 1
    logits = torch.full((1, 2, 4, 4), 30.0)
    # Perfect on the first class, 16 wrong pixels on the second: (0 + (1 - 1/17)) / 2.
    assert JaccardLoss()(logits, target).item() == pytest.approx(0.5 * (1 - 1 / 17))


@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16])
def test_half_precision_logits_cost_what_they_do_in_float32(dtype: torch.dtype) -> None:
    logits = torch.linspace(-6, 6, 4096).reshape(1, 1, 64, 64).to(dtype)
    target = (logits.float() > 1).float()
    loss = JaccardLoss()(logits, target)
    assert loss.dtype == torch.float32
    assert loss.item() == JaccardLoss()(logits.float(), target).item()


def test_coarser_outputs_count_half_of_the_one_before() -> None:
    loss = WeightedSumLoss([(MeanLogit(), 1.0)])
    outputs = [
        torch.full((1, 1, side, side), value) for side, value in ((8, 1.0), (4, 2.0), (2, 4.0))
    ]
    value = loss(outputs, torch.zeros(1, 1, 8, 8))
    assert value.item() == pytest.approx((1 * 1 + 2 / 2 + 4 / 4) / (1 + 1 / 2 + 1 / 4))


def test_terms_count_by_their_weights() -> None:
    loss = WeightedSumLoss([(MeanLogit(), 2.0), (MeanLogit(), 0.5)])
    assert loss([torch.full((1, 1, 4, 4), 3.0)], torch.zeros(1, 1, 4, 4)).item() == 7.5


def test_weighted_sum_equals_its_parts(target: Tensor) -> None:
    logits = torch.linspace(-3, 3, 128).reshape(2, 1, 8, 8)
    loss = create_loss([LossTerm(name="bce"), LossTerm(name="jaccard", weight=0.25)])
    parts = nn.BCEWithLogitsLoss()(logits, target) + 0.25 * JaccardLoss()(logits, target)
    assert loss([logits], target).item() == pytest.approx(parts.item())


def test_every_output_gets_a_gradient(target: Tensor) -> None:
    outputs = [torch.zeros(2, 1, side, side, requires_grad=True) for side in (8, 4)]
    create_loss([LossTerm(name="bce"), LossTerm(name="jaccard")])(outputs, target).backward()
    for output in outputs:
        assert output.grad is not None
        assert output.grad.abs().sum() > 0


def test_unknown_loss_names_the_known_ones() -> None:
    with pytest.raises(RecipeError, match="unknown loss 'dise': expected one of bce, jaccard"):
        create_loss([LossTerm(name="bce"), LossTerm(name="dise")])
