"""An evaluation as files: a table of the images and a summary."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Any

from dermseg.errors import OutputError
from dermseg.evaluation.aggregation import SCORES
from dermseg.evaluation.evaluate import Evaluation
from dermseg.images import write_bytes_atomically

__all__ = ["summary", "write_evaluation"]

_COUNTS = ("tp", "fp", "fn", "tn")


def summary(evaluation: Evaluation, *, about: Mapping[str, str] | None = None) -> dict[str, Any]:
    """Return the figures of an evaluation as plain values, ready for JSON.

    Args:
        evaluation: What came out.
        about: What was evaluated, e.g. ``{"model": ..., "dataset": ..., "part": ...}``.

    Returns:
        ``protocol``, ``num_scored``, ``num_skipped``, ``aggregates`` (for each name ``value``,
        ``low`` and ``high``), ``warnings``, and the keys of ``about``.
    """
    return {
        **(about or {}),
        "protocol": evaluation.protocol,
        "num_scored": evaluation.num_scored,
        "num_skipped": evaluation.num_skipped,
        "aggregates": {name: asdict(value) for name, value in evaluation.aggregates.items()},
        "warnings": list(evaluation.warnings),
    }


def write_evaluation(
    folder: Path, evaluation: Evaluation, *, about: Mapping[str, str] | None = None
) -> None:
    """Write ``per_image.csv`` and ``summary.json``; the folder is made if it is missing.

    The table has one row per scored image, sorted by id: pixel counts and scores in full
    precision. Skipped images are in the summary's warnings.

    Args:
        folder: Where to write; files of an earlier evaluation are replaced.
        evaluation: What came out.
        about: See `summary`.

    Raises:
        OutputError: If the folder or a file cannot be written.
    """
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise OutputError(f"{folder}: the folder cannot be made: {error.strerror}") from error
    text = json.dumps(summary(evaluation, about=about), indent=2, allow_nan=False)
    # File names may hold bytes that are no text, and so may ids.
    table = _per_image(evaluation).encode(errors="backslashreplace")
    write_bytes_atomically(folder / "per_image.csv", table)
    write_bytes_atomically(folder / "summary.json", f"{text}\n".encode())


def _per_image(evaluation: Evaluation) -> str:
    table = io.StringIO()
    writer = csv.writer(table, lineterminator="\n")
    writer.writerow(["id", *_COUNTS, *SCORES])
    for score in evaluation.scores:
        counts = (getattr(score.counts, name) for name in _COUNTS)
        writer.writerow([score.id, *counts, *(getattr(score, name) for name in SCORES)])
    return table.getvalue()
