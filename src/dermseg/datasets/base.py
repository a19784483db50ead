"""The base of every dataset: its facts, its folder layout, and its paired files."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar

from dermseg.errors import DatasetError
from dermseg.types import Sample

__all__ = ["Dataset", "DatasetIndex", "Gap", "Orphan", "TableProblem"]


@dataclass(frozen=True)
class Orphan:
    """A file that is left out of the samples.

    Attributes:
        path: The file.
        problem: Why it is left out, e.g. ``image without mask``.

    Example:
        >>> print(Orphan(Path("images/mole.jpg"), "image without mask"))
        mole.jpg: image without mask
    """

    path: Path
    problem: str

    def __str__(self) -> str:
        return f"{self.path.name}: {self.problem}"


@dataclass(frozen=True)
class TableProblem:
    """A defect in a table of metadata; the images can be used without it.

    Attributes:
        path: The table.
        problem: What was found, in words.
    """

    path: Path
    problem: str

    def __str__(self) -> str:
        return f"{self.path.name}: {self.problem}"


@dataclass(frozen=True)
class Gap:
    """A missing file of an image whose other files can be used.

    Attributes:
        path: The image.
        problem: Which file is missing, in words.
        attributes: Those without a mask of their own; empty where another kind of file is missing.
    """

    path: Path
    problem: str
    attributes: tuple[str, ...] = ()

    def __str__(self) -> str:
        return f"{self.path.name}: {self.problem}"


@dataclass(frozen=True)
class DatasetIndex:
    """The files of a dataset, paired.

    Attributes:
        samples: Sorted by id; no id occurs twice.
        orphans: The files that could not be used, sorted by path.
        table_problems: What is wrong with the tables of metadata.
        gaps: Attributes that are not known of an image though others are here, sorted by path.
        ungrouped: Why the samples must not be split as they are, and the way out: images are known
            to show one lesion, and it is not known which. Empty where they may be.
    """

    samples: tuple[Sample, ...]
    orphans: tuple[Orphan, ...] = ()
    table_problems: tuple[TableProblem, ...] = ()
    gaps: tuple[Gap, ...] = ()
    ungrouped: str = ""


class Dataset(ABC):
    """A dataset on disk, indexed when the object is made; no image is read.

    A subclass states its facts as class attributes and says how it is recognised (`markers`) and
    paired (`index`); adding one to ``DATASETS`` is all it needs.

    Args:
        root: The folder that holds the dataset's own folders.
        index: Its files, where they are known already; None lists and pairs them.

    Attributes:
        name: Its key in ``DATASETS``.
        title: Its name in full.
        num_images: Official number of images per part; empty where there is no such number.
        licence: SPDX id or the terms in words.
        url: Where to get it.
        doi: DOI of the article that describes it, or None.
        layout: The folder tree of a complete download.
        known_defects: What a user of the dataset should know.
        attributes: The classes besides the lesion that its makers marked, in their order. What is
            not among them is not known, which does not mean that the images lack it.
        root: The folder.
        samples: Its images, sorted by id.
        orphans: Files left out, each with the reason.
        table_problems: What is wrong with the tables of metadata.
        gaps: Attributes that are not known of an image though others are here.
        ungrouped: See `DatasetIndex`.

    Raises:
        DatasetError: If an id occurs twice.
    """

    name: ClassVar[str]
    title: ClassVar[str]
    num_images: ClassVar[Mapping[str, int]]
    licence: ClassVar[str]
    url: ClassVar[str | None]
    doi: ClassVar[str | None]
    layout: ClassVar[str]
    known_defects: ClassVar[tuple[str, ...]]
    attributes: ClassVar[tuple[str, ...]] = ()

    root: Path
    samples: tuple[Sample, ...]
    orphans: tuple[Orphan, ...]
    table_problems: tuple[TableProblem, ...]
    gaps: tuple[Gap, ...]
    ungrouped: str

    def __init__(self, root: Path, index: DatasetIndex | None = None) -> None:
        index = self.index(root) if index is None else index
        self.root = root
        self.samples = index.samples
        self.orphans = index.orphans
        self.table_problems = index.table_problems
        self.gaps = index.gaps
        self.ungrouped = index.ungrouped

    @classmethod
    @abstractmethod
    def markers(cls) -> tuple[str, ...]:
        """Name the folders, any one of which tells that this dataset is there."""

    @classmethod
    @abstractmethod
    def index(cls, root: Path) -> DatasetIndex:
        """List the files below ``root`` and pair them by id.

        Raises:
            DatasetError: If an id occurs twice.
        """

    @classmethod
    def matches(cls, root: Path) -> bool:
        """Tell whether one of the dataset's marker folders is in ``root``."""
        return any((root / marker).is_dir() for marker in cls.markers())

    def part(self, name: str) -> tuple[Sample, ...]:
        """Return the samples of an official part, sorted by id.

        Raises:
            DatasetError: If the dataset has no such part here.
        """
        chosen = tuple(sample for sample in self.samples if sample.part == name)
        if not chosen:
            counts = Counter(sample.part for sample in self.samples if sample.part is not None)
            here = ", ".join(f"{part} ({num})" for part, num in counts.items())
            raise DatasetError(
                f"{self.root}: '{self.name}' has no part '{name}' here; "
                f"{f'its parts are {here}' if here else 'it has no official parts'}."
            )
        return chosen
