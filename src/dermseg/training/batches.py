"""Batches of training items: their order depends on seed and epoch only."""

from __future__ import annotations

import signal
from collections.abc import Callable, Iterator, Sequence
from typing import Any

import cv2
import numpy as np
from lightning.pytorch import LightningDataModule
from torch.utils.data import DataLoader, Sampler

from dermseg.datasets.pairs import PairSource
from dermseg.preprocessing import Normalization
from dermseg.recipes import Recipe
from dermseg.training.data import Key, SegmentationData
from dermseg.training.repeat_factor import draw_turns, num_turns
from dermseg.types import Sample

__all__ = ["EpochSampler", "SegmentationDataModule"]


class EpochSampler(Sampler[Key]):
    """Keys of one epoch; the order depends on seed and epoch, never on what came before.

    With several processes, each takes every n-th key, so that their batches together are the batch
    that one process would have; the keys that do not go round are left out.

    Args:
        num_samples: Number of samples in the data.
        seed: The run's seed.
        shuffle: Whether the order is random.
        find_epoch: Tells the epoch when an iteration begins. Asked for rather than told, because
            after a resumption the first iteration begins before the trainer's hooks run.
        rank: Number of this process.
        num_processes: Number of processes.
        repeats: How often each sample is to be shown in an epoch; None shows each once. Every
            epoch has the same number of keys.
    """

    def __init__(
        self,
        num_samples: int,
        *,
        seed: int,
        shuffle: bool,
        find_epoch: Callable[[], int],
        rank: int = 0,
        num_processes: int = 1,
        repeats: Sequence[float] | None = None,
    ) -> None:
        self.num_samples = num_samples
        self.num_keys = num_samples if repeats is None else num_turns(repeats)
        self.seed = seed
        self.shuffle = shuffle
        self.find_epoch = find_epoch
        self.rank = rank
        self.num_processes = num_processes
        self.repeats = repeats

    def __len__(self) -> int:
        """Number of this process's keys."""
        return self.num_keys // self.num_processes

    def __iter__(self) -> Iterator[Key]:
        """This process's keys of the epoch."""
        epoch = self.find_epoch()
        generator = np.random.default_rng([self.seed, epoch])
        turns = np.ones(self.num_samples, np.int64)
        if self.repeats is not None:
            turns = draw_turns(self.repeats, generator)
        keys = [
            Key(epoch, index, turn) for index in range(len(turns)) for turn in range(turns[index])
        ]
        order = generator.permutation(self.num_keys) if self.shuffle else np.arange(self.num_keys)
        own = order[self.rank :: self.num_processes][: len(self)]
        return (keys[place] for place in own)


class SegmentationDataModule(LightningDataModule):
    """Loaders of the training part and of the part that chooses the checkpoint.

    Args:
        train: Trained on.
        selection: Choose the checkpoint.
        recipe: Gives sizes, augmentation and batches.
        normalization: As fitted on the training images.
        num_workers: Processes that read images; 0 reads in this one.
        pairs: Where cleaned and resized pairs come from; None reads the samples' files.
        repeats: How often each training image is to be shown in an epoch; None shows each once.
    """

    def __init__(
        self,
        train: Sequence[Sample],
        selection: Sequence[Sample],
        recipe: Recipe,
        normalization: Normalization,
        *,
        num_workers: int,
        pairs: PairSource | None = None,
        repeats: Sequence[float] | None = None,
    ) -> None:
        super().__init__()
        self.train_data = SegmentationData(train, recipe, normalization, augment=True, pairs=pairs)
        self.selection_data = SegmentationData(
            selection, recipe, normalization, augment=False, pairs=pairs
        )
        self.recipe = recipe
        self.num_workers = num_workers
        self.repeats = repeats

    @property
    def num_batches(self) -> int:
        """Batches of one training epoch."""
        return len(self.train_dataloader())

    def train_dataloader(self) -> DataLoader[dict[str, Any]]:
        """Shuffled, augmented batches; the recipe's batch size is that of all processes."""
        trainer = self.trainer
        num_processes = 1 if trainer is None else trainer.world_size
        batch_size = self.recipe.training.batch_size // num_processes
        sampler = EpochSampler(
            len(self.train_data),
            seed=self.recipe.seed,
            shuffle=True,
            find_epoch=self._find_epoch,
            rank=0 if trainer is None else trainer.global_rank,
            num_processes=num_processes,
            repeats=self.repeats,
        )
        # Batch norm cannot learn from a last batch of one image.
        is_last_alone = len(sampler) > batch_size and len(sampler) % batch_size == 1
        return self._loader(self.train_data, sampler, batch_size, drop_last=is_last_alone)

    def val_dataloader(self) -> DataLoader[dict[str, Any]]:
        """The selection part, in order, whole in every process."""
        sampler = EpochSampler(
            len(self.selection_data),
            seed=self.recipe.seed,
            shuffle=False,
            find_epoch=self._find_epoch,
        )
        batch_size = self.recipe.training.batch_size
        return self._loader(self.selection_data, sampler, batch_size, drop_last=False)

    def _find_epoch(self) -> int:
        """Epochs that are done, also right after a checkpoint was restored."""
        if self.trainer is None:
            return 0
        # Lightning's annotation names a base class, which has no such attribute.
        return int(self.trainer.fit_loop.epoch_progress.current.processed)  # type: ignore[attr-defined]

    def _loader(
        self, data: SegmentationData, sampler: EpochSampler, batch_size: int, *, drop_last: bool
    ) -> DataLoader[dict[str, Any]]:
        # Before the workers are forked: a fork inherits OpenCV's locks but not its threads, and
        # would wait for them for ever. One thread is enough for each of many small images.
        cv2.setNumThreads(1)
        return DataLoader(
            data,
            batch_size=batch_size,
            sampler=sampler,
            drop_last=drop_last,
            num_workers=self.num_workers,
            persistent_workers=self.num_workers > 0,
            worker_init_fn=_prepare_worker,
        )


def _prepare_worker(worker: int) -> None:
    # Ctrl-C reaches the workers too; the main process ends them. With its handlers, which a fork
    # inherits, they would print where they were interrupted.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    signal.signal(signal.SIGTERM, signal.SIG_DFL)
