"""Drawing structures into the images of a dataset, several at a time."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field, replace
from functools import partial
from pathlib import Path

import cv2

from dermseg.datasets.drawing.plan import DrawingTask
from dermseg.datasets.pairs import read_pair
from dermseg.errors import DatasetError, ImageError
from dermseg.images import write_image, write_mask
from dermseg.phantom import TRAINING_FREQUENCIES, AttributeOptions, draw_attributes
from dermseg.preprocessing import resize_image, resize_mask
from dermseg.types import Size

__all__ = ["DrawingOptions", "draw_all"]


@dataclass(frozen=True)
class DrawingOptions:
    """What the drawings depend on besides the images.

    Attributes:
        side: Longest side of the images that are written; larger ones are reduced.
        seed: Not negative. What is drawn into an image depends on it and the image's id.
        frequencies: How often each class is drawn into an image that does not show it, 0 to 1.
        contrast: Factor on the strength of what is drawn, above 0.
    """

    side: int = 256
    seed: int = 0
    frequencies: Mapping[str, float] = field(default_factory=lambda: dict(TRAINING_FREQUENCIES))
    contrast: float = 1.0

    @property
    def attributes(self) -> AttributeOptions:
        """The options of the drawings themselves.

        Raises:
            UsageError: If a class is not known, a frequency is outside [0, 1], or the contrast is
                not above 0.
        """
        return AttributeOptions(self.frequencies, contrast=self.contrast)


def draw_all(
    tasks: Sequence[DrawingTask],
    folder: Path,
    options: DrawingOptions,
    *,
    num_workers: int | None = None,
) -> Iterator[tuple[DrawingTask, ImageError | DatasetError | None]]:
    """Draw into image after image and write it with its masks.

    Args:
        tasks: What is still to be done.
        folder: As `open_drawing` made it.
        options: The same as it was opened with.
        num_workers: Threads, each with one image in memory; by default one per core, at most 8.

    Yields:
        Each task, in order, and why nothing was written for it, or None. One image that cannot be
        read does not stop the rest.

    Raises:
        OutputError: If a file cannot be written.
    """
    num_threads = cv2.getNumThreads()
    cv2.setNumThreads(1)  # the images are shared among threads already
    pool = ThreadPoolExecutor(num_workers or min(8, os.cpu_count() or 1))
    try:
        results = pool.map(partial(_try_draw, folder=folder, options=options), tasks)
        yield from zip(tasks, results, strict=True)
    finally:
        pool.shutdown(cancel_futures=True)
        cv2.setNumThreads(num_threads)


def _try_draw(
    task: DrawingTask, *, folder: Path, options: DrawingOptions
) -> ImageError | DatasetError | None:
    try:
        _draw(task, folder, options)
    except (ImageError, DatasetError) as error:
        return error
    return None


def _draw(task: DrawingTask, folder: Path, options: DrawingOptions) -> None:
    image, lesion = read_pair(task.sample)
    size = _reduced((image.shape[0], image.shape[1]), options.side)
    attributes = options.attributes
    allowed = {name: attributes.frequencies.get(name, 0.0) for name in task.classes}
    drawn = draw_attributes(
        resize_image(image, size),
        resize_mask(lesion, size),
        seed=_seed_of(task.sample.id, options.seed),
        options=replace(attributes, frequencies=allowed),
    )
    write_mask(task.lesion_file(folder), drawn.lesion)
    for name in task.classes:
        write_mask(task.attribute_file(folder, name), drawn.masks[name])
    write_image(task.image_file(folder), drawn.image)


def _reduced(size: Size, side: int) -> Size:
    factor = min(1.0, side / max(size))
    height, width = (max(1, round(length * factor)) for length in size)
    return height, width


def _seed_of(id: str, seed: int) -> int:
    """A seed of its own for each image, the same whatever other images there are."""
    digest = hashlib.sha256(f"{seed} {id}".encode()).digest()
    return int.from_bytes(digest[:8], "big")
