"""What holds for every loss, and the sum that a recipe names."""

from __future__ import annotations

import pytest
import torch
from torch import Tensor, nn

from dermseg.errors import RecipeError
from dermseg.losses import (
    LOSSES,
    BCELoss,
    JaccardLoss,
    SegmentationLoss,
    WeightedSumLoss,
    class_labels,
    class_probabilities,
    create_loss,
)
from dermseg.recipes import Activation, LossTerm

EVERY = [(name, activation) for name, kind in LOSSES.items() for activation in kind.activations]
every_loss = pytest.mark.parametrize(("name", "activation"), EVERY)
every_loss_of_pixels = pytest.mark.parametrize(
    ("name", "activation"), [(name, activation) for name, activation in EVERY if name != "presence"]
)


class MeanLogit(nn.Module):
    """The mean of the logits: a loss whose value is known for constant maps."""

    def forward(self, logits: Tensor, target: Tensor) -> Tensor:
        assert logits.shape == target.shape
        return logits.mean()


def as_logits(scores: Tensor, activation: Activation) -> Tensor:
    """Logits whose probabilities are those of a sigmoid of one class's scores."""
    return scores if activation == "sigmoid" else torch.cat([-scores / 2, scores / 2], dim=1)


@pytest.fixture
def target() -> Tensor:
    """Two masks, the second one empty."""
    target = torch.zeros(2, 1, 8, 8)
    target[0, 0, 2:6, 3:7] = 1
    return target


@every_loss
def test_perfect_logits_cost_nearly_nothing(
    name: str, activation: Activation, target: Tensor
) -> None:
    logits = as_logits(40 * target - 20, activation)
    assert 0 <= LOSSES[name](activation)(logits, target).item() < 1e-6


@every_loss_of_pixels
def test_the_more_is_wrong_the_more_it_costs(
    name: str, activation: Activation, target: Tensor
) -> None:
    loss = LOSSES[name](activation)
    perfect = 40 * target - 20
    half = perfect.clone()
    half[0, 0, 2:4] *= -1
    costs = [
        loss(as_logits(scores, activation), target).item() for scores in (perfect, half, -perfect)
    ]
    assert costs[0] < costs[1] < costs[2]


@every_loss
@pytest.mark.parametrize("kind", ["empty", "full", "mixed"])
@pytest.mark.parametrize("scale", [0.0, 1.0, 1e4])
def test_loss_and_gradient_are_finite(
    name: str, activation: Activation, kind: str, scale: float
) -> None:
    target = {"empty": torch.zeros, "full": torch.ones}.get(kind, torch.zeros)(2, 1, 8, 8)
    if kind == "mixed":
        target[0] = 1
    scores = scale * torch.linspace(-1, 1, 128).reshape(2, 1, 8, 8)
    logits = as_logits(scores, activation).requires_grad_()
    value = LOSSES[name](activation)(logits, target)
    value.backward()
    assert value.shape == ()
    assert torch.isfinite(value)
    assert logits.grad is not None
    assert torch.isfinite(logits.grad).all()


@every_loss_of_pixels
def test_gradient_pushes_logits_towards_the_target(
    name: str, activation: Activation, target: Tensor
) -> None:
    logits = as_logits(torch.zeros(2, 1, 8, 8), activation).requires_grad_()
    LOSSES[name](activation)(logits, target).backward()
    assert logits.grad is not None
    gradient = logits.grad[:, -1:]
    if name == "lovasz":
        # Once an image's score is 0, further errors in it cost nothing.
        assert (gradient[target == 1] < 0).any()
        assert (gradient[target == 1] <= 0).all()
        assert (gradient[target == 0] > 0).any()
        assert (gradient[target == 0] >= 0).all()
    else:
        assert (gradient[target == 1] < 0).all()
        assert (gradient[target == 0] > 0).all()


@every_loss
def test_half_precision_costs_what_float32_does(
    name: str, activation: Activation, target: Tensor
) -> None:
    terms = [LossTerm(name=name)]
    outputs = [as_logits(torch.linspace(-6, 6, 128).reshape(2, 1, 8, 8), activation).bfloat16()]
    loss = create_loss(terms, activation=activation)
    expected = loss([outputs[0].float()], target)
    with torch.autocast("cpu", dtype=torch.bfloat16):
        found = loss(outputs, target)
    assert found.dtype == torch.float32
    assert found.item() == expected.item()


@every_loss
def test_memory_order_of_the_logits_does_not_matter(name: str, activation: Activation) -> None:
    generator = torch.Generator().manual_seed(0)
    target = (torch.rand(2, 2, 8, 8, generator=generator) > 0.7).float()
    logits = torch.randn(2, 2 + (activation == "softmax"), 8, 8, generator=generator)
    loss = LOSSES[name](activation)
    last = logits.contiguous(memory_format=torch.channels_last)
    assert loss(last, target).item() == pytest.approx(loss(logits, target).item(), rel=1e-6)


@every_loss
def test_loss_keeps_no_weights(name: str, activation: Activation) -> None:
    assert not create_loss([LossTerm(name=name)], activation=activation).state_dict()


@pytest.mark.parametrize("name", ["focal", "jaccard", "dice", "tversky"])
def test_softmax_of_two_maps_costs_what_a_sigmoid_does(name: str, target: Tensor) -> None:
    scores = torch.linspace(-3, 3, 128).reshape(2, 1, 8, 8)
    costs = [
        LOSSES[name](activation)(as_logits(scores, activation), target).item()
        for activation in LOSSES[name].activations
    ]
    assert costs[0] == pytest.approx(costs[1], rel=1e-5)


def test_probabilities_leave_the_background_out() -> None:
    logits = torch.tensor([1.0, 2.0, 5.0]).log().reshape(1, 3, 1, 1)
    assert class_probabilities(logits, "softmax").flatten().tolist() == pytest.approx(
        [2 / 8, 5 / 8]
    )
    assert class_probabilities(logits, "sigmoid").flatten().tolist() == pytest.approx(
        [1 / 2, 2 / 3, 5 / 6]
    )


def test_labels_number_the_classes_after_the_background() -> None:
    target = torch.tensor([[0.0, 1.0, 0.0, 1.0], [0.0, 0.0, 1.0, 1.0]]).reshape(1, 2, 1, 4)
    # The last pixel is of both classes: the first one counts.
    assert class_labels(target).tolist() == [[[0, 1, 2, 1]]]


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
    parts = BCELoss()(logits, target) + 0.25 * JaccardLoss()(logits, target)
    assert loss([logits], target).item() == pytest.approx(parts.item())


def test_every_output_gets_a_gradient(target: Tensor) -> None:
    outputs = [torch.zeros(2, 1, side, side, requires_grad=True) for side in (8, 4)]
    create_loss([LossTerm(name="bce"), LossTerm(name="jaccard")])(outputs, target).backward()
    for output in outputs:
        assert output.grad is not None
        assert output.grad.abs().sum() > 0


def test_parameters_reach_the_loss(target: Tensor) -> None:
    logits = torch.linspace(-3, 3, 128).reshape(2, 1, 8, 8)
    terms = [LossTerm(name="tversky", parameters={"alpha": 1, "beta": 1.0})]
    expected = JaccardLoss()(logits, target).item()
    assert create_loss(terms)([logits], target).item() == pytest.approx(expected)


def test_fitted_class_weights_reach_the_loss(target: Tensor) -> None:
    logits = torch.linspace(-3, 3, 256).reshape(2, 2, 8, 8)
    values = []
    for weights, fitted in (("inverse_frequency", [1.0, 3.0]), ([1, 3], None)):
        terms = [LossTerm(name="cross_entropy", parameters={"class_weights": weights})]
        loss = create_loss(terms, activation="softmax", fitted_weights=fitted)
        values.append(loss([logits], target).item())
    plain = create_loss([LossTerm(name="cross_entropy")], activation="softmax")(
        [logits], target
    ).item()
    assert values[0] == values[1] != plain


@pytest.mark.parametrize(
    ("term", "activation", "message"),
    [
        (LossTerm(name="dise"), "sigmoid", "unknown loss 'dise': expected one of bce, cross_entr"),
        (
            LossTerm(name="bce", parameters={"gamma": 2}),
            "sigmoid",
            "loss 'bce' has no parameter 'gamma': expected class_weights",
        ),
        (
            LossTerm(name="lovasz", parameters={"gamma": 2}),
            "sigmoid",
            "loss 'lovasz' has no parameter 'gamma': expected none at all",
        ),
        (
            LossTerm(name="tversky", parameters={"gamma": 2}),
            "sigmoid",
            "loss 'tversky' has no parameter 'gamma': expected alpha or beta or pooled",
        ),
        (
            LossTerm(name="bce", parameters={"activation": "softmax"}),
            "sigmoid",
            "no parameter 'activation'",
        ),
        (LossTerm(name="bce"), "softmax", "loss 'bce': activation is 'softmax', but .* 'sigmoid'"),
        (LossTerm(name="cross_entropy"), "sigmoid", "this loss is for activation = 'softmax'"),
        (LossTerm(name="focal", parameters={"gamma": 0.5}), "sigmoid", "expected 0 or at least 1"),
        (LossTerm(name="focal", parameters={"gamma": "two"}), "sigmoid", "loss 'focal': "),
        (LossTerm(name="focal", parameters={"alpha": 1.0}), "sigmoid", "between 0 and 1"),
        (LossTerm(name="focal", parameters={"alpha": 0.3}), "softmax", "give class_weights"),
        (
            LossTerm(name="focal", parameters={"alpha": 0.3, "class_weights": [1, 2]}),
            "sigmoid",
            "give one of them",
        ),
        (LossTerm(name="dice", parameters={"pooled": "yes"}), "sigmoid", "expected true or false"),
        (LossTerm(name="presence", parameters={"share": 0}), "sigmoid", "above 0 and at most 1"),
        (LossTerm(name="presence"), "softmax", "this loss is for activation = 'sigmoid'"),
        (
            LossTerm(name="bce", parameters={"class_weights": [1]}),
            "sigmoid",
            r"class_weights is \[1\], expected 'inverse_frequency' or 2 numbers above 0",
        ),
        (
            LossTerm(name="focal", parameters={"class_weights": [1]}),
            "softmax",
            r"class_weights is \[1\], expected 'inverse_frequency' or 2 numbers above 0",
        ),
        (
            LossTerm(name="cross_entropy", parameters={"class_weights": [1, 0]}),
            "softmax",
            "2 numbers above 0",
        ),
        (
            LossTerm(name="cross_entropy", parameters={"class_weights": "balanced"}),
            "softmax",
            "class_weights is 'balanced', expected 'inverse_frequency'",
        ),
        (
            LossTerm(name="cross_entropy", parameters={"class_weights": "inverse_frequency"}),
            "softmax",
            "were not fitted",
        ),
        (LossTerm(name="tversky", parameters={"alpha": -1}), "sigmoid", "expected 0 or more"),
        (LossTerm(name="tversky", parameters={"alpha": 0, "beta": 0}), "sigmoid", "not both 0"),
    ],
)
def test_term_that_cannot_be_built_is_refused(
    term: LossTerm, activation: Activation, message: str
) -> None:
    with pytest.raises(RecipeError, match=message):
        create_loss([term], activation=activation)


@every_loss
def test_table_holds_losses_of_some_activation(name: str, activation: Activation) -> None:
    assert issubclass(LOSSES[name], SegmentationLoss)
    assert LOSSES[name](activation).activation == activation
