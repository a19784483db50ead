"""Predict image after image, and write the files of each."""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import AbstractContextManager, closing, nullcontext
from pathlib import Path

from dermseg.errors import ImageError
from dermseg.images import write_image, write_mask, write_probability
from dermseg.prediction.attribute_output import write_attributes
from dermseg.prediction.attribute_overlay import draw_attributes
from dermseg.prediction.coco import LINES, entry_of, kept_lines, line_of, write_coco
from dermseg.prediction.inputs import MASK_ENDING, OVERLAY_ENDING, PROBABILITY_ENDING, Job
from dermseg.prediction.output_folder import TABLE, OutputOptions, mask_name
from dermseg.prediction.parquet import copy_as_parquet, is_installed
from dermseg.prediction.prediction import EXPERIMENTAL, Prediction
from dermseg.prediction.predictor import Predictor, default_workers
from dermseg.prediction.table import Row, Table, row_of_error, row_of_prediction
from dermseg.storage.appending import AppendedFile
from dermseg.types import BoolMask, ImageArray

__all__ = ["predict_jobs"]

_LESION = "lesion"
_OVERLAY_SIDE = 1024
# From so many rows on, a table is slow to read as CSV.
_PARQUET_ROWS = 10_000


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
    """Predict and write images in order; one that fails does not stop the rest.

    An image that cannot be read fails, and one that the model was not made for.

    Masks are written by threads, while the next images are read and predicted. What is held does
    not grow with the number of images, and little with their size. When all is done, what is made
    of the whole run is written: COCO, and the table as Parquet if it is long and polars is there.

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
    waiting: deque[tuple[Job, Future[tuple[Row, bytes]]]] = deque()
    with (
        Table(folder / TABLE, kept, attributes=predictor.spec.attributes) as table,
        _open_lines(folder, options, kept) as lines,
        closing(results),
        ThreadPoolExecutor(workers, thread_name_prefix="dermseg-write") as pool,
    ):
        try:
            for job, result in zip(jobs, results, strict=True):
                waiting.append((job, pool.submit(_write, job, result, folder, options, predictor)))
                # What waits is small; it bridges the time of an inference.
                if len(waiting) > batch_size + workers:
                    yield _finish(waiting, table, lines)
            while waiting:
                yield _finish(waiting, table, lines)
        finally:
            for _, future in waiting:
                future.cancel()
    if options.masks == "coco":
        write_coco(folder, [_LESION, *predictor.spec.attributes])
    if len(kept) + len(jobs) >= _PARQUET_ROWS and is_installed():
        copy_as_parquet(folder / TABLE)


def _open_lines(
    folder: Path, options: OutputOptions, kept: Sequence[dict[str, str]]
) -> AbstractContextManager[AppendedFile | None]:
    if options.masks == "png":
        return nullcontext()
    path = folder / LINES
    return AppendedFile(path, kept_lines(path, {row["mask"] for row in kept}))


def _finish(
    waiting: deque[tuple[Job, Future[tuple[Row, bytes]]]], table: Table, lines: AppendedFile | None
) -> tuple[Job, Row]:
    job, future = waiting.popleft()
    row, line = future.result()
    # As with files, the row last: where it is, everything is.
    if lines is not None:
        lines.add(line)
    table.add_row(row)
    return job, row


def _write(
    job: Job,
    result: Prediction | ImageError,
    folder: Path,
    options: OutputOptions,
    predictor: Predictor,
) -> tuple[Row, bytes]:
    """Write the files of one image; its row, and its line of COCO masks if they are wanted."""
    if isinstance(result, ImageError):
        return row_of_error(job.source, result), b""
    if result.refusal is not None and not options.force:
        return row_of_error(job.source, ImageError(str(job.source), result.refusal)), b""
    # The lesion is held beside each of the attributes in turn.
    num_classes = 2 if result.attributes else 1
    with predictor.memory.hold(result.size[0] * result.size[1] * num_classes):
        started = time.perf_counter()
        written = write_attributes(
            result,
            job,
            folder,
            as_files=options.masks == "png",
            probability=options.probability,
            picture_side=_OVERLAY_SIDE,
        )
        if options.overlay:
            picture = _draw(result, written.pictures)
            write_image(job.output(folder, OVERLAY_ENDING), picture)
        if options.probability:
            write_probability(job.output(folder, PROBABILITY_ENDING), result.probability)
        name, line = mask_name(job, options), b""
        # The mask last: where it is, everything is.
        if options.masks == "coco":
            lesion = entry_of(_LESION, result.mask)
            line = line_of(name, result.size, [lesion, *written.entries])
        else:
            write_mask(job.output(folder, MASK_ENDING), result.mask)
        row = row_of_prediction(job.source, name, result, spacing_mm=options.spacing_mm)
        row |= written.columns
        row["seconds"] = result.seconds + time.perf_counter() - started
        return row, line


def _draw(result: Prediction, masks: Mapping[str, BoolMask]) -> ImageArray:
    """The overlay, from masks that have been made and reduced."""
    if not masks:
        return result.overlay(max_side=_OVERLAY_SIDE)
    note = EXPERIMENTAL if result.experimental else ""
    return draw_attributes(result.image, masks, result.mask, max_side=_OVERLAY_SIDE, note=note)
