"""Where a run reads its images from."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from dermseg.datasets.cache import fill_cache
from dermseg.datasets.pairs import NativePairs, PairSource, Preparation
from dermseg.recipes import Recipe
from dermseg.types import Sample

__all__ = ["open_pairs"]


def open_pairs(recipe: Recipe, samples: Sequence[Sample], cache: Path | None) -> PairSource:
    """Read samples from their files, or from a cache that is completed first.

    Args:
        recipe: Gives classes, sizes and cleaning.
        samples: What is going to be read.
        cache: The cache's folder; None reads the files, every time.

    Raises:
        ImageError: If an image or a mask cannot be read.
        DatasetError: If a mask has another size than its image.
        UsageError: If the folder holds something else than a cache.
        OutputError: If the cache cannot be written.
    """
    preparation = Preparation.of(recipe)
    if cache is None:
        return NativePairs(preparation)
    pairs, report = fill_cache(cache, samples, sizes=recipe.sizes, preparation=preparation)
    for _, error in report.failures:
        raise error
    return pairs
