"""The output folder of a prediction: masks, overlays, table, and what made them."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from dermseg.errors import ImageError, OutputError, UsageError
from dermseg.images import write_bytes_atomically, write_image, write_mask, write_probability
from dermseg.prediction.inputs import (
    MASK_ENDING,
    OVERLAY_ENDING,
    PROBABILITY_ENDING,
    Job,
)
from dermseg.prediction.prediction import Prediction
from dermseg.prediction.predictor import Predictor
from dermseg.prediction.table import Table, read_rows, row_of_error, row_of_prediction

__all__ = ["Existing", "OutputOptions", "open_output", "predict_jobs"]

_RECORD = "predictions.json"
_TABLE = "predictions.csv"
_OVERLAY_SIDE = 1024

Existing = Literal["refuse", "overwrite", "skip"]


@dataclass(frozen=True)
class OutputOptions:
    """What is written for each image.

    Attributes:
        overlay: Write ``NAME_overlay.jpg``.
        probability: Write ``NAME_probability.png``.
        spacing_mm: Width of a pixel in millimetres, for measurements in mm.
    """

    overlay: bool = True
    probability: bool = False
    spacing_mm: float | None = None

    @property
    def endings(self) -> list[str]:
        """Endings of the files that each image gets."""
        optional = ((self.overlay, OVERLAY_ENDING), (self.probability, PROBABILITY_ENDING))
        return [MASK_ENDING, *(ending for wanted, ending in optional if wanted)]


def open_output(
    folder: Path,
    jobs: Sequence[Job],
    predictor: Predictor,
    options: OutputOptions,
    *,
    existing: Existing,
) -> tuple[list[Job], list[dict[str, str]]]:
    """Make the output folder, or check what an earlier run left in it.

    Returns:
        The jobs that are still to be done, and the table rows of those that are done.

    Raises:
        UsageError: If outputs exist and ``existing`` is ``refuse``, or it is ``skip`` and the
            folder was made by another model or threshold, or is not a folder.
        OutputError: If the folder cannot be made or written.
    """
    if folder.exists() and not folder.is_dir():
        message = f"{folder} is a file: give a folder for the masks"
        raise UsageError(message)
    todo, rows = list(jobs), list[dict[str, str]]()
    if existing == "refuse":
        _refuse_existing(folder, jobs, options)
    elif existing == "skip" and folder.is_dir():
        _check_record(folder, predictor)
        todo, rows = _unfinished(folder, jobs, options)
    try:
        for parent in {job.output(folder, MASK_ENDING).parent for job in jobs} | {folder}:
            parent.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        message = f"{folder}: the folder cannot be made: {error.strerror}"
        raise OutputError(message) from error
    record = json.dumps(_record(predictor), indent=1) + "\n"
    write_bytes_atomically(folder / _RECORD, record.encode())
    return todo, rows


def predict_jobs(
    predictor: Predictor,
    jobs: Sequence[Job],
    folder: Path,
    options: OutputOptions,
    *,
    kept: Sequence[dict[str, str]] = (),
    batch_size: int = 8,
    workers: int | None = None,
) -> Iterator[tuple[Job, dict[str, Any]]]:
    """Predict and write image after image; an image that cannot be read does not stop the rest.

    Yields:
        Each job with its row of the table, after all of its files are written.

    Raises:
        OutputError: If a file cannot be written.
    """
    results = predictor.predict_many(
        (job.source for job in jobs), batch_size=batch_size, workers=workers, on_error="return"
    )
    with Table(folder / _TABLE, kept) as table, closing(results):
        for job, result in zip(jobs, results, strict=True):
            if isinstance(result, ImageError):
                row = row_of_error(job.source, result)
            else:
                row = _write(job, result, folder, options)
            table.add(row)
            yield job, row


def _write(
    job: Job, prediction: Prediction, folder: Path, options: OutputOptions
) -> dict[str, Any]:
    started = time.perf_counter()
    if options.overlay:
        picture = prediction.overlay(max_side=_OVERLAY_SIDE)
        write_image(job.output(folder, OVERLAY_ENDING), picture)
    if options.probability:
        write_probability(job.output(folder, PROBABILITY_ENDING), prediction.probability)
    # The mask last: where it is, everything is.
    write_mask(job.output(folder, MASK_ENDING), prediction.mask)
    row = row_of_prediction(
        job.source,
        job.stem.with_name(f"{job.stem.name}{MASK_ENDING}"),
        prediction,
        spacing_mm=options.spacing_mm,
    )
    row["seconds"] = prediction.seconds + time.perf_counter() - started
    return row


def _record(predictor: Predictor) -> dict[str, Any]:
    return {
        "model": predictor.spec.name,
        "onnx_sha256": predictor.spec.onnx_sha256,
        "threshold": predictor.postprocessing.threshold,
    }


def _refuse_existing(folder: Path, jobs: Sequence[Job], options: OutputOptions) -> None:
    outputs = (job.output(folder, ending) for job in jobs for ending in options.endings)
    existing = [path for path in (*outputs, folder / _TABLE) if path.exists()]
    if existing:
        message = (
            f"{existing[0]} is already there ({len(existing)} such files): choose another folder, "
            "or pass --overwrite or --skip-existing"
        )
        raise UsageError(message)


def _check_record(folder: Path, predictor: Predictor) -> None:
    if not any(folder.iterdir()):
        return
    try:
        made_by = json.loads((folder / _RECORD).read_bytes())
    except (OSError, ValueError):
        made_by = None
    if made_by != _record(predictor):
        origin = (
            f"by model {made_by.get('model')} at threshold {made_by.get('threshold')}"
            if isinstance(made_by, dict)
            else f"by something that left no readable {_RECORD}"
        )
        message = (
            f"{folder} was made {origin}, not by {predictor.spec.name} at threshold "
            f"{predictor.postprocessing.threshold}: --skip-existing would mix the two; choose "
            "another folder or pass --overwrite"
        )
        raise UsageError(message)


def _unfinished(
    folder: Path, jobs: Sequence[Job], options: OutputOptions
) -> tuple[list[Job], list[dict[str, str]]]:
    """Jobs without a good row and all of their files, and the rows of the others."""
    rows = {row["file"]: row for row in read_rows(folder / _TABLE) if not row["error"]}
    todo, done = [], []
    for job in jobs:
        is_whole = all(job.output(folder, ending).is_file() for ending in options.endings)
        if is_whole and str(job.source) in rows:
            done.append(rows[str(job.source)])
        else:
            todo.append(job)
    return todo, done
