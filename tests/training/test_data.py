"""Batches whose every draw depends on seed, epoch and id alone."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from dermseg.datasets import open_dataset
from dermseg.datasets.cache import fill_cache
from dermseg.datasets.pairs import PairSource, Preparation
from dermseg.images import read_image
from dermseg.package import Runtime, load_package
from dermseg.prediction import load_model
from dermseg.preprocessing import UNIT_RANGE, Normalization, preprocess
from dermseg.recipes import Recipe
from dermseg.training.batches import EpochSampler, SegmentationDataModule
from dermseg.training.data import Key, SegmentationData, training_size
from dermseg.types import Sample

MakeRecipe = Callable[..., Recipe]
NORMALIZATION = Normalization(mean=(0.7, 0.6, 0.5), std=(0.2, 0.25, 0.3))
NO_AUGMENTATION = "augmentation={}"
RESIZING = (
    "training.epochs=10",
    "training.progressive_resizing="
    "[{ until_epoch = 3, size = [8, 16] }, { until_epoch = 5, size = [16, 24] }]",
)


@pytest.fixture(scope="module")
def samples(disc_dataset: Path) -> tuple[Sample, ...]:
    return open_dataset(disc_dataset).samples


def collect(
    samples: tuple[Sample, ...],
    recipe: Recipe,
    num_workers: int,
    pairs: PairSource | None = None,
) -> list[dict[str, Any]]:
    module = SegmentationDataModule(
        samples, samples[:3], recipe, NORMALIZATION, num_workers=num_workers, pairs=pairs
    )
    return [*module.train_dataloader(), *module.val_dataloader()]


@pytest.mark.parametrize(
    ("epoch", "size"),
    [(0, (8, 16)), (2, (8, 16)), (3, (16, 24)), (4, (16, 24)), (5, (24, 32)), (9, (24, 32))],
)
def test_training_size_grows_at_the_named_epochs(
    make_recipe: MakeRecipe, samples: tuple[Sample, ...], epoch: int, size: tuple[int, int]
) -> None:
    recipe = make_recipe(*RESIZING)
    assert training_size(recipe, epoch) == size
    item = SegmentationData(samples, recipe, NORMALIZATION, augment=True)[epoch, 0]
    assert item["image"].shape == (3, *size)
    assert item["target"].shape == (1, *size)


def test_selection_images_always_have_the_full_size(
    make_recipe: MakeRecipe, samples: tuple[Sample, ...]
) -> None:
    data = SegmentationData(samples, make_recipe(*RESIZING), NORMALIZATION, augment=False)
    assert data[0, 0]["image"].shape == (3, 24, 32)


def test_without_resizing_all_epochs_have_the_full_size(make_recipe: MakeRecipe) -> None:
    assert {training_size(make_recipe(), epoch) for epoch in range(2)} == {(24, 32)}


def test_pairs_are_preprocessed_as_predictions_are(
    make_recipe: MakeRecipe, samples: tuple[Sample, ...], dark_package: Path
) -> None:
    recipe = make_recipe("preprocessing.size=[48, 64]")
    tensor = SegmentationData(samples, recipe, UNIT_RANGE, augment=False)[0, 0]["image"].numpy()
    expected = preprocess(read_image(samples[0].image), (48, 64), UNIT_RANGE)
    assert np.array_equal(tensor, expected)
    # And as a whole: what the network answers to it is what a prediction holds.
    predicted = load_model(dark_package).predict(samples[0].image).class_probabilities
    assert np.array_equal(Runtime(load_package(dark_package))(tensor[None])[0], predicted)


def test_augmentation_that_is_off_gives_the_plain_pair(
    make_recipe: MakeRecipe, samples: tuple[Sample, ...]
) -> None:
    recipe = make_recipe(NO_AUGMENTATION)
    plain = SegmentationData(samples, recipe, NORMALIZATION, augment=False)[0, 4]
    augmented = SegmentationData(samples, recipe, NORMALIZATION, augment=True)[0, 4]
    assert augmented["id"] == plain["id"] == samples[4].id
    assert torch.equal(augmented["target"], plain["target"])
    torch.testing.assert_close(augmented["image"], plain["image"], atol=1e-3, rtol=0)


def test_item_depends_on_epoch_and_index_alone(
    make_recipe: MakeRecipe, samples: tuple[Sample, ...]
) -> None:
    data = SegmentationData(samples, make_recipe(), NORMALIZATION, augment=True)
    first = data[1, 2]
    data[0, 0]
    torch.manual_seed(99)
    again = SegmentationData(samples, make_recipe(), NORMALIZATION, augment=True)[1, 2]
    assert torch.equal(first["image"], again["image"])
    assert torch.equal(first["target"], again["target"])
    assert not torch.equal(first["image"], data[2, 2]["image"])


def test_target_is_one_on_the_lesion_and_zero_elsewhere(
    make_recipe: MakeRecipe, samples: tuple[Sample, ...]
) -> None:
    item = SegmentationData(samples, make_recipe(), UNIT_RANGE, augment=True)[0, 1]
    assert item["target"].dtype == torch.float32
    assert set(item["target"].unique().tolist()) == {0.0, 1.0}
    # Discs are dark: the target lies where the image does.
    dark = item["image"].mean(dim=0) < 0.55
    assert (dark == (item["target"][0] == 1)).float().mean() > 0.97


def draw_order(seed: int, epoch: int) -> list[Key]:
    return list(EpochSampler(50, seed=seed, shuffle=True, find_epoch=lambda: epoch))


def test_order_depends_on_seed_and_epoch_only() -> None:
    first = draw_order(seed=1, epoch=2)
    torch.manual_seed(5)
    assert draw_order(seed=1, epoch=2) == first
    assert [key.place for key in draw_order(seed=1, epoch=3)] != [key.place for key in first]
    assert draw_order(seed=2, epoch=2) != first


def test_order_is_a_permutation_and_carries_the_epoch() -> None:
    keys = draw_order(seed=0, epoch=7)
    assert {key.epoch for key in keys} == {7}
    assert {key.turn for key in keys} == {0}
    assert sorted(key.place for key in keys) == list(range(50))


def test_order_without_shuffling_is_the_samples() -> None:
    sampler = EpochSampler(4, seed=0, shuffle=False, find_epoch=lambda: 1)
    assert list(sampler) == [Key(1, 0), Key(1, 1), Key(1, 2), Key(1, 3)]
    assert len(sampler) == 4


def test_workers_do_not_change_the_batches(
    make_recipe: MakeRecipe, samples: tuple[Sample, ...]
) -> None:
    alone, shared = (collect(samples, make_recipe(), number) for number in (0, 2))
    assert len(alone) == len(shared) == 6
    for one, other in zip(alone, shared, strict=True):
        assert one["id"] == other["id"]
        assert torch.equal(one["image"], other["image"])
        assert torch.equal(one["target"], other["target"])


@pytest.mark.parametrize(
    ("num_images", "sizes"), [(8, [4, 4]), (9, [4, 4]), (10, [4, 4, 2]), (1, [1]), (3, [3])]
)
def test_last_batch_of_one_image_is_left_out(
    make_recipe: MakeRecipe, samples: tuple[Sample, ...], num_images: int, sizes: list[int]
) -> None:
    module = SegmentationDataModule(
        samples[:num_images], samples[:9], make_recipe(), NORMALIZATION, num_workers=0
    )
    assert [len(batch["id"]) for batch in module.train_dataloader()] == sizes
    assert module.num_batches == len(sizes)
    # Every selection image is scored.
    assert [len(batch["id"]) for batch in module.val_dataloader()] == [4, 4, 1]


def test_cached_pairs_give_the_same_batches(
    make_recipe: MakeRecipe, samples: tuple[Sample, ...], tmp_path: Path
) -> None:
    recipe = make_recipe(*RESIZING, "preprocessing.color_constancy=true")
    native = collect(samples, recipe, 0)
    preparation = Preparation.of(recipe)
    pairs, _ = fill_cache(tmp_path, samples, sizes=recipe.sizes, preparation=preparation)
    cached = [collect(samples, recipe, number, pairs) for number in (0, 2)]
    for batches in cached:
        assert len(batches) == len(native)
        for one, other in zip(batches, native, strict=True):
            assert one["id"] == other["id"]
            assert torch.equal(one["image"], other["image"])
            assert torch.equal(one["target"], other["target"])


def test_windows_are_trained_on_and_whole_images_are_judged(
    samples: tuple[Sample, ...], make_recipe: MakeRecipe
) -> None:
    recipe = make_recipe("augmentation.window=[16, 16]", "augmentation.brightness=[0.9, 1.1]")
    window = SegmentationData(samples, recipe, UNIT_RANGE, augment=True)[0, 0]
    whole = SegmentationData(samples, recipe, UNIT_RANGE, augment=False)[0, 0]
    assert window["image"].shape == (3, 16, 16)
    assert window["target"].shape == (1, 16, 16)
    assert whole["image"].shape == (3, 24, 32)
    # Pixels keep their scale: without other changes, the window is a part of the image.
    plain = make_recipe(NO_AUGMENTATION, "augmentation.window=[16, 16]")
    part = SegmentationData(samples, plain, UNIT_RANGE, augment=True)[0, 0]["image"]
    places = whole["image"].unfold(1, 16, 1).unfold(2, 16, 1)
    distance = (places - part[:, None, None]).abs().amax(dim=(0, 3, 4))
    assert distance.min() < 1e-4
