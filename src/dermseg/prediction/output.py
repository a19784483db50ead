"""The output folder of a prediction: masks, overlays, table, and what made them."""

from __future__ import annotations

import json
import time
from collections import deque
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import Any, Literal

from dermseg.errors import ImageError, OutputError, UsageError
from dermseg.images import write_bytes_atomically, write_image, write_mask, write_probability
from dermseg.prediction.attribute_output import write_attributes
from dermseg.prediction.attribute_overlay import draw_attributes
from dermseg.prediction.inputs import (
    MASK_ENDING,
    OVERLAY_ENDING,
    PROBABILITY_ENDING,
    Job,
    attribute_ending,
    attribute_probability_ending,
)
from dermseg.prediction.prediction import EXPERIMENTAL, Prediction
from dermseg.prediction.predictor import Predictor, default_workers
from dermseg.prediction.table import Row, Table, read_rows, row_of_error, row_of_prediction
from dermseg.types import BoolMask, ImageArray

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
        probability: Write ``NAME_probability.png``, and for each attribute
            ``NAME_attribute_CLASS_probability.png``.
        spacing_mm: Width of a pixel in millimetres, for measurements in mm.
    """

    overlay: bool = True
    probability: bool = False
    spacing_mm: float | None = None

    def endings(self, attributes: Sequence[str]) -> list[str]:
        """Endings of the files that each image gets.

        Args:
            attributes: Those that the model finds.
        """
        endings = [MASK_ENDING, *map(attribute_ending, attributes)]
        if self.overlay:
            endings.append(OVERLAY_ENDING)
        if self.probability:
            endings += [PROBABILITY_ENDING, *map(attribute_probability_ending, attributes)]
        return endings


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
        The jobs that are still to be done, and the table rows that stay: of images that are done,
        be they among the jobs or not.

    Raises:
        UsageError: If outputs exist and ``existing`` is ``refuse``, or it is ``skip`` and the
            folder was made by another model, with other settings or from another image of the
            same name, or is not a folder.
        OutputError: If the folder cannot be made or written.
    """
    if folder.exists() and not folder.is_dir():
        message = f"{folder} is a file: give a folder for the masks"
        raise UsageError(message)
    todo, rows = list(jobs), list[dict[str, str]]()
    attributes = predictor.spec.attributes
    if existing == "refuse":
        _refuse_existing(folder, jobs, options.endings(attributes))
    elif existing == "skip" and folder.is_dir():
        _check_record(folder, predictor, options)
        todo, rows = _unfinished(folder, jobs, options.endings(attributes), attributes)
    try:
        for parent in {job.output(folder, MASK_ENDING).parent for job in jobs} | {folder}:
            parent.mkdir(parents=True, exist_ok=True)
        if existing == "overwrite":
            # Before the record changes: no old row may ever stand under a new record.
            (folder / _TABLE).unlink(missing_ok=True)
    except OSError as error:
        message = f"{folder}: the folder cannot be made or written: {error.strerror}"
        raise OutputError(message) from error
    record = json.dumps(_record(predictor, options), indent=1) + "\n"
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
) -> Iterator[tuple[Job, Row]]:
    """Predict and write images in order; one that cannot be read does not stop the rest.

    Masks are written by threads, while the next images are read and predicted. What is held does
    not grow with the number of images, and little with their size.

    Args:
        predictor: The model.
        jobs: What to predict, as :func:`open_output` returned it.
        folder: The output folder.
        options: What is written.
        kept: Rows of an earlier run.
        batch_size: Images per inference.
        workers: Threads that read, and as many that write; None takes one per core, at most four.

    Yields:
        Each job with its row of the table, after all of its files are written.

    Raises:
        OutputError: If a file cannot be written.
    """
    workers = default_workers() if workers is None else workers
    results = predictor.predict_many(
        (job.source for job in jobs),
        batch_size=batch_size,
        workers=workers,
        image_side=_OVERLAY_SIDE if options.overlay else max(predictor.spec.input_size),
        on_error="return",
    )
    waiting: deque[tuple[Job, Future[Row]]] = deque()
    with (
        Table(folder / _TABLE, kept, attributes=predictor.spec.attributes) as table,
        closing(results),
        ThreadPoolExecutor(workers, thread_name_prefix="dermseg-write") as pool,
    ):
        try:
            for job, result in zip(jobs, results, strict=True):
                waiting.append((job, pool.submit(_write, job, result, folder, options, predictor)))
                # What waits is small; it bridges the time of an inference.
                if len(waiting) > batch_size + workers:
                    yield _finish(waiting, table)
            while waiting:
                yield _finish(waiting, table)
        finally:
            for _, future in waiting:
                future.cancel()


def _finish(waiting: deque[tuple[Job, Future[Row]]], table: Table) -> tuple[Job, Row]:
    job, future = waiting.popleft()
    row = future.result()
    table.add(row)
    return job, row


def _write(
    job: Job,
    result: Prediction | ImageError,
    folder: Path,
    options: OutputOptions,
    predictor: Predictor,
) -> Row:
    if isinstance(result, ImageError):
        return row_of_error(job.source, result)
    # The lesion is held beside each of the attributes in turn.
    num_classes = 2 if result.attributes else 1
    with predictor.room.hold(result.size[0] * result.size[1] * num_classes):
        started = time.perf_counter()
        columns, masks = write_attributes(
            result, job, folder, probability=options.probability, picture_side=_OVERLAY_SIDE
        )
        if options.overlay:
            picture = _draw(result, masks)
            write_image(job.output(folder, OVERLAY_ENDING), picture)
        if options.probability:
            write_probability(job.output(folder, PROBABILITY_ENDING), result.probability)
        # The mask last: where it is, everything is.
        write_mask(job.output(folder, MASK_ENDING), result.mask)
        row = row_of_prediction(job.source, _mask_of(job), result, spacing_mm=options.spacing_mm)
        row |= columns
        row["seconds"] = result.seconds + time.perf_counter() - started
        return row


def _draw(result: Prediction, masks: Mapping[str, BoolMask]) -> ImageArray:
    """The overlay, from masks that have been made and reduced."""
    if not masks:
        return result.overlay(max_side=_OVERLAY_SIDE)
    note = EXPERIMENTAL if result.experimental else ""
    return draw_attributes(result.image, masks, result.mask, max_side=_OVERLAY_SIDE, note=note)


def _record(predictor: Predictor, options: OutputOptions) -> dict[str, Any]:
    """All that masks and rows depend on besides the images, as JSON gives it back."""
    record = {
        "model": predictor.spec.name,
        "onnx_sha256": predictor.spec.onnx_sha256,
        "postprocessing": predictor.postprocessing.model_dump(mode="json"),
        "spacing_mm": options.spacing_mm,
        "precision": predictor.runtime.precision,
    }
    if predictor.spec.experimental:
        record["experimental"] = True
    if predictor.lesion is not None:
        lesion = _record(predictor.lesion, options)
        record["lesion_crop"] = (
            predictor.spec.lesion_crop and predictor.spec.lesion_crop.model_dump(mode="json")
        )
        record["lesion"] = {
            key: lesion[key] for key in ("model", "onnx_sha256", "postprocessing", "precision")
        }
    return record


def _refuse_existing(folder: Path, jobs: Sequence[Job], endings: Sequence[str]) -> None:
    outputs = (job.output(folder, ending) for job in jobs for ending in endings)
    existing = [path for path in (*outputs, folder / _TABLE) if path.exists()]
    if existing:
        message = (
            f"{existing[0]} is already there ({len(existing)} such files): choose another folder, "
            "or pass --overwrite or --skip-existing"
        )
        raise UsageError(message)


def _check_record(folder: Path, predictor: Predictor, options: OutputOptions) -> None:
    try:
        if not any(folder.iterdir()):
            return
        made_by = json.loads((folder / _RECORD).read_bytes())
    except PermissionError as error:
        message = f"{folder} cannot be read: {error.strerror}"
        raise UsageError(message) from error
    except (OSError, ValueError):
        made_by = None
    expected = _record(predictor, options)
    if made_by == expected:
        return
    if isinstance(made_by, dict):
        keys = dict.fromkeys((*expected, *made_by))
        changed = [key for key in keys if made_by.get(key) != expected.get(key)]
        values = [f"{key} {made_by.get(key)}, now {expected.get(key)}" for key in changed]
        reason = f"made with {'; '.join(values)}"
    else:
        reason = f"made by something that left no readable {_RECORD}"
    message = (
        f"{folder} was {reason}: --skip-existing would mix the two; choose another folder or pass "
        "--overwrite"
    )
    raise UsageError(message)


def _unfinished(
    folder: Path, jobs: Sequence[Job], endings: Sequence[str], attributes: Sequence[str]
) -> tuple[list[Job], list[dict[str, str]]]:
    """Jobs without a good row and all of their files, and the good rows of all other images."""
    rows = {row["file"]: row for row in read_rows(folder / _TABLE, attributes) if not row["error"]}
    todo = [
        job
        for job in jobs
        if str(job.source) not in rows
        or not all(job.output(folder, ending).is_file() for ending in endings)
    ]
    again = {str(_mask_of(job)): job for job in todo}
    for row in rows.values():
        job = again.get(row["mask"])
        if job is not None and _is_another(job.source, Path(row["file"])):
            message = (
                f"{folder / row['mask']} belongs to {row['file']}, and {job.source} would replace "
                "it: choose another folder, or rename one of the images"
            )
            raise UsageError(message)
    kept = [row for row in rows.values() if row["mask"] not in again]
    return todo, [row for row in kept if (folder / row["mask"]).is_file()]


def _mask_of(job: Job) -> PurePosixPath:
    """The mask's path inside the output folder."""
    return job.stem.with_name(f"{job.stem.name}{MASK_ENDING}")


def _is_another(image: Path, earlier: Path) -> bool:
    """Whether two paths name two images that are both there, not one in two spellings."""
    return earlier.exists() and not image.samefile(earlier)
