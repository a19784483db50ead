"""Pixels of which nothing is known: every loss ignores them, as if they were not there."""

from __future__ import annotations

import pytest
import torch
import torch.nn.functional as F
from torch import Tensor

from dermseg.losses import (
    IGNORED,
    LOSSES,
    SOMEWHERE,
    UNKNOWN,
    BCELoss,
    CrossEntropyLoss,
    DiceLoss,
    FocalLoss,
    JaccardLoss,
    LovaszLoss,
    class_labels,
    known_pixels,
)
from dermseg.recipes import Activation

EVERY = [(name, activation) for name, kind in LOSSES.items() for activation in kind.activations]
every_loss = pytest.mark.parametrize(("name", "activation"), EVERY)
every_loss_of_pixels = pytest.mark.parametrize(
    ("name", "activation"), [(name, activation) for name, activation in EVERY if name != "presence"]
)


def draw(
    activation: Activation, *, num_classes: int = 2, num_images: int = 3
) -> tuple[Tensor, Tensor]:
    """Random logits and masks of some classes."""
    generator = torch.Generator().manual_seed(4)
    num_maps = num_classes + (activation == "softmax")
    logits = 2 * torch.randn(num_images, num_maps, 10, 12, generator=generator)
    target = torch.rand(num_images, num_classes, 10, 12, generator=generator) > 0.7
    return logits, target.float()


def cost(name: str, activation: Activation, logits: Tensor, target: Tensor) -> tuple[float, Tensor]:
    """A loss and its gradient."""
    own = logits.clone().requires_grad_()
    value = LOSSES[name](activation)(own, target)
    value.backward()
    assert own.grad is not None
    return value.item(), own.grad


@every_loss
def test_batch_without_any_known_pixel_costs_nothing(name: str, activation: Activation) -> None:
    logits, target = draw(activation)
    value, gradient = cost(name, activation, logits, torch.full_like(target, UNKNOWN))
    assert value == 0
    assert torch.equal(gradient, torch.zeros_like(gradient))


@every_loss_of_pixels
def test_classes_that_are_only_somewhere_cost_no_pixel_anything(
    name: str, activation: Activation
) -> None:
    logits, target = draw(activation)
    value, gradient = cost(name, activation, logits, torch.full_like(target, SOMEWHERE))
    assert value == 0
    assert not gradient.any()


@every_loss_of_pixels
@pytest.mark.parametrize("mark", [UNKNOWN, SOMEWHERE])
def test_logits_of_unknown_pixels_do_not_matter(
    name: str, activation: Activation, mark: float
) -> None:
    logits, target = draw(activation)
    target[:, :, :4] = mark
    target[1] = mark
    value, gradient = cost(name, activation, logits, target)
    changed = logits.clone()
    changed[:, :, :4] *= -3
    changed[1] += 1
    assert cost(name, activation, changed, target)[0] == pytest.approx(value, rel=1e-6)
    assert not gradient[:, :, :4].any()
    assert not gradient[1].any()
    assert gradient[0, :, 4:].any()


@every_loss_of_pixels
def test_unknown_pixels_leave_the_loss_of_the_others(name: str, activation: Activation) -> None:
    logits, target = draw(activation)
    target[:, :, 4:] = UNKNOWN
    expected = LOSSES[name](activation)(logits[:, :, :4], target[:, :, :4]).item()
    assert cost(name, activation, logits, target)[0] == pytest.approx(expected, rel=1e-5)


@every_loss
def test_images_of_which_nothing_is_known_leave_the_loss_of_the_others(
    name: str, activation: Activation
) -> None:
    logits, target = draw(activation)
    target[1] = UNKNOWN
    kept = [0, 2]
    expected = LOSSES[name](activation)(logits[kept], target[kept]).item()
    assert cost(name, activation, logits, target)[0] == pytest.approx(expected, rel=1e-5)


@pytest.mark.parametrize("name", [name for name, activation in EVERY if activation == "sigmoid"])
def test_class_that_nobody_marked_leaves_the_loss_of_the_others(name: str) -> None:
    logits, target = draw("sigmoid", num_classes=3)
    target[:, 1] = UNKNOWN
    kept = [0, 2]
    expected = LOSSES[name]("sigmoid")(logits[:, kept], target[:, kept]).item()
    value, gradient = cost(name, "sigmoid", logits, target)
    assert value == pytest.approx(expected, rel=1e-5)
    assert not gradient[:, 1].any()


def test_pixel_counts_under_softmax_only_where_all_classes_are_known() -> None:
    target = torch.tensor([[0.0, 1.0, UNKNOWN, 0.0], [0.0, UNKNOWN, 1.0, 1.0]]).reshape(1, 2, 1, 4)
    assert class_labels(target).tolist() == [[[0, IGNORED, IGNORED, 2]]]
    known = known_pixels(target, "softmax")
    assert known is not None
    assert known.flatten().tolist() == [True, False, False, True]


def test_target_without_unknown_pixels_needs_no_map_of_known_ones() -> None:
    assert known_pixels(torch.zeros(1, 2, 3, 3), "sigmoid") is None


def test_bce_is_torchs_of_the_known_pixels() -> None:
    logits, target = draw("sigmoid")
    target[0, 0, 2:5] = UNKNOWN
    target[2, 1] = SOMEWHERE
    is_known = target >= 0
    expected = F.binary_cross_entropy_with_logits(logits[is_known], target[is_known])
    assert BCELoss()(logits, target).item() == pytest.approx(expected.item(), rel=1e-6)


@pytest.mark.parametrize("weights", [None, [0.1, 0.5, 0.4]])
def test_cross_entropy_is_torchs_with_an_ignored_label(weights: list[float] | None) -> None:
    logits, target = draw("softmax")
    target[0, 0, 2:5] = UNKNOWN
    labels = class_labels(target)
    labels[0, 2:5] = 255
    as_tensor = None if weights is None else torch.tensor(weights)
    expected = F.cross_entropy(logits, labels, weight=as_tensor, ignore_index=255).item()
    found = CrossEntropyLoss(class_weights=weights)(logits, target).item()
    assert found == pytest.approx(expected, rel=1e-6)


@pytest.mark.parametrize("weights", [None, [0.1, 0.5, 0.4]])
def test_focal_loss_without_focus_is_cross_entropy_of_the_known_pixels(
    weights: list[float] | None,
) -> None:
    logits, target = draw("softmax")
    target[0, 0, 2:5] = UNKNOWN
    plain = CrossEntropyLoss(class_weights=weights)(logits, target).item()
    focal = FocalLoss("softmax", gamma=0, class_weights=weights)(logits, target).item()
    assert focal == pytest.approx(plain, rel=1e-6)


def test_sigmoid_class_weights_by_hand() -> None:
    # Probabilities of 1/2 cost the same everywhere, so only who counts how much is seen.
    logits = torch.zeros(1, 2, 1, 3)
    logits[0, 0, 0, 0] = 100
    logits[0, 1, 0, 1] = -100
    target = torch.tensor([[1.0, 0.0, 0.0], [0.0, 0.0, 1.0]]).reshape(1, 2, 1, 3)
    # First map: 2, 1, 1; second: 1, 1, 5. The two sure and right pixels cost nothing.
    log2 = torch.tensor(2.0).log().item()
    expected = log2 * (0 + 1 + 1 + 1 + 0 + 5) / (2 + 1 + 1 + 1 + 1 + 5)
    loss = BCELoss(class_weights=[1.0, 2.0, 5.0])
    assert loss(logits, target).item() == pytest.approx(expected)
    scaled = BCELoss(class_weights=[0.1, 0.2, 0.5])
    assert scaled(logits, target).item() == pytest.approx(expected)
    # Who is in no mask but not known either counts nothing.
    target[0, 1, 0, 0] = UNKNOWN
    expected = log2 * (0 + 1 + 1 + 0 + 5) / (2 + 1 + 1 + 1 + 5)
    assert loss(logits, target).item() == pytest.approx(expected)
    focal = FocalLoss(gamma=2, class_weights=[1.0, 2.0, 5.0])
    assert focal(logits, target).item() == pytest.approx(expected / 4)


def test_pooled_overlap_by_hand() -> None:
    # Two images of four pixels, probabilities of 1/2; the class is in the first one only.
    logits = torch.zeros(2, 1, 2, 2)
    target = torch.zeros(2, 1, 2, 2)
    target[0, 0, 0] = 1
    # Found 1 of 2; 4 in all are called: union 2 + 4 - 1.
    assert JaccardLoss(pooled=True)(logits, target).item() == pytest.approx(1 - (1 + 1) / (5 + 1))
    # Image by image: union 2 + 2 - 1 in the first, 2 in the second.
    expected = 1 - ((1 + 1) / (3 + 1) + 1 / (2 + 1)) / 2
    assert JaccardLoss()(logits, target).item() == pytest.approx(expected)


def test_pooled_overlap_leaves_classes_out_that_nobody_marked_in_the_batch() -> None:
    logits, target = torch.zeros(2, 2, 2, 2), torch.zeros(2, 2, 2, 2)
    target[0, 0, 0] = 1
    target[:, 1] = UNKNOWN
    target[1, 0] = UNKNOWN
    # First class of the first image: union 2 + 2 - 1.
    expected = 1 - (1 + 1) / (3 + 1)
    for pooled in (True, False):
        found = JaccardLoss(pooled=pooled)(logits, target).item()
        assert found == pytest.approx(expected)


@pytest.mark.parametrize("activation", ["sigmoid", "softmax"])
def test_pooled_overlap_of_a_batch_is_that_of_one_large_image(activation: Activation) -> None:
    logits, target = draw(activation)
    target[0, :, 3:6] = UNKNOWN
    wide = [torch.cat(list(tensor), dim=2)[None] for tensor in (logits, target)]
    found = DiceLoss(activation, pooled=True)(logits, target).item()
    assert found == pytest.approx(DiceLoss(activation)(wide[0], wide[1]).item(), rel=1e-6)


def test_pooled_dice_is_the_librarys() -> None:
    # Only now, when dermseg has made torchvision importable.
    import segmentation_models_pytorch.losses as smp  # noqa: PLC0415

    logits, target = draw("sigmoid", num_classes=1)
    target[0, 0, 2:5] = UNKNOWN
    library = smp.DiceLoss("binary", smooth=1.0, ignore_index=int(UNKNOWN))
    expected = library(logits, target).item()
    assert DiceLoss(pooled=True)(logits, target).item() == pytest.approx(expected, abs=1e-6)


def test_lovasz_hinge_is_the_librarys_with_an_ignored_label() -> None:
    import segmentation_models_pytorch.losses as smp  # noqa: PLC0415

    logits, target = draw("sigmoid", num_classes=1)
    target[0, 0, 2:5] = UNKNOWN
    library = smp.LovaszLoss("binary", per_image=True, ignore_index=int(UNKNOWN))
    expected = library(logits[:, 0], target[:, 0]).item()
    assert LovaszLoss()(logits, target).item() == pytest.approx(expected, rel=1e-6)
