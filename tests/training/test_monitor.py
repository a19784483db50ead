"""The scores that choose the checkpoint: lesions by image, attributes by all pixels."""

from __future__ import annotations

import csv
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from torch.utils.data import DataLoader

from dermseg.errors import DatasetError
from dermseg.losses import SOMEWHERE, UNKNOWN
from dermseg.recipes import Recipe
from dermseg.training.fitting import fit
from dermseg.training.module import SegmentationModule
from dermseg.training.monitor import PooledScores, monitored_score, selection_scores

MakeRecipe = Callable[..., Recipe]

CLASSES = ["globules", "streaks"]


def draw(num_images: int) -> tuple[np.ndarray, np.ndarray]:
    """Probabilities and masks of two classes."""
    generator = np.random.default_rng(2)
    target = (generator.random((num_images, 2, 9, 11)) < 0.2).astype(np.float32)
    probability = 0.4 * target + 0.6 * generator.random(target.shape)
    return probability.astype(np.float32), target


def best_jaccard(probability: np.ndarray, truth: np.ndarray) -> float:
    """By trying every threshold."""
    masks = [probability >= level / 256 for level in range(1, 256)]
    return max(float((mask & truth).sum() / (mask | truth).sum()) for mask in masks)


def test_lesions_are_judged_image_by_image_and_attributes_by_pixels() -> None:
    assert monitored_score(["lesion"]) == "selection_mean_jaccard"
    assert monitored_score(CLASSES) == monitored_score(["globules"]) == "selection_pooled_jaccard"
    assert selection_scores(CLASSES)[1:] == (
        "selection_jaccard_globules",
        "selection_jaccard_streaks",
    )


def test_batches_are_pooled_and_each_class_has_its_own_threshold() -> None:
    probability, target = draw(5)
    scores = PooledScores(CLASSES)
    for part in (slice(0, 2), slice(2, 5)):
        scores.add(probability[part], target[part])
    expected = [best_jaccard(probability[:, c], target[:, c] > 0) for c in range(2)]
    assert list(scores.values().values()) == pytest.approx([np.mean(expected), *expected])
    assert tuple(scores.values()) == selection_scores(CLASSES)


def test_unknown_pixels_do_not_count() -> None:
    probability, target = draw(4)
    target[1, 0] = UNKNOWN
    target[2, 0] = SOMEWHERE
    target[:, 1, :4] = UNKNOWN
    scores = PooledScores(CLASSES)
    scores.add(probability, target)
    values = scores.values()
    kept = [0, 3]
    first = best_jaccard(probability[kept, 0], target[kept, 0] > 0)
    second = best_jaccard(probability[:, 1, 4:], target[:, 1, 4:] > 0)
    assert values["selection_jaccard_globules"] == pytest.approx(first)
    assert values["selection_jaccard_streaks"] == pytest.approx(second)


def test_class_without_a_pixel_is_left_out_of_the_mean() -> None:
    probability, target = draw(3)
    target[:, 1] = 0
    scores = PooledScores(CLASSES)
    scores.add(probability, target)
    values = scores.values()
    assert values["selection_pooled_jaccard"] == values["selection_jaccard_globules"]
    assert np.isnan(values["selection_jaccard_streaks"])


def test_selection_part_without_any_of_the_classes_is_refused() -> None:
    scores = PooledScores(CLASSES)
    scores.add(np.full((1, 2, 3, 3), 0.5, np.float32), np.zeros((1, 2, 3, 3), np.float32))
    with pytest.raises(DatasetError, match=r"none of globules, streaks is in a mask .*--split"):
        scores.values()


def batches(num_images: int) -> Sequence[dict[str, Any]]:
    """Images of noise in which a bright red is one class and a bright green the other."""
    images = torch.rand(num_images, 3, 24, 32, generator=torch.Generator().manual_seed(0))
    target = (images[:, :2] > 0.7).float()
    target[0, 1] = SOMEWHERE
    target[1] = UNKNOWN
    return [
        {"image": image, "target": truth, "id": str(number)}
        for number, (image, truth) in enumerate(zip(images, target, strict=True))
    ]


@pytest.mark.parametrize("activation", ["sigmoid", "softmax"])
def test_every_epoch_of_several_classes_is_recorded_and_the_best_one_kept(
    make_recipe: MakeRecipe, tmp_path: Path, activation: str
) -> None:
    # Only now, when dermseg has made torchvision importable.
    from lightning.pytorch import LightningDataModule  # noqa: PLC0415

    class Noise(LightningDataModule):
        num_batches = 2

        def train_dataloader(self) -> DataLoader[Any]:
            return DataLoader(batches(8), batch_size=4)  # type: ignore[arg-type]

        val_dataloader = train_dataloader

    loss = "[{ name = 'jaccard', parameters = { pooled = true } }, { name = 'focal' }]"
    recipe = make_recipe(
        f"classes={CLASSES}", f"activation={activation}", f"loss={loss}", "training.epochs=3"
    )
    (tmp_path / "checkpoints").mkdir()
    fit(recipe, Noise(), tmp_path, num_processes=1)  # type: ignore[arg-type]
    with (tmp_path / "metrics.csv").open() as file:
        rows = list(csv.DictReader(file))
    assert list(rows[0]) == [
        "epoch",
        "lr",
        "train_loss",
        "selection_loss",
        "selection_pooled_jaccard",
        "selection_jaccard_globules",
        "selection_jaccard_streaks",
        "seconds",
    ]
    scores = [float(row["selection_pooled_jaccard"]) for row in rows]
    assert len(scores) == 3
    best = torch.load(tmp_path / "checkpoints" / "best.ckpt", weights_only=True)
    assert best["epoch"] == int(np.argmax(scores))
    module = SegmentationModule(recipe, num_steps=1).eval()
    module.load_state_dict(best["state_dict"])
    expected = PooledScores(CLASSES)
    for batch in Noise().val_dataloader():
        with torch.inference_mode():
            logits = module.network(batch["image"])
        shares = logits.sigmoid() if activation == "sigmoid" else logits.softmax(dim=1)[:, 1:]
        expected.add(shares.numpy(), batch["target"].numpy())
    assert max(scores) == pytest.approx(expected.values()["selection_pooled_jaccard"], abs=1e-6)
