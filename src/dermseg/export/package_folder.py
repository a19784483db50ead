"""The folder of a model package: built beside its place, and put there whole."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from dermseg.errors import OutputError, UsageError
from dermseg.export.card import model_card
from dermseg.export.reliability import RELIABILITY, draw_reliability
from dermseg.package import ModelSpec
from dermseg.storage import write_bytes_atomically

__all__ = ["check_destination", "package_folder", "write_spec"]


def check_destination(destination: Path, *, overwrite: bool) -> None:
    """Refuse a path that is taken, and to replace anything but a package.

    Raises:
        UsageError: If ``destination`` is there, unless it is empty or a package and ``overwrite``.
    """
    if not destination.exists():
        return
    if not overwrite:
        message = f"{destination} is already there: choose another folder or pass --overwrite"
        raise UsageError(message)
    is_empty = destination.is_dir() and not any(destination.iterdir())
    if not is_empty and not (destination / "model.json").is_file():
        message = f"{destination} holds no model package and is not replaced: choose another folder"
        raise UsageError(message)


@contextmanager
def package_folder(destination: Path) -> Iterator[Path]:
    """A folder to build a package in, which takes its place at the end.

    Args:
        destination: Where it is put; an older package is removed only when the new one is there.

    Raises:
        OutputError: If it cannot be written.
    """
    try:
        destination.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(prefix=".export-", dir=destination.parent) as scratch:
            folder = Path(scratch) / "model"
            folder.mkdir()
            yield folder
            _move(folder, destination)
    except OSError as error:
        message = f"{destination}: cannot be written: {error.strerror or error}"
        raise OutputError(message) from error


def write_spec(folder: Path, spec: ModelSpec) -> None:
    """Write ``model.json``, the card and, if probabilities are calibrated, their diagram."""
    text = spec.model_dump_json(indent=1) + "\n"
    if spec.calibration is not None:
        draw_reliability(spec.calibration, folder / RELIABILITY)
    write_bytes_atomically(folder / "MODEL_CARD.md", model_card(spec).encode())
    write_bytes_atomically(folder / "model.json", text.encode())


def _move(folder: Path, destination: Path) -> None:
    old = folder.with_name("old")
    if destination.exists():
        destination.rename(old)
    try:
        folder.rename(destination)
    except OSError:
        if old.exists():
            old.rename(destination)
        raise
