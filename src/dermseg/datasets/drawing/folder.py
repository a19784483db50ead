"""The folder of a drawing: what made it, what is in it already, what is stale."""

from __future__ import annotations

import csv
import hashlib
import io
import json
from importlib import metadata
from pathlib import Path
from typing import Any

from dermseg.datasets.base import DRAWING_RECORD
from dermseg.datasets.drawing.drawing import DrawingOptions
from dermseg.datasets.drawing.plan import FOLDERS, DrawingPlan, DrawingTask
from dermseg.datasets.fingerprint import file_hash
from dermseg.errors import OutputError, UsageError
from dermseg.images import write_bytes_atomically

__all__ = ["open_drawing", "write_groups"]

_GROUPS = "groups.csv"
_PACKAGES = ("dermseg", "numpy", "opencv-python-headless")
_ABOUT = (
    "Structures drawn into photographs by 'dermseg data draw-attributes'. The masks of attributes "
    "are those of what was drawn; nobody has seen them in a patient."
)


def open_drawing(
    folder: Path,
    plan: DrawingPlan,
    options: DrawingOptions,
    *,
    presence: Path | None = None,
    overwrite: bool = False,
) -> list[DrawingTask]:
    """Make the output folder, or check what an earlier call left in it.

    Args:
        folder: The drawing's own folder.
        plan: What is drawn.
        options: How it is drawn.
        presence: The table that the plan was made with.
        overwrite: Remove what an earlier call drew.

    Returns:
        The tasks whose image is not there yet.

    Raises:
        UsageError: If the folder holds something else, or the drawing of other images or options
            which is not to be overwritten.
        OutputError: If it cannot be made, read or written.
        ImageError: If the table of presence cannot be read.
    """
    record = _describe(plan, options, presence)
    try:
        if folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
            _check(folder, record, overwrite=overwrite)
        if overwrite:
            _clear(folder)
        for name in FOLDERS:
            (folder / name).mkdir(parents=True, exist_ok=True)
        write_bytes_atomically(
            folder / DRAWING_RECORD, (json.dumps(record, indent=1) + "\n").encode()
        )
        return [task for task in plan.tasks if not task.image_file(folder).exists()]
    except OSError as error:
        message = f"{folder}: the folder cannot be made or written: {error.strerror}"
        raise OutputError(message) from error


def write_groups(folder: Path, plan: DrawingPlan) -> Path | None:
    """Write which images belong together, which the layout of ISIC 2018 does not tell.

    Returns:
        The CSV file with the columns ``id`` and ``group``, for ``--groups``; None, and no file,
        where every image stands alone.

    Raises:
        OutputError: If it cannot be written.
    """
    samples = [task.sample for task in plan.tasks]
    if all(sample.group == sample.id for sample in samples):
        return None
    table = io.StringIO(newline="")
    csv.writer(table).writerows([("id", "group"), *((s.id, s.group) for s in samples)])
    write_bytes_atomically(folder / _GROUPS, table.getvalue().encode())
    return folder / _GROUPS


def _describe(plan: DrawingPlan, options: DrawingOptions, presence: Path | None) -> dict[str, Any]:
    """All that the files depend on besides the content of the images, as JSON gives it back."""
    ids = "\n".join(task.sample.id for task in plan.tasks)
    return {
        "about": _ABOUT,
        "versions": {name: metadata.version(name) for name in _PACKAGES},
        "seed": options.seed,
        "side": options.side,
        "frequencies": dict(options.frequencies),
        "contrast": options.contrast,
        "distractors": options.attributes.distractors,
        "num_images": len(plan.tasks),
        "ids_sha256": hashlib.sha256(ids.encode()).hexdigest(),
        "presence_sha256": None if presence is None else file_hash(presence),
    }


def _check(folder: Path, record: dict[str, Any], *, overwrite: bool) -> None:
    """Refuse a folder that was not made by a drawing, or by another than this.

    Raises:
        UsageError: If it is so.
    """
    try:
        made_by = json.loads((folder / DRAWING_RECORD).read_bytes())
    except (OSError, ValueError):
        made_by = None
    if not isinstance(made_by, dict) or made_by.keys() != record.keys():
        message = (
            f"{folder} holds something else than drawings, or their {DRAWING_RECORD} is damaged: "
            "choose a new or an empty folder"
        )
        raise UsageError(message)
    changed = [key for key in record if made_by[key] != record[key]]
    if changed and not overwrite:
        values = "; ".join(f"{key} {made_by[key]}, now {record[key]}" for key in changed)
        message = (
            f"{folder} was drawn with {values}: choose another folder, or pass --overwrite to "
            "draw all of it again"
        )
        raise UsageError(message)


def _clear(folder: Path) -> None:
    """Remove the files of an earlier drawing: none may stay that this one does not write."""
    # The images first: without them, the masks left by an interruption belong to nothing.
    for name in FOLDERS:
        for path in (folder / name).glob("ISIC_*.png"):
            path.unlink()
    (folder / _GROUPS).unlink(missing_ok=True)
