"""One training step, one selection step, the optimiser: what Lightning runs, and checks of it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import torch
from lightning.pytorch import LightningModule
from lightning.pytorch.utilities.types import OptimizerLRScheduler
from torch import Tensor

from dermseg.datasets.class_masks import is_lesion_only
from dermseg.errors import DivergenceError, RecipeError
from dermseg.losses import class_probabilities, create_loss
from dermseg.metrics import confusion_counts
from dermseg.networks import create_network
from dermseg.prediction.postprocessing import threshold_probability
from dermseg.recipes import Recipe
from dermseg.training.initialization import initialize
from dermseg.training.monitor import PooledScores
from dermseg.training.optimization import create_optimizer, create_schedule

__all__ = ["SegmentationModule", "check_recipe"]


class SegmentationModule(LightningModule):
    """A network, its loss and its optimiser, as a recipe says.

    Args:
        recipe: The whole recipe; the weights are drawn from torch's generator.
        num_steps: Optimiser steps of the whole run. Lightning's own estimate would open the
            training images before a checkpoint's epoch is restored.
        class_weights: As fitted on the training masks, if a loss asks for them.
    """

    def __init__(
        self, recipe: Recipe, *, num_steps: int, class_weights: Sequence[float] | None = None
    ) -> None:
        super().__init__()
        self.num_steps = num_steps
        self.recipe = recipe
        network = create_network(
            recipe.network.name,
            num_classes=recipe.num_maps,
            parameters=recipe.network.parameters,
        )
        initialize(network, recipe.network)
        self.network = network.to(memory_format=network.memory_format)  # type: ignore[call-overload]
        self.loss = create_loss(
            recipe.loss,
            activation=recipe.activation,
            num_classes=len(recipe.classes),
            fitted_weights=class_weights,
        )
        self.pooled = PooledScores(recipe.classes)

    def setup(self, stage: str) -> None:
        """Give each process weights of its own.

        What a fork server's processes are sent lies in memory that they share: without a copy,
        every process's step would be taken by all of them.
        """
        for tensor in (*self.parameters(), *self.buffers()):
            tensor.data = tensor.data.clone()

    def training_step(self, batch: dict[str, Any], batch_index: int) -> Tensor:
        """Loss of one batch; dropout draws by seed, epoch and batch, whatever came before."""
        key = np.random.SeedSequence([self.recipe.seed, self.current_epoch, batch_index])
        torch.manual_seed(int(key.generate_state(1)[0]))
        outputs = self.network.training_logits(self._arrange(batch["image"]))
        loss: Tensor = self.loss(outputs, batch["target"])
        self._check_finite(loss, f"loss of training batch {batch_index + 1}")
        self._record("train_loss", loss.detach(), batch)
        return loss

    def on_validation_epoch_start(self) -> None:
        """Forget the pixels of the epoch before."""
        self.pooled = PooledScores(self.recipe.classes)

    def validation_step(self, batch: dict[str, Any], batch_index: int) -> None:
        """Loss and scores of the images that choose the checkpoint, at the network's size."""
        logits = self.network(self._arrange(batch["image"])).float()
        loss = self.loss([logits], batch["target"])
        # The last steps of a run are judged here only.
        self._check_finite(loss, f"loss of selection batch {batch_index + 1}")
        self._record("selection_loss", loss, batch)
        probabilities = class_probabilities(logits, self.recipe.activation)
        if is_lesion_only(self.recipe.classes):
            self._record_means(probabilities, batch)
        else:
            self.pooled.add(probabilities.cpu().numpy(), batch["target"].cpu().numpy())

    def on_validation_epoch_end(self) -> None:
        """Scores over the pixels of all images, which every process has counted."""
        if not is_lesion_only(self.recipe.classes):
            self.log_dict(self.pooled.values(), sync_dist=self.trainer.world_size > 1)

    def configure_optimizers(self) -> OptimizerLRScheduler:
        """Optimiser, and the learning rate per step."""
        options = self.recipe.training
        optimizer = create_optimizer(
            self.network.named_parameters(), options, lr_factors=self.recipe.lr_factors
        )
        scheduler = create_schedule(optimizer, options, num_steps=self.num_steps)
        return {
            "optimizer": optimizer,
            "lr_scheduler": {"scheduler": scheduler, "interval": "step"},
        }

    def _record_means(self, probabilities: Tensor, batch: dict[str, Any]) -> None:
        threshold = self.recipe.postprocessing.threshold
        predicted = threshold_probability(probabilities.cpu().numpy(), threshold)
        target = (batch["target"] >= 0.5).cpu().numpy()
        size = predicted.shape[-2:]
        pairs = zip(predicted.reshape(-1, *size), target.reshape(-1, *size), strict=True)
        counts = [confusion_counts(mask, truth) for mask, truth in pairs]
        for name, values in (
            ("jaccard", [count.jaccard() for count in counts]),
            ("dice", [count.dice() for count in counts]),
            ("accuracy", [count.accuracy() for count in counts]),
        ):
            self._record(f"selection_mean_{name}", torch.tensor(values).mean(), batch)

    def _check_finite(self, loss: Tensor, what: str) -> None:
        if not torch.isfinite(loss):
            message = (
                f"the {what} became {loss.item()} in epoch {self.current_epoch + 1}: lower "
                f"training.lr ({self.recipe.training.lr}), set training.max_gradient_norm, or set "
                "training.precision to float32"
            )
            raise DivergenceError(message)

    def _arrange(self, images: Tensor) -> Tensor:
        return images.contiguous(memory_format=self.network.memory_format)

    def _record(self, name: str, value: Tensor, batch: dict[str, Any]) -> None:
        self.log(
            name,
            value,
            on_step=False,
            on_epoch=True,
            batch_size=len(batch["id"]),
            sync_dist=self.trainer.world_size > 1,
        )


def check_recipe(recipe: Recipe) -> None:
    """Refuse a recipe that cannot be trained.

    Raises:
        RecipeError: If a network, a parameter or a loss is unknown, a loss is not for the
            activation, or the network does not take one of the sizes.
    """
    # Class weights are fitted later: here any will do.
    create_loss(
        recipe.loss,
        activation=recipe.activation,
        num_classes=len(recipe.classes),
        fitted_weights=[1.0] * (1 + len(recipe.classes)),
    )
    with torch.device("meta"):
        network = create_network(
            recipe.network.name,
            num_classes=recipe.num_maps,
            parameters=recipe.network.bare_parameters,
        )
    sizes = {"preprocessing.size": recipe.preprocessing.size}
    sizes |= {
        f"training.progressive_resizing, until_epoch {step.until_epoch}": step.size
        for step in recipe.training.progressive_resizing
    }
    if recipe.augmentation.window is not None:
        sizes["augmentation.window"] = recipe.augmentation.window
    for key, (height, width) in sizes.items():
        try:
            network.check_size(height, width)
        except ValueError as error:
            message = f"{key}: {error}"
            raise RecipeError(message) from error
