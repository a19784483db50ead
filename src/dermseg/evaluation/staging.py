"""Masks that an evaluation keeps: written as they are predicted, in place when all went well."""

from __future__ import annotations

import contextlib
import secrets
import shutil
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path

from dermseg.errors import OutputError, UsageError
from dermseg.evaluation.evaluate import Evaluation
from dermseg.evaluation.image_files import FILES_NAME, read_files

__all__ = ["StagedMasks", "staged_masks"]

_NAME = "masks"


@dataclass(frozen=True)
class StagedMasks:
    """A folder to write masks to.

    Attributes:
        folder: The evaluation's folder.
        path: Where to write; it is gone when the work is over.
    """

    folder: Path
    path: Path

    def keep(self, evaluation: Evaluation) -> Evaluation:
        """Move the masks of the scored images to ``masks``, and those of an earlier one away.

        Returns:
            The evaluation with the new places of its files.

        Raises:
            OutputError: If a file cannot be moved.
        """
        final = self.folder / _NAME
        files = {
            id: replace(known, prediction=final / known.prediction.name)
            if isinstance(known.prediction, Path) and known.prediction.parent == self.path
            else known
            for id, known in evaluation.files.items()
        }
        earlier = [known.prediction for known in read_files(self.folder).values()]
        try:
            final.mkdir(exist_ok=True)
            for known in files.values():
                if isinstance(known.prediction, Path) and known.prediction.parent == final:
                    (self.path / known.prediction.name).replace(known.prediction)
            kept = {known.prediction for known in files.values()}
            for old in earlier:
                if isinstance(old, Path) and old.parent == final and old not in kept:
                    old.unlink(missing_ok=True)
        except OSError as error:
            message = f"{final}: the masks cannot be moved there: {error.strerror}"
            raise OutputError(message) from error
        return replace(evaluation, files=files)


@contextlib.contextmanager
def staged_masks(folder: Path) -> Iterator[StagedMasks]:
    """Make a folder for masks, and take it away again with what was not kept.

    Args:
        folder: The evaluation's folder; made if it is missing, and taken away again if nothing
            was put in it.

    Raises:
        UsageError: If it holds a folder ``masks`` that is not from an evaluation.
        OutputError: If a folder cannot be made.
    """
    masks = folder / _NAME
    if masks.exists() and not (folder / FILES_NAME).is_file():
        message = f"{masks} is already there and not from an evaluation: choose another folder"
        raise UsageError(message)
    staging = folder / f".dermseg-{secrets.token_hex(8)}.tmp"
    was_there = folder.exists()
    try:
        staging.mkdir(parents=True)
    except OSError as error:
        message = f"{folder}: the folder cannot be made or written: {error.strerror}"
        raise OutputError(message) from error
    try:
        yield StagedMasks(folder, staging)
    finally:
        shutil.rmtree(staging, ignore_errors=True)
        if not was_there:
            with contextlib.suppress(OSError):
                folder.rmdir()
