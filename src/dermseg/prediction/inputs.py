"""Which image goes to which output, decided before any work starts."""

from __future__ import annotations

import hashlib
import re
import stat
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import permutations
from pathlib import Path, PurePosixPath

from dermseg.errors import UsageError
from dermseg.images import find_images

__all__ = [
    "MASK_ENDING",
    "OVERLAY_ENDING",
    "PROBABILITY_ENDING",
    "Job",
    "attribute_ending",
    "attribute_probability_ending",
    "plan_jobs",
]

MASK_ENDING = "_segmentation.png"
OVERLAY_ENDING = "_overlay.jpg"
PROBABILITY_ENDING = "_probability.png"

_LESION_ENDINGS = (MASK_ENDING, OVERLAY_ENDING, PROBABILITY_ENDING)
_OWN_NAME = re.compile(
    r".*(_segmentation\.png|_overlay\.jpg|_probability\.png|_attribute_[\w-]+\.png)"
)
_MAX_NAME_BYTES = 255


def attribute_ending(name: str) -> str:
    """What follows an image's name in that of the mask of an attribute, as ISIC names it."""
    return f"_attribute_{name}.png"


def attribute_probability_ending(name: str) -> str:
    """What follows an image's name in that of the probabilities of an attribute."""
    return f"_attribute_{name}{PROBABILITY_ENDING}"


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


def plan_jobs(
    inputs: Sequence[Path], *, recursive: bool, attributes: Sequence[str] = ()
) -> list[Job]:
    """List the images among files and folders, each with its place below the output folder.

    A folder's images are taken in the order of their names; what an earlier prediction wrote into
    it is left out. With ``recursive`` an image in a subfolder keeps its relative path. A name too
    long for its endings is shortened and marked by a hash of the whole.

    Args:
        inputs: Files and folders.
        recursive: Look into subfolders.
        attributes: The structures that get files of their own.

    Raises:
        UsageError: If an input is missing, nothing is found, or two images map to one output.
    """
    endings = [*_LESION_ENDINGS]
    for name in attributes:
        endings += [attribute_ending(name), attribute_probability_ending(name)]
    room = _MAX_NAME_BYTES - max(map(len, endings))
    jobs: dict[PurePosixPath, Job] = {}
    for path in inputs:
        for source, parent in _images(path, recursive=recursive):
            job = Job(source, parent / _short(source.stem, room))
            other = jobs.setdefault(job.stem, job)
            if other.source != source:
                raise _collision(other, job, MASK_ENDING)
    if not jobs:
        where = ", ".join(str(path) for path in inputs)
        hint = "" if recursive else "; --recursive looks into subfolders"
        message = f"no images in {where} (JPEG, PNG, BMP, TIFF or WebP by suffix){hint}"
        raise UsageError(message)
    for ending, other_ending in permutations(endings, 2):
        if ending.endswith(other_ending):
            between = ending.removesuffix(other_ending)
            for stem, job in jobs.items():
                longer = jobs.get(stem.with_name(stem.name + between))
                if longer is not None:
                    raise _collision(longer, job, ending)
    return list(jobs.values())


def _collision(one: Job, other: Job, ending: str) -> UsageError:
    """``ending`` is that of ``other``'s file."""
    return UsageError(
        f"{one.source} and {other.source} would both be written to {other.stem}{ending}: rename "
        "one, or predict them into two folders"
    )


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
    for source in find_images(path, recursive=recursive):
        if not _OWN_NAME.fullmatch(source.name):
            yield source, PurePosixPath(source.parent.relative_to(path).as_posix())


def _short(stem: str, room: int) -> str:
    """Shorten a stem to ``room`` bytes, so that every output's name fits a file system's 255."""
    raw = stem.encode(errors="surrogateescape")
    if len(raw) <= room:
        return stem
    mark = "~" + hashlib.sha256(raw).hexdigest()[:8]
    return raw[: room - len(mark)].decode(errors="ignore") + mark
