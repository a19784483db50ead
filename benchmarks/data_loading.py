"""Measure how fast images reach the network: from their files, and from a cache.

    python benchmarks/data_loading.py --data DIR [--data DIR2]

For each folder of a dataset and each way of reading, in turns so that both meet the same machine:

- ``read``: cleaned and resized pairs per second, in one thread;
- ``load``: augmented batches from one loader worker, in images per second;
- ``train``: images per second of a training run's loop, and the share of that time in which it is
  blocked in the loader's ``next()``.

Each figure is the median of the rounds; reading starts after a first pass, with the files in the
system's memory. It prints the table of docs/performance.md.
"""

from __future__ import annotations

import argparse
import logging
import math
import os
import platform
import statistics
import tempfile
import time
import warnings
from collections import defaultdict
from collections.abc import Sequence
from itertools import cycle, islice
from pathlib import Path

import cv2
import torch

# First of all, so that Lightning finds a torchvision that can be imported.
from dermseg import torchvision_import as _torchvision_import  # isort: skip
from lightning.fabric.utilities.warnings import PossibleUserWarning
from lightning.pytorch import Trainer
from lightning.pytorch.profilers import Profiler

from dermseg.datasets import open_dataset
from dermseg.datasets.cache import fill_cache
from dermseg.datasets.pairs import NativePairs, PairSource, Preparation
from dermseg.preprocessing import UNIT_RANGE
from dermseg.recipes import Recipe, read_recipe
from dermseg.training.batches import SegmentationDataModule
from dermseg.training.fitting import choose_precision
from dermseg.training.module import SegmentationModule
from dermseg.types import Sample, Size

del _torchvision_import

WAIT = "[_TrainingEpochLoop].train_dataloader_next"
WORK = "run_training_batch"


class Clock(Profiler):
    """Adds up the seconds of Lightning's actions."""

    def __init__(self) -> None:
        super().__init__()
        self.started: dict[str, float] = {}
        self.seconds: defaultdict[str, float] = defaultdict(float)
        self.is_warm = False

    def start(self, action_name: str) -> None:
        """Note the time."""
        self.started[action_name] = time.perf_counter()

    def stop(self, action_name: str) -> None:
        """Add what has passed; the first epoch, in which workers start, does not count."""
        if action_name == "run_training_epoch" and not self.is_warm:
            self.is_warm = True
            self.seconds.clear()
        self.seconds[action_name] += time.perf_counter() - self.started.pop(action_name)


def measure_reading(pairs: PairSource, samples: Sequence[Sample], size: Size) -> float:
    """Pairs per second in this thread."""
    started = time.perf_counter()
    for sample in samples:
        pairs(sample, size)
    return len(samples) / (time.perf_counter() - started)


def make_module(
    recipe: Recipe, samples: Sequence[Sample], pairs: PairSource, num_workers: int
) -> SegmentationDataModule:
    """Loaders that train on all samples."""
    return SegmentationDataModule(
        samples, samples[:1], recipe, UNIT_RANGE, num_workers=num_workers, pairs=pairs
    )


def measure_loading(recipe: Recipe, samples: Sequence[Sample], pairs: PairSource) -> float:
    """Images per second from one worker, from its first batch on."""
    batches = iter(make_module(recipe, samples, pairs, num_workers=1).train_dataloader())
    next(batches)
    started = time.perf_counter()
    num_images = sum(len(batch["id"]) for batch in batches)
    return num_images / (time.perf_counter() - started)


def measure_training(
    recipe: Recipe, samples: Sequence[Sample], pairs: PairSource, num_workers: int
) -> tuple[float, float]:
    """Images per second of the training loop, and the share of its time spent waiting."""
    clock = Clock()
    data = make_module(recipe, samples, pairs, num_workers)
    module = SegmentationModule(recipe, num_steps=2 * data.num_batches)
    trainer = Trainer(
        max_epochs=2,
        accelerator="cpu",
        precision=choose_precision(recipe.training.precision),
        profiler=clock,
        logger=False,
        enable_checkpointing=False,
        enable_model_summary=False,
        enable_progress_bar=False,
        limit_val_batches=0,
        use_distributed_sampler=False,
    )
    trainer.fit(module, data)
    total = clock.seconds[WAIT] + clock.seconds[WORK]
    return len(samples) / total, clock.seconds[WAIT] / total


def measure_dataset(folder: Path, recipe: Recipe, options: argparse.Namespace) -> list[str]:
    """Rows of the table for one dataset."""
    found = [s for s in open_dataset(folder).samples if s.mask is not None and s.part != "test"]
    found = found[: options.images]
    # Whole batches; few images are repeated, as they are over epochs.
    num_images = math.ceil(options.images / recipe.training.batch_size) * recipe.training.batch_size
    samples = list(islice(cycle(found), num_images))
    rows = []
    preparation = Preparation.of(recipe)
    with tempfile.TemporaryDirectory(dir=options.scratch) as scratch:
        cached, _ = fill_cache(Path(scratch), found, sizes=recipe.sizes, preparation=preparation)
        for size in recipe.sizes:
            at_size = recipe.model_copy(
                update={
                    "preprocessing": recipe.preprocessing.model_copy(update={"size": size}),
                    "training": recipe.training.model_copy(
                        update={"progressive_resizing": [], "epochs": 2}
                    ),
                }
            )
            native = NativePairs(preparation)
            sources: dict[str, PairSource] = {"files": native, "cache": cached}
            rows += measure_sources(folder.name, at_size, found, samples, sources, options)
    return rows


def measure_sources(
    name: str,
    recipe: Recipe,
    found: Sequence[Sample],
    samples: Sequence[Sample],
    sources: dict[str, PairSource],
    options: argparse.Namespace,
) -> list[str]:
    """One row per source; the rounds take turns."""
    size = recipe.preprocessing.size
    figures: dict[str, list[tuple[float, ...]]] = {source: [] for source in sources}
    for pairs in sources.values():
        measure_reading(pairs, found, size)
    for _ in range(options.rounds):
        for source, pairs in sources.items():
            training = measure_training(recipe, samples, pairs, options.workers)
            loading = measure_loading(recipe, samples, pairs)
            reading = measure_reading(pairs, found, size)
            figures[source].append((reading, loading, *training))
    rows = []
    for source, rounds in figures.items():
        reading, loading, training, waiting = map(statistics.median, zip(*rounds, strict=True))
        rows.append(
            f"| {name} | {size[0]}x{size[1]} | {source} | {reading:.0f} | {loading:.0f} "
            f"| {training:.0f} | {waiting:.1%} |"
        )
    return rows


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--data", type=Path, action="append", required=True)
    parser.add_argument("--recipe", default="residual-unet-isic2017")
    parser.add_argument("--images", type=int, default=480, help="images per measured epoch")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--workers", type=int, default=1, help="loader workers in training")
    parser.add_argument("--threads", type=int, default=os.cpu_count(), help="torch's threads")
    parser.add_argument("--scratch", type=Path, help="where the caches are made")
    options = parser.parse_args()
    torch.set_num_threads(options.threads)
    cv2.setNumThreads(1)
    warnings.simplefilter("ignore", PossibleUserWarning)
    warnings.filterwarnings("ignore", r"`isinstance\(treespec, LeafSpec\)`", FutureWarning)
    logging.getLogger("lightning.pytorch").setLevel(logging.ERROR)
    recipe = read_recipe(options.recipe)
    print(
        f"{options.recipe}, batches of {recipe.training.batch_size}, {options.threads} threads, "
        f"{options.workers} workers, {platform.machine()}, {os.cpu_count()} cores, load "
        f"{os.getloadavg()[0]:.1f}"
    )
    print("\n| dataset | size | from | read /s | load /s | train /s | waiting |")
    print("|---|---|---|---|---|---|---|")
    for folder in options.data:
        for row in measure_dataset(folder, recipe, options):
            print(row, flush=True)


if __name__ == "__main__":
    main()
