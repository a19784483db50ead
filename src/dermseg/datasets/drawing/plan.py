"""Which images of a dataset structures are drawn into, and which structures."""

from __future__ import annotations

import re
from collections.abc import Collection
from dataclasses import dataclass
from pathlib import Path

from dermseg.datasets.base import Dataset
from dermseg.datasets.listing import list_some
from dermseg.datasets.presence import Presence
from dermseg.datasets.trainable import trainable
from dermseg.errors import DatasetError
from dermseg.phantom import ATTRIBUTES
from dermseg.types import Sample

__all__ = ["FOLDERS", "DrawingPlan", "DrawingTask", "plan_drawing"]

FOLDERS = (
    "ISIC2018_Task1-2_Training_Input",
    "ISIC2018_Task1_Training_GroundTruth",
    "ISIC2018_Task2_Training_GroundTruth_v3",
)
"""Folders of the images, of the lesion masks and of the masks of attributes."""

_ID = re.compile(r"ISIC_\d{7}")


@dataclass(frozen=True)
class DrawingTask:
    """An image to draw into.

    Attributes:
        sample: The image and its lesion mask.
        classes: What may be drawn, and gets a mask: what the photograph itself does not show.
    """

    sample: Sample
    classes: tuple[str, ...]

    def image_file(self, folder: Path) -> Path:
        """The drawn image; it is written last: where it is, its masks are."""
        # Lossless: a pixel that nothing was drawn on is that of the photograph, and compression
        # leaves no trace around what was.
        return folder / FOLDERS[0] / f"{self.sample.id}.png"

    def lesion_file(self, folder: Path) -> Path:
        """The lesion mask."""
        return folder / FOLDERS[1] / f"{self.sample.id}_segmentation.png"

    def attribute_file(self, folder: Path, name: str) -> Path:
        """The mask of one class."""
        return folder / FOLDERS[2] / f"{self.sample.id}_attribute_{name}.png"


@dataclass(frozen=True)
class DrawingPlan:
    """What is drawn into, and what is left out.

    Attributes:
        tasks: Sorted by id.
        num_unnamed: Images left out because the table of presence does not name them: what they
            show would be in no mask.
        num_held_out: Images left out because they belong to an official validation or test part,
            or have no lesion mask.
    """

    tasks: tuple[DrawingTask, ...]
    num_unnamed: int
    num_held_out: int


def plan_drawing(dataset: Dataset, presence: Presence | None) -> DrawingPlan:
    """Choose the training images with a lesion mask, and for each what may be drawn.

    Args:
        dataset: Any dataset whose ids are those of the ISIC archive.
        presence: What the photographs are known to show. A class that is there, or of which
            nothing is known, is neither drawn nor given a mask. None draws every class into every
            image, as if the photographs showed nothing.

    Raises:
        DatasetError: If no image is left, or an id does not fit the layout of ISIC 2018.
    """
    samples = sorted(trainable([dataset]), key=lambda sample: sample.id)
    _refuse_other_ids(dataset, [sample.id for sample in samples])
    named = [sample for sample in samples if presence is None or sample.id in presence]
    if not named:
        message = (
            f"{dataset.root}: the table of presence names none of its {len(samples)} images, for "
            f"example {samples[0].id}: give the table that belongs to these images"
        )
        raise DatasetError(message)
    tasks = []
    for sample in named:
        shown = dict.fromkeys(ATTRIBUTES, False) if presence is None else presence[sample.id]
        tasks.append(DrawingTask(sample, tuple(n for n in ATTRIBUTES if shown.get(n) is False)))
    return DrawingPlan(
        tuple(tasks),
        num_unnamed=len(samples) - len(named),
        num_held_out=len(dataset.samples) - len(samples),
    )


def _refuse_other_ids(dataset: Dataset, ids: Collection[str]) -> None:
    others = [id for id in ids if not _ID.fullmatch(id)]
    if others:
        message = (
            f"{dataset.root}: {len(others)} of {len(ids)} images have ids that the layout of ISIC "
            f"2018 cannot hold: {list_some(others)}; expected ISIC_ and seven digits, as in "
            f"ISIC_0000000: rename the images and their masks"
        )
        raise DatasetError(message)
