"""Attributes that are not known of some images, in a few words instead of a line an image."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from dermseg.datasets.base import Gap

__all__ = ["Unknown", "describe_gaps", "find_unknown"]


@dataclass(frozen=True)
class Unknown:
    """An attribute that is not known of some images because they have no mask of it.

    Attributes:
        attribute: Its name.
        num_images: How many images they are.
        example: The first of them.
    """

    attribute: str
    num_images: int
    example: Path

    @property
    def images(self) -> str:
        """How many images, in words, with the first as an example."""
        if self.num_images == 1:
            return f"1 image, {self.example.name}"
        return f"{self.num_images} images, for example {self.example.name}"

    def __str__(self) -> str:
        return f"{self.attribute} of {self.images}"


def find_unknown(gaps: Iterable[Gap]) -> tuple[Unknown, ...]:
    """Count the images without mask by attribute, in the order of the attributes' names."""
    images: dict[str, list[Path]] = {}
    for gap in gaps:
        for name in gap.attributes:
            images.setdefault(name, []).append(gap.path)
    return tuple(Unknown(name, len(images[name]), images[name][0]) for name in sorted(images))


def describe_gaps(gaps: Iterable[Gap]) -> list[str]:
    """Say what is not known: a line for each attribute without masks, and one for each other gap.

    Example:
        >>> gaps = [Gap(Path(f"{name}.jpg"), "no mask", ("streaks",)) for name in "ab"]
        >>> describe_gaps(gaps)
        ['streaks of 2 images, for example a.jpg']
    """
    gaps = tuple(gaps)
    return [*map(str, find_unknown(gaps)), *(str(gap) for gap in gaps if not gap.attributes)]
