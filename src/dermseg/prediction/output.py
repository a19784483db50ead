"""Predict image after image, and write the files of each."""

from __future__ import annotations

import logging
import time
from collections import deque
from collections.abc import Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import ExitStack, closing
from dataclasses import dataclass

from dermseg.errors import ImageError
from dermseg.images import may_be_dicom, read_spacing
from dermseg.prediction.contact_sheet import ContactSheet, draw_thumbnail
from dermseg.prediction.inputs import Job
from dermseg.prediction.measurements import attribute_cells
from dermseg.prediction.naming import INDEX
from dermseg.prediction.output_folder import OutputOptions
from dermseg.prediction.parquet import copy_as_parquet, is_installed
from dermseg.prediction.prediction import Prediction
from dermseg.prediction.predictor import Predictor, default_workers
from dermseg.prediction.table import Row, Table, row_of_error, row_of_prediction
from dermseg.prediction.writers import LESION, OVERLAY_SIDE, MaskFormat
from dermseg.storage import Appender, Location, Sink, open_sink

__all__ = ["predict_jobs"]

_logger = logging.getLogger(__name__)

# From so many rows on, a table is slow to read as CSV.
_PARQUET_ROWS = 10_000


@dataclass(frozen=True)
class _Written:
    """The result of writing all files of an image.

    Attributes:
        row: Its row of the table.
        line: Its line in the file of all masks, if there is one.
        thumbnail: Its picture on the contact sheet, if there is one.
    """

    row: Row
    line: bytes = b""
    thumbnail: bytes = b""


def predict_jobs(
    predictor: Predictor,
    jobs: Sequence[Job],
    folder: Location,
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
    of the whole run is written: COCO, the contact sheet, and the table as Parquet if it is long and
    polars is there.

    Args:
        predictor: The model.
        jobs: What to predict, as :func:`open_output` returned it.
        folder: The output folder, or another storage to write to.
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
    sink, attributes = open_sink(folder), predictor.spec.attributes
    results = predictor.predict_many(
        (job.source for job in jobs),
        batch_size=batch_size,
        workers=workers,
        image_side=OVERLAY_SIDE if options.overlay else max(predictor.spec.input_size),
        force=options.force,
        on_error="return",
    )
    sheet = _open_sheet(sink, predictor, options, kept)
    waiting: deque[tuple[Job, Future[_Written]]] = deque()
    with ExitStack() as stack:
        table = stack.enter_context(Table(sink, kept, attributes=attributes))
        lines = _open_lines(sink, options.mask_format, kept, stack)
        stack.enter_context(closing(results))
        pool = stack.enter_context(ThreadPoolExecutor(workers, thread_name_prefix="dermseg-write"))
        try:
            for job, result in zip(jobs, results, strict=True):
                waiting.append((job, pool.submit(_write, job, result, sink, options, predictor)))
                # What waits is small; it bridges the time of an inference.
                if len(waiting) > batch_size + workers:
                    yield _finish(waiting, table, lines, sheet)
            while waiting:
                yield _finish(waiting, table, lines, sheet)
        finally:
            for _, future in waiting:
                future.cancel()
    options.mask_format.complete(sink, [LESION, *attributes])
    if sheet is not None:
        sink.write(INDEX, sheet.render())
    if len(kept) + len(jobs) >= _PARQUET_ROWS and is_installed():
        copy_as_parquet(sink)


def _open_sheet(
    sink: Sink, predictor: Predictor, options: OutputOptions, kept: Sequence[dict[str, str]]
) -> ContactSheet | None:
    """Begin the contact sheet, if there is to be one, with what an earlier run left."""
    if not options.index:
        return None
    sheet = ContactSheet(sink, predictor.spec.name, overlays=options.overlay)
    for row in kept:
        sheet.add(row)
    return sheet


def _open_lines(
    sink: Sink, masks: type[MaskFormat], kept: Sequence[dict[str, str]], stack: ExitStack
) -> Appender | None:
    """Open the file of all masks, if there is one; it begins with what an earlier run left."""
    if masks.lines is None:
        return None
    start = masks.kept_lines(sink, {row["mask"] for row in kept})
    return stack.enter_context(sink.append(masks.lines, start))


def _finish(
    waiting: deque[tuple[Job, Future[_Written]]],
    table: Table,
    lines: Appender | None,
    sheet: ContactSheet | None,
) -> tuple[Job, Row]:
    job, future = waiting.popleft()
    written = future.result()
    # As with files, the row last: where it is, everything is.
    if lines is not None:
        lines.add(written.line)
    table.add_row(written.row)
    if sheet is not None:
        sheet.add(written.row, written.thumbnail)
    if "error" not in written.row:
        _logger.debug("%s: %.3f s", job.source, written.row["seconds"])
    return job, written.row


def _write(
    job: Job,
    result: Prediction | ImageError,
    sink: Sink,
    options: OutputOptions,
    predictor: Predictor,
) -> _Written:
    """Write the files of one image."""
    if isinstance(result, ImageError):
        return _Written(row_of_error(str(job.source), result))
    if result.refusal is not None and not options.force:
        error = ImageError(str(job.source), result.refusal)
        thumbnail = draw_thumbnail(result) if options.index else b""
        return _Written(row_of_error(str(job.source), error), thumbnail=thumbnail)
    # The lesion is held beside each of the attributes in turn.
    num_classes = 2 if result.attributes else 1
    with predictor.memory.hold(result.size[0] * result.size[1] * num_classes):
        try:
            return _write_files(job, result, sink, options)
        except ImageError as error:  # of a format that does not suit this image
            return _Written(row_of_error(str(job.source), error))


def _write_files(job: Job, result: Prediction, sink: Sink, options: OutputOptions) -> _Written:
    started = time.perf_counter()
    masks = options.mask_format(sink, job, result)
    # The mask last: where it is, everything is.
    writers = [*(writer(sink, job, result) for writer in options.extra_writers), masks]
    cells: Row = {}
    for name in result.attributes:
        probability, mask = result.class_at_native_size(name)
        for writer in writers:
            writer.add_attribute(name, probability, mask)
        cells |= attribute_cells(name, mask, result.mask, result.presence[name])
    for writer in writers:
        writer.finish()
    spacing_mm = options.spacing_mm
    if spacing_mm is None and may_be_dicom(job.source.name):
        spacing_mm = read_spacing(job.source)
    row = row_of_prediction(str(job.source), masks.mask_name(job), result, spacing_mm=spacing_mm)
    row |= cells
    thumbnail = draw_thumbnail(result) if options.index else b""
    row["seconds"] = result.seconds + time.perf_counter() - started
    return _Written(row, masks.line, thumbnail)
