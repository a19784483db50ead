"""Which image goes to which output, decided before any work starts."""

from __future__ import annotations

import hashlib
import stat
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

from dermseg.errors import UsageError
from dermseg.images import find_images

__all__ = ["MASK_ENDING", "OVERLAY_ENDING", "PROBABILITY_ENDING", "Job", "plan_jobs"]

MASK_ENDING = "_segmentation.png"
OVERLAY_ENDING = "_overlay.jpg"
PROBABILITY_ENDING = "_probability.png"

_LONGEST_ENDING = max(MASK_ENDING, OVERLAY_ENDING, PROBABILITY_ENDING, key=len)
_MAX_NAME_BYTES = 255


@dataclass(frozen=True)
class Job:
    """One image to predict.

    Attributes:
        source: The image file.
        stem: Path of its outputs relative to the output folder, without their endings.
    """

    source: Path
    stem: PurePosixPath

    def output(self, folder: Path, ending: str) -> Path:
        """Path of one of its outputs."""
        return folder / self.stem.parent / f"{self.stem.name}{ending}"


def plan_jobs(inputs: Sequence[Path], *, recursive: bool) -> list[Job]:
    """List the images among files and folders, each with its place below the output folder.

    A folder's images are taken in the order of their names; what an earlier prediction wrote into
    it is left out. With ``recursive`` an image in a subfolder keeps its relative path. A name too
    long for its endings is shortened and marked by a hash of the whole.

    Raises:
        UsageError: If an input is missing, nothing is found, or two images map to one output.
    """
    jobs: dict[PurePosixPath, Job] = {}
    for path in inputs:
        for source, parent in _images(path, recursive=recursive):
            job = Job(source, parent / _short(source.stem))
            other = jobs.setdefault(job.stem, job)
            if other.source != source:
                message = (
                    f"{other.source} and {source} would both be written to "
                    f"{job.stem}{MASK_ENDING}: rename one, or predict them into two folders"
                )
                raise UsageError(message)
    if not jobs:
        where = ", ".join(str(path) for path in inputs)
        hint = "" if recursive else "; --recursive looks into subfolders"
        message = f"no images in {where} (JPEG, PNG, BMP, TIFF or WebP by suffix){hint}"
        raise UsageError(message)
    return list(jobs.values())


def _images(path: Path, *, recursive: bool) -> Iterable[tuple[Path, PurePosixPath]]:
    try:
        is_folder = stat.S_ISDIR(path.stat().st_mode)
    except OSError as error:
        missing = isinstance(error, (FileNotFoundError, NotADirectoryError))
        reason = "no such file or folder" if missing else error.strerror
        message = f"{path}: {reason}"
        raise UsageError(message) from error
    if not is_folder:
        yield path, PurePosixPath()
        return
    own = (MASK_ENDING, OVERLAY_ENDING, PROBABILITY_ENDING)
    for source in find_images(path, recursive=recursive):
        if not source.name.endswith(own):
            yield source, PurePosixPath(source.parent.relative_to(path).as_posix())


def _short(stem: str) -> str:
    """Shorten a stem until every output's name fits a file system's 255 bytes."""
    room = _MAX_NAME_BYTES - len(_LONGEST_ENDING)
    raw = stem.encode(errors="surrogateescape")
    if len(raw) <= room:
        return stem
    mark = "~" + hashlib.sha256(raw).hexdigest()[:8]
    return raw[: room - len(mark)].decode(errors="ignore") + mark
