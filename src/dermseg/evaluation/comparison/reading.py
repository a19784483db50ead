"""Evaluations read back from the folders that hold them."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from pydantic import BaseModel, ConfigDict

from dermseg.errors import DatasetError
from dermseg.evaluation.score_table import SCORES
from dermseg.storage import read_model, read_table

__all__ = ["StoredEvaluation", "StoredOverlap", "StoredSummary", "read_evaluation"]

_COUNTS = ("tp", "fp", "fn", "tn")
_AGAIN = "Evaluate again to make it anew."
_REMEDY = "Give folders that 'dermseg evaluate -o' wrote."


class StoredOverlap(BaseModel):
    """How many of the evaluated images the model had seen.

    Attributes:
        num_images: Images that were evaluated.
        num_seen: Images that it was trained on, chosen by, or knows a copy or the lesion of.
    """

    model_config = ConfigDict(frozen=True, extra="ignore")

    num_images: int
    num_seen: int


class StoredSummary(BaseModel):
    """The contents of ``summary.json`` that concern the whole evaluation.

    Attributes:
        protocol: Whose rules made its means; the table of the images is always ``isic``.
        num_skipped: Images that could not be scored and are not in the table.
        model: What was evaluated, where it is known.
        dataset: Likewise.
        part: Likewise.
        tolerances: Tolerances of the surface distances by score, if these were measured.
        training_overlap: What the model had seen; None where the model is not known.
    """

    model_config = ConfigDict(frozen=True, extra="ignore")

    protocol: str
    num_skipped: int = 0
    model: str | None = None
    dataset: str | None = None
    part: str | None = None
    tolerances: dict[str, float] = {}
    training_overlap: StoredOverlap | None = None


@dataclass(frozen=True)
class StoredEvaluation:
    """The scores of an evaluation's images, read from its folder.

    Attributes:
        folder: Where it was read.
        name: The model's, or the folder's where no model is known.
        summary: What ``summary.json`` says of the evaluation.
        ids: The scored images in the order of the table, N of them, each once.
        groups: The group of each image, or None where the table has none.
        counts: ``tp``, ``fp``, ``fn`` and ``tn`` of each image in pixels, (N, 4) int64.
        scores: The scores by name, each (N,) float64, NaN where the table is empty.
    """

    folder: Path
    name: str
    summary: StoredSummary
    ids: tuple[str, ...]
    groups: tuple[str, ...] | None
    counts: NDArray[np.int64]
    scores: Mapping[str, NDArray[np.float64]]

    def select(self, ids: tuple[str, ...]) -> StoredEvaluation:
        """Return the same with these images only, in this order.

        Raises:
            KeyError: If one is not there.
        """
        positions = {id: position for position, id in enumerate(self.ids)}
        rows = [positions[id] for id in ids]
        return replace(
            self,
            ids=ids,
            groups=None if self.groups is None else tuple(self.groups[row] for row in rows),
            counts=self.counts[rows],
            scores={name: values[rows] for name, values in self.scores.items()},
        )


def read_evaluation(folder: Path) -> StoredEvaluation:
    """Read ``summary.json`` and ``per_image.csv`` of a folder.

    Columns that are no scores of this version are not read.

    Raises:
        DatasetError: If the folder is not an evaluation, or a file in it is damaged.
    """
    if not folder.is_dir():
        state = "is no folder" if folder.exists() else "no such folder"
        raise DatasetError(f"{folder}: {state}. {_REMEDY}")
    summary = _read_summary(folder / "summary.json")
    header, rows = _read_table(folder / "per_image.csv")
    columns = dict(zip(header, zip(*rows, strict=True), strict=True))
    path = folder / "per_image.csv"
    return StoredEvaluation(
        folder,
        summary.model or folder.resolve().name,
        summary,
        columns["id"],
        columns.get("group"),
        np.stack([_as_counts(path, name, columns[name]) for name in _COUNTS], axis=1),
        {name: _as_scores(path, name, columns[name]) for name in SCORES if name in columns},
    )


def _read_summary(path: Path) -> StoredSummary:
    _check_is_there(path)
    what = "the summary of an evaluation"
    return read_model(path, StoredSummary, what=what, refuse=_refuse)


def _check_is_there(path: Path) -> None:
    if not path.exists():
        raise DatasetError(
            f"{path.parent}: this folder holds no evaluation, it has no {path.name}. {_REMEDY}"
        )


def _refuse(message: str) -> DatasetError:
    return DatasetError(f"{message}. {_AGAIN}")


def _read_table(path: Path) -> tuple[Sequence[str], Sequence[Sequence[str]]]:
    """The header and the rows, each as wide as the header."""
    _check_is_there(path)
    table = read_table(path, what="the table", refuse=_refuse, may_hold_any_name=True)
    header, rows = table.columns, table.rows
    if missing := [name for name in ("id", *_COUNTS, "jaccard") if name not in header]:
        raise DatasetError(f"{path}: columns are missing: {', '.join(missing)}. {_AGAIN}")
    if not rows:
        raise DatasetError(f"{path}: the table has no images. {_AGAIN}")
    seen: set[str] = set()
    for number, row in enumerate(rows, start=2):
        id = row[header.index("id")]
        if id in seen:
            raise DatasetError(f"{path}: row {number}: the id '{id}' is there twice. {_AGAIN}")
        seen.add(id)
    return header, rows


def _as_counts(path: Path, name: str, cells: tuple[str, ...]) -> NDArray[np.int64]:
    for number, cell in enumerate(cells, start=2):
        if not (cell.isascii() and cell.isdigit() and len(cell) < 19):
            raise DatasetError(
                f"{path}: row {number}: {name} is '{cell}', expected a number of pixels. {_AGAIN}"
            )
    return np.array(cells).astype(np.int64)


def _as_scores(path: Path, name: str, cells: tuple[str, ...]) -> NDArray[np.float64]:
    values = np.full(len(cells), math.nan)
    for position, cell in enumerate(cells):
        if cell in ("", "nan", "NaN"):
            continue
        try:
            values[position] = float(cell)
        except ValueError:
            values[position] = math.inf
        if not math.isfinite(values[position]):
            raise DatasetError(
                f"{path}: row {position + 2}: {name} is '{cell}', expected a number, or nothing "
                f"where the score is undefined. {_AGAIN}"
            )
    return values
