"""What an audit found to show the same, as ``dermseg data audit`` wrote it."""

from __future__ import annotations

import csv
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import TypeAlias

from dermseg.datasets import archive_id
from dermseg.errors import UsageError

__all__ = ["AuditedPair", "connected", "image_key", "read_pairs"]

AuditedPair: TypeAlias = tuple[str, str]
"""Two images that show the same, see `image_key`."""


def image_key(id: str, folder: Path) -> str:
    """Name an image wherever it is: by its archive's number, else by dataset folder and id."""
    return archive_id(id) or str(folder.resolve() / id)


def read_pairs(path: Path) -> list[AuditedPair]:
    """Read the pairs of an audit's ``pairs.csv``.

    Raises:
        UsageError: If it cannot be read, or is no such table.
    """
    try:
        with path.open(encoding="utf-8", newline="") as file:
            return [
                (
                    image_key(row["id"], Path(row["folder"])),
                    image_key(row["id2"], Path(row["folder2"])),
                )
                for row in csv.DictReader(file)
            ]
    except (OSError, UnicodeDecodeError, csv.Error, KeyError, TypeError) as error:
        message = (
            f"{path}: not the pairs.csv that 'dermseg data audit' writes, with the columns id, "
            f"id2, folder and folder2: {error}"
        )
        raise UsageError(message) from error


def connected(pairs: Sequence[AuditedPair], start: Iterable[str]) -> set[str]:
    """All images that are joined to some others by pairs, directly or over others."""
    neighbours: dict[str, list[str]] = {}
    for one, other in pairs:
        neighbours.setdefault(one, []).append(other)
        neighbours.setdefault(other, []).append(one)
    found: set[str] = set()
    waiting = list(start)
    while waiting:
        key = waiting.pop()
        if key not in found:
            found.add(key)
            waiting += neighbours.get(key, ())
    return found
