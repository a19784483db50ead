"""A comparison as files: a summary, a table with a column per model, pictures, a page."""

from __future__ import annotations

import io
import json
import math
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import polars

from dermseg.csv_text import encode_csv
from dermseg.errors import OutputError
from dermseg.evaluation.comparison.outcome import Comparison
from dermseg.evaluation.comparison.page import write_page
from dermseg.evaluation.comparison.pictures import draw_most_different, write_sheet
from dermseg.evaluation.comparison.summarizing import summarize
from dermseg.storage import make_folder, write_bytes_atomically

__all__ = ["write_comparison"]


def write_comparison(
    folder: Path, comparison: Comparison, *, images: int | Sequence[str] = 12
) -> list[str]:
    """Write ``comparison.json``, ``scores.csv``, the same as ``scores.parquet``, and pictures.

    The table has a row per image and, for the score of the comparison, Dice and cross-entropy, a
    column per model in the order of the ranking: ``dice NAME`` and so on; empty where a score is
    undefined, and no column where a model was evaluated without. ``differences.jpg`` shows the
    images on which the models differ most, ``comparison.html`` everything on one page.

    Args:
        folder: Where to write; it is made if it is missing, and files of an earlier comparison
            are replaced or removed.
        comparison: What came out.
        images: As for `summarize`.

    Returns:
        A sentence for each kind of picture that could not be drawn.

    Raises:
        OutputError: If the folder or a file cannot be written.
        UsageError: If an id is none of the images that were compared.
    """
    make_folder(folder)
    pictures, notes = draw_most_different(comparison, images)
    text = json.dumps(summarize(comparison, images=images), indent=2, allow_nan=False)
    columns = _per_image(comparison)
    parquet = io.BytesIO()
    polars.DataFrame(columns).write_parquet(parquet)
    write_bytes_atomically(
        folder / "scores.csv", encode_csv(columns, zip(*columns.values(), strict=True))
    )
    write_bytes_atomically(folder / "scores.parquet", parquet.getvalue())
    write_bytes_atomically(folder / "comparison.json", f"{text}\n".encode())
    sheet = folder / "differences.jpg"
    if pictures:
        write_sheet(sheet, [ranked.name for ranked in comparison.ranking], pictures)
    else:
        _remove(sheet)
    write_page(folder / "comparison.html", comparison, pictures, notes=notes)
    return notes


def _remove(path: Path) -> None:
    try:
        path.unlink(missing_ok=True)
    except OSError as error:
        raise OutputError(f"{path}: it cannot be removed: {error.strerror}") from error


def _per_image(comparison: Comparison) -> dict[str, list[Any]]:
    aligned = comparison.aligned
    by_name = {entry.name: entry.scores for entry in aligned.evaluations}
    columns: dict[str, list[Any]] = {"id": list(aligned.ids)}
    if aligned.groups is not None:
        columns["group"] = list(aligned.groups)
    for score in dict.fromkeys((comparison.score, "dice", "cross_entropy")):
        for ranked in comparison.ranking:
            if score in by_name[ranked.name]:
                values = by_name[ranked.name][score].tolist()
                columns[f"{score} {ranked.name}"] = [
                    None if math.isnan(value) else value for value in values
                ]
    return columns
