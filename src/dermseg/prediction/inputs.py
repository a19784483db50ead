"""Plan which image goes to which output, before any work starts."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import permutations
from pathlib import PurePosixPath

from dermseg.errors import UsageError
from dermseg.images import list_images
from dermseg.prediction.naming import (
    MASK_ENDING,
    all_endings,
    is_output_name,
    is_superpixel_map,
    shorten,
)
from dermseg.storage import Location, StoredFile, open_location

__all__ = ["Job", "plan_jobs"]


@dataclass(frozen=True)
class Job:
    """One image to predict.

    Attributes:
        source: The image file.
        stem: The image's id, see :attr:`StoredFile.id`: the key of its outputs without their
            endings. A name too long for the endings is shortened.
    """

    source: StoredFile
    stem: PurePosixPath

    def key(self, ending: str) -> str:
        """Key of one of its outputs."""
        return str(self.stem.with_name(f"{self.stem.name}{ending}"))


def plan_jobs(
    inputs: Sequence[Location], *, recursive: bool, attributes: Sequence[str] = ()
) -> list[Job]:
    """List the images among files and folders, each with its place among the outputs.

    A folder's images are taken in the order of their names; what an earlier prediction wrote into
    it is left out. With ``recursive`` an image in a subfolder keeps its relative path. A name too
    long for its endings is shortened and marked by a hash of the whole.

    Args:
        inputs: Paths of files and folders, or storages of images.
        recursive: Look into subfolders.
        attributes: The structures that get files of their own.

    Raises:
        UsageError: If an input is missing, nothing is found, or two images map to one output.
    """
    endings = all_endings(attributes)
    jobs: dict[PurePosixPath, Job] = {}
    for location in inputs:
        for source in _images(location, recursive=recursive):
            id = source.id
            job = Job(source, id.with_name(shorten(id.name, endings)))
            other = jobs.setdefault(job.stem, job)
            if other.source != source:
                raise _collision(other, job, MASK_ENDING)
    if not jobs:
        where = ", ".join(str(location) for location in inputs)
        hint = "" if recursive else "; --recursive looks into subfolders"
        message = f"no images in {where} (files with the suffix of an image, or DICOM){hint}"
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
        f"{one.source} and {other.source} would both be written to {other.key(ending)}: rename "
        "one, or predict them into two folders"
    )


def _images(location: Location, *, recursive: bool) -> Iterator[StoredFile]:
    found = open_location(location)
    if isinstance(found, StoredFile):
        yield found
        return
    for file in list_images(found, recursive=recursive):
        if not is_output_name(file.name) and not is_superpixel_map(file.name):
            yield file
