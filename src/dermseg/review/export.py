"""From a project to a dataset to train on."""

from __future__ import annotations

import shutil
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

import sqlalchemy as sa

from dermseg.csv_text import encode_csv
from dermseg.errors import OutputError, UsageError
from dermseg.prediction import MASK_ENDING
from dermseg.review.project import Project
from dermseg.review.tables import images, revisions
from dermseg.storage import make_folder, write_bytes_atomically

__all__ = ["PROVENANCE", "Exported", "export_dataset"]

PROVENANCE: Final = "provenance.csv"
"""Where each mask of an exported dataset came from."""

_COLUMNS: Final = (
    "id", "file", "source", "reviewer", "created", "model", "model_sha256", "revision",
    "mask_sha256", "comment",
)  # fmt: skip


@dataclass(frozen=True)
class Exported:
    """What an export wrote and left out.

    Attributes:
        num_images: Images with their masks.
        sources: How many masks are whose.
        num_left_out: Images that are open, skipped or rejected.
    """

    num_images: int
    sources: dict[str, int]
    num_left_out: int


def export_dataset(project: Project, output: Path) -> Exported:
    """Write the accepted and corrected masks with their images, as ``train --data`` takes them.

    ::

        images/NAME.jpg               a copy of the photograph
        masks/NAME_segmentation.png
        provenance.csv                who made each mask, when and from which model

    An image in a subfolder is named ``FOLDER__NAME``. A killed export leaves a folder without
    ``provenance.csv``.

    Args:
        project: The project.
        output: A folder that is not there yet, or empty.

    Raises:
        UsageError: If the folder is not empty, nothing is accepted, or two images would have one
            name.
        ImageError: If a mask is gone or damaged.
        OutputError: If the folder cannot be written.
    """
    if output.exists() and (not output.is_dir() or any(output.iterdir())):
        message = f"{output} is there and is not an empty folder: name another one"
        raise UsageError(message)
    rows = _accepted(project)
    stems = _stems([row.name for row in rows])
    if not rows:
        message = f"nothing in {project.folder} is accepted or corrected yet: review some first"
        raise UsageError(message)
    for name in ("images", "masks"):
        make_folder(output / name)
    entries = []
    sources: dict[str, int] = {}
    for row, stem in zip(rows, stems, strict=True):
        photograph = project.folder / row.name
        copy = output / "images" / f"{stem}{photograph.suffix}"
        try:
            shutil.copyfile(photograph, copy)
        except OSError as error:
            message = f"{photograph} cannot be copied to {copy}: {error.strerror}"
            raise OutputError(message) from error
        mask = output / "masks" / f"{stem}{MASK_ENDING}"
        write_bytes_atomically(mask, project.masks.read_png(row.mask))
        sources[row.source] = sources.get(row.source, 0) + 1
        entries.append(_entry(row, stem))
    write_bytes_atomically(output / PROVENANCE, encode_csv(_COLUMNS, entries))
    num_all = sum(project.queue.progress().values())
    return Exported(len(rows), sources, num_all - len(rows))


def _accepted(project: Project) -> list[sa.Row[tuple[object, ...]]]:
    is_latest = (revisions.c.image_id == images.c.id) & (revisions.c.number == images.c.revision)
    wanted = images.c.present & images.c.state.in_(("accepted", "corrected"))
    query = (
        sa.select(images.c.name, revisions)
        .join(revisions, is_latest)
        .where(wanted & revisions.c.mask.is_not(None))
        .order_by(images.c.name)
    )
    with project.database.reading() as connection:
        return list(connection.execute(query).all())


def _stems(names: list[str]) -> list[str]:
    stems: dict[str, str] = {}
    for name in names:
        stem = "__".join(Path(name).with_suffix("").parts)
        if stem in stems:
            message = f"{stems[stem]} and {name} would both be exported as {stem}: rename one"
            raise UsageError(message)
        stems[stem] = name
    return list(stems)


def _entry(row: sa.Row[tuple[object, ...]], stem: str) -> tuple[object, ...]:
    created = datetime.fromtimestamp(row.created, UTC).isoformat(timespec="seconds")
    made = (stem, row.name, row.source, row.reviewer, created)
    return (*made, row.model, row.model_sha256, row.number, row.mask, row.comment)
