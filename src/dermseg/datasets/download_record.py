"""The record of a download: ``download.json``, and the report to the caller."""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pydantic import BaseModel, ConfigDict, Field

from dermseg.datasets.archives import Archive, Download
from dermseg.datasets.base import Dataset
from dermseg.datasets.unknown import describe_gaps
from dermseg.errors import UsageError
from dermseg.storage import read_model, write_bytes_atomically

__all__ = [
    "DownloadRecord",
    "DownloadReport",
    "Entry",
    "describe",
    "measure",
    "read_record",
    "write_record",
]

_NAME = "download.json"


class Entry(BaseModel):
    """An archive that was downloaded and unpacked.

    Attributes:
        num_bytes: Size of the archive.
        digest: Its checksum, ``md5:...`` or ``sha256:...``.
        is_published: Whether its makers publish that checksum; else it is the first download's.
        num_files: Files in it.
        num_unpacked_bytes: Their size in all.
    """

    model_config = ConfigDict(extra="forbid")

    num_bytes: int
    digest: str
    is_published: bool
    num_files: int
    num_unpacked_bytes: int


class DownloadRecord(BaseModel):
    """The content of ``download.json``: archives by name."""

    model_config = ConfigDict(extra="forbid")

    archives: dict[str, Entry] = Field(default_factory=dict)


def read_record(folder: Path) -> DownloadRecord:
    """Read what was downloaded into a folder; nothing, if there is no record.

    Raises:
        UsageError: If ``download.json`` is something else.
    """
    path = folder / _NAME
    if not path.exists():
        return DownloadRecord()
    try:
        return read_model(path, DownloadRecord, what="a record of downloads")
    except UsageError as error:
        message = f"{error}; choose another folder with -o, or remove it"
        raise UsageError(message) from error


def write_record(folder: Path, record: DownloadRecord) -> None:
    """Write ``download.json``.

    Raises:
        OutputError: If it cannot be written.
    """
    write_bytes_atomically(folder / _NAME, (record.model_dump_json(indent=1) + "\n").encode())


def measure(path: Path) -> tuple[int, int]:
    """Count the files at or below a path, and their bytes."""
    if path.is_file():
        return 1, path.stat().st_size
    sizes = [
        Path(parent, name).stat().st_size for parent, _, names in os.walk(path) for name in names
    ]
    return len(sizes), sum(sizes)


@dataclass(frozen=True)
class DownloadReport:
    """The contents of the folder after a download.

    Attributes:
        dataset: Its name in ``DATASETS``.
        folder: Where it is.
        licence: Its licence.
        is_new: False if everything was there already.
        num_images: Images that can be used.
        num_masks: Those of them with a lesion mask.
        num_with_attributes: Those of them with masks of attributes.
        parts: Images per official part.
        num_orphans: Files without a partner.
        archives: What was recorded of each archive, by name.
        warnings: What the user should know.
    """

    dataset: str
    folder: Path
    licence: str
    is_new: bool
    num_images: int
    num_masks: int
    num_with_attributes: int
    parts: dict[str, int]
    num_orphans: int
    archives: dict[str, Entry]
    warnings: tuple[str, ...]

    def as_json(self) -> dict[str, Any]:
        """Give the report as plain values for ``json.dumps``."""
        archives = {name: entry.model_dump() for name, entry in self.archives.items()}
        return {**vars(self), "folder": str(self.folder), "archives": archives}


def describe(
    download: Download,
    chosen: Sequence[Archive],
    dataset: Dataset,
    record: DownloadRecord,
    *,
    is_new: bool,
) -> DownloadReport:
    """Count what is there, and compare it with what its makers say."""
    samples = dataset.samples
    parts = dict(Counter(sample.part for sample in samples if sample.part is not None))
    found = parts or {"all": len(samples)}
    warnings = [
        f"{archive.name}: no checksum is published; its size and SHA-256 were recorded in "
        f"{dataset.root / _NAME}, and a later download must have the same"
        for archive in chosen
        if archive.digest is None
    ]
    warnings += [
        f"{part}: {found.get(part, 0):,} images, its makers say {num:,}"
        for part, num in dataset.num_images.items()
        if (not parts or part in {archive.part for archive in chosen}) and found.get(part, 0) != num
    ]
    warnings += [str(orphan) for orphan in dataset.orphans]
    warnings += describe_gaps(dataset.gaps)
    warnings += [str(problem) for problem in dataset.table_problems]
    return DownloadReport(
        dataset=download.dataset,
        folder=dataset.root,
        licence=dataset.licence,
        is_new=is_new,
        num_images=len(samples),
        num_masks=sum(sample.mask is not None for sample in samples),
        num_with_attributes=sum(bool(sample.attributes) for sample in samples),
        parts=parts,
        num_orphans=len(dataset.orphans),
        archives={archive.name: record.archives[archive.name] for archive in chosen},
        warnings=tuple(warnings),
    )
