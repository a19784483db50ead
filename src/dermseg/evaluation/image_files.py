"""Which files an evaluation looked at: ``files.csv``."""

from __future__ import annotations

import csv
import io
import zipfile
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import Final

from dermseg.errors import DatasetError
from dermseg.evaluation.files import MaskFile
from dermseg.images import write_bytes_atomically

__all__ = ["FILES_NAME", "ImageFiles", "read_files", "write_files"]

FILES_NAME: Final = "files.csv"

_COLUMNS = ("id", "image", "truth", "prediction")
_IN_ARCHIVE = ".zip!"


@dataclass(frozen=True)
class ImageFiles:
    """The files of one image; None where one is not known.

    Attributes:
        image: The photograph.
        truth: The true mask.
        prediction: The predicted mask.
    """

    image: Path | None = None
    truth: MaskFile | None = None
    prediction: MaskFile | None = None


def write_files(folder: Path, ids: Iterable[str], files: Mapping[str, ImageFiles]) -> None:
    """Write ``files.csv`` with the columns id, image, truth and prediction.

    Paths inside the folder are written relative to it, so that it can be moved; others are
    absolute. A member of an archive is written as ``archive.zip!member``. Unknown files are empty.

    Args:
        folder: The evaluation's folder; it must exist.
        ids: A row each, in this order.
        files: What is known of them.

    Raises:
        OutputError: If the file cannot be written.
    """
    table = io.StringIO()
    writer = csv.writer(table, lineterminator="\n")
    writer.writerow(_COLUMNS)
    for id in ids:
        known = files.get(id, ImageFiles())
        writer.writerow(
            [id, *(_written(file, folder) for file in (known.image, known.truth, known.prediction))]
        )
    # File names may hold bytes that are no text; they come back as they were.
    content = table.getvalue().encode(errors="surrogateescape")
    write_bytes_atomically(folder / FILES_NAME, content)


def read_files(folder: Path) -> dict[str, ImageFiles]:
    """Read ``files.csv`` of an evaluation's folder; empty where there is none.

    Whether the files are still there is not checked; a member of an archive that is gone counts as
    not known.

    Raises:
        DatasetError: If the file is not the table that `write_files` writes.
    """
    path = folder / FILES_NAME
    if not path.is_file():
        return {}
    try:
        text = path.read_bytes().decode(errors="surrogateescape")
        rows = list(csv.reader(io.StringIO(text)))
    except (OSError, csv.Error) as error:
        raise DatasetError(f"{path}: the table cannot be read: {error}") from error
    if not rows or tuple(rows[0]) != _COLUMNS or any(len(row) != len(_COLUMNS) for row in rows):
        raise DatasetError(f"{path}: expected the columns {','.join(_COLUMNS)}; evaluate again")
    archives: dict[str, zipfile.ZipFile | None] = {}
    return {
        id: ImageFiles(
            folder / image if image else None,
            _read(truth, folder, archives),
            _read(prediction, folder, archives),
        )
        for id, image, truth, prediction in rows[1:]
    }


def _written(file: MaskFile | None, folder: Path) -> str:
    if file is None:
        return ""
    if isinstance(file, zipfile.Path):
        archive = Path(str(file.root.filename)).resolve()
        return f"{archive}!{file.at}"
    absolute, home = file.resolve(), folder.resolve()
    if absolute.is_relative_to(home):
        return str(PurePosixPath(absolute.relative_to(home)))
    return str(absolute)


def _read(text: str, folder: Path, archives: dict[str, zipfile.ZipFile | None]) -> MaskFile | None:
    if not text:
        return None
    name, separator, member = text.partition(_IN_ARCHIVE)
    if not separator:
        return folder / text
    archive = f"{name}{_IN_ARCHIVE[:-1]}"
    if archive not in archives:
        is_there = zipfile.is_zipfile(archive)
        archives[archive] = zipfile.ZipFile(archive) if is_there else None
    opened = archives[archive]
    return None if opened is None else zipfile.Path(opened, member)
