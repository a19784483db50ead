"""Targets say where a class is, where it is not, and what nobody knows."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch

from dermseg.images import write_image, write_mask
from dermseg.preprocessing import UNIT_RANGE
from dermseg.recipes import Recipe
from dermseg.training.data import Key, SegmentationData, create_target
from dermseg.types import Sample

MakeRecipe = Callable[..., Recipe]
CLASSES = 'classes=["globules", "streaks", "pigment_network"]'
INSIDE = "lesion_crop={ margin = 0.0, inside_only = true }"
CROP = "lesion_crop={ margin = 0.25 }"


def test_values_of_a_target_by_hand() -> None:
    masks = np.array([[[True, False]], [[False, False]], [[False, False]], [[False, False]]])
    known = np.array([True, False, False, False])
    target = create_target(
        ["a", "b", "c", "d"], masks, known, presence={"a": False, "b": True, "c": False}
    )
    assert target.dtype == np.float32
    # a: its mask counts, whatever was said; b somewhere; c known to be absent; d unknown.
    assert target.tolist() == [[[1, 0]], [[-2, -2]], [[0, 0]], [[-1, -1]]]


def test_nothing_is_known_outside_the_lesion() -> None:
    masks = np.array([[[True, True, False]], [[False] * 3]])
    inside = np.array([[False, True, True]])
    target = create_target(
        ["a", "b"], masks, np.array([True, False]), presence={"b": True}, inside=inside
    )
    assert target.tolist() == [[[-1, 1, 0]], [[-1, -2, -2]]]


@pytest.fixture
def sample(tmp_path: Path) -> Sample:
    """A lesion in the middle, dark; its left half are globules, streaks reach out of it."""
    lesion = np.zeros((48, 64), np.bool_)
    lesion[12:36, 16:48] = True
    globules = lesion.copy()
    globules[:, 32:] = False
    streaks = np.zeros_like(lesion)
    streaks[20:28, 40:64] = True
    image = np.where(lesion[..., None], [90, 60, 50], [225, 190, 170]).astype(np.uint8)
    write_image(tmp_path / "a.png", image)
    for name, mask in {"lesion": lesion, "globules": globules, "streaks": streaks}.items():
        write_mask(tmp_path / f"{name}.png", mask)
    return Sample(
        *("a", tmp_path / "a.png", tmp_path / "lesion.png"),
        group="a",
        attributes={name: tmp_path / f"{name}.png" for name in ("globules", "streaks")},
    )


def test_classes_have_the_order_of_the_recipe_and_unknown_ones_stay_so(
    make_recipe: MakeRecipe, sample: Sample
) -> None:
    recipe = make_recipe(CLASSES, "preprocessing.size=[48, 64]")
    target = SegmentationData([sample], recipe, UNIT_RANGE, augment=False)[0, 0]["target"]
    assert target.shape == (3, 48, 64)
    assert target.sum(dim=(1, 2)).tolist() == [24 * 16, 8 * 24, -48 * 64]
    for epoch in range(3):
        data = SegmentationData([sample], recipe, UNIT_RANGE, augment=True)
        augmented = data[epoch, 0]["target"]
        assert set(augmented[:2].unique().tolist()) == {0.0, 1.0}
        assert set(augmented[2].unique().tolist()) == {-1.0}


@pytest.mark.parametrize(("said", "value"), [("present", -2.0), ("absent", 0.0)])
def test_presence_fills_in_what_has_no_mask(
    make_recipe: MakeRecipe, sample: Sample, said: str, value: float
) -> None:
    told = replace(sample, presence={"pigment_network": said == "present", "globules": False})
    data = SegmentationData([told], make_recipe(CLASSES), UNIT_RANGE, augment=True)
    target = data[0, 0]["target"]
    assert set(target[2].unique().tolist()) == {value}
    assert target[0].max() == 1


def test_image_of_which_only_presence_is_known_can_be_learned_from(
    make_recipe: MakeRecipe, sample: Sample
) -> None:
    told = replace(sample, attributes={}, presence={"streaks": True})
    for overrides in ((CLASSES,), (CLASSES, CROP), (CLASSES, INSIDE)):
        data = SegmentationData([told], make_recipe(*overrides), UNIT_RANGE, augment=False)
        values = [set(target.unique().tolist()) for target in data[0, 0]["target"]]
        assert [-2.0 in found for found in values] == [False, True, False]
        assert values[0] == values[2] == {-1.0}


def test_image_is_cut_to_its_lesion(make_recipe: MakeRecipe, sample: Sample) -> None:
    # The lesion has 24 rows and 32 columns: with a quarter on each side 36 and 48.
    recipe = make_recipe(CLASSES, CROP, "preprocessing.size=[36, 48]")
    item = SegmentationData([sample], recipe, UNIT_RANGE, augment=False)[0, 0]
    dark = item["image"].mean(dim=0) < 0.5
    expected = torch.zeros(36, 48, dtype=torch.bool)
    expected[6:30, 8:40] = True
    assert torch.equal(dark, expected)
    assert torch.equal(item["target"][0] == 1, expected & (torch.arange(48) < 24))


def test_outside_the_lesion_is_unknown_after_augmentation_too(
    make_recipe: MakeRecipe, sample: Sample
) -> None:
    options = (
        "preprocessing.size=[48, 64]",
        "augmentation.brightness=0",
        "augmentation.zoom=[0.5, 0.6]",
    )
    recipe = make_recipe(CLASSES, INSIDE, *options)
    data = SegmentationData([sample], recipe, UNIT_RANGE, augment=True)
    for epoch in range(4):
        item = data[epoch, 0]
        globules, streaks, network = item["target"]
        assert set(network.unique().tolist()) == {-1.0}
        assert torch.equal(globules < 0, streaks < 0)
    plain = make_recipe(CLASSES, "lesion_crop={ margin = 0.5, inside_only = true }", *options[:1])
    item = SegmentationData([sample], plain, UNIT_RANGE, augment=False)[0, 0]
    dark = item["image"].mean(dim=0) < 0.5
    assert torch.equal(item["target"][0] >= 0, dark)
    # Streaks end where the lesion does.
    assert not ((item["target"][1] == 1) & ~dark).any()
    assert (item["target"][1] == 1).any()


def test_each_turn_of_an_epoch_is_augmented_anew(make_recipe: MakeRecipe, sample: Sample) -> None:
    data = SegmentationData([sample], make_recipe(CLASSES), UNIT_RANGE, augment=True)
    first, again, second = data[1, 0], data[Key(1, 0, 0)], data[Key(1, 0, 1)]
    assert torch.equal(first["image"], again["image"])
    assert not torch.equal(first["image"], second["image"])
    assert torch.equal(second["image"], data[Key(1, 0, 1)]["image"])
    assert second["id"] == "a"
