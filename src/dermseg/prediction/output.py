"""The output folder of a prediction: masks, overlays, table, and what made them."""

from __future__ import annotations

import json
import time
from collections import deque
from collections.abc import Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import AbstractContextManager, closing, nullcontext
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from dermseg.errors import ImageError, OutputError, UsageError
from dermseg.images import (
    is_whole,
    remove_leftovers,
    write_bytes_atomically,
    write_image,
    write_mask,
    write_probability,
)
from dermseg.prediction.appending import AppendedFile
from dermseg.prediction.coco import COCO, LINES, kept_lines, line_of, read_names, write_coco
from dermseg.prediction.inputs import (
    MASK_ENDING,
    OVERLAY_ENDING,
    PROBABILITY_ENDING,
    Job,
)
from dermseg.prediction.parquet import PARQUET, copy_as_parquet, is_installed
from dermseg.prediction.prediction import Prediction
from dermseg.prediction.predictor import Predictor, default_workers
from dermseg.prediction.table import Row, Table, read_rows, row_of_error, row_of_prediction

__all__ = ["Existing", "MaskFormat", "OutputOptions", "open_output", "predict_jobs"]

_RECORD = "predictions.json"
_TABLE = "predictions.csv"
_OVERLAY_SIDE = 1024
# From so many rows on, a table is slow to read as CSV.
_PARQUET_ROWS = 10_000

Existing = Literal["refuse", "overwrite", "skip"]
MaskFormat = Literal["png", "coco"]


@dataclass(frozen=True)
class OutputOptions:
    """What is written for each image.

    Attributes:
        overlay: Write ``NAME_overlay.jpg``.
        probability: Write ``NAME_probability.png``.
        spacing_mm: Width of a pixel in millimetres, for measurements in mm.
        masks: ``png`` writes ``NAME_segmentation.png``; ``coco`` no file for each image, but
            ``predictions.jsonl`` as the run goes on and ``predictions.coco.json`` at its end.
    """

    overlay: bool = True
    probability: bool = False
    spacing_mm: float | None = None
    masks: MaskFormat = "png"

    @property
    def endings(self) -> list[str]:
        """Endings of the files that each image gets."""
        optional = (
            (self.masks == "png", MASK_ENDING),
            (self.overlay, OVERLAY_ENDING),
            (self.probability, PROBABILITY_ENDING),
        )
        return [ending for wanted, ending in optional if wanted]


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
    if existing == "refuse":
        _refuse_existing(folder, jobs, options)
    elif existing == "skip" and folder.is_dir():
        _check_record(folder, predictor, options)
        todo, rows = _unfinished(folder, jobs, options)
    try:
        for parent in {job.output(folder, MASK_ENDING).parent for job in jobs} | {folder}:
            parent.mkdir(parents=True, exist_ok=True)
            remove_leftovers(parent)
        # Before the record changes: no old row may ever stand under a new record.
        kept = () if existing == "skip" else (_TABLE, LINES)
        for name in (*kept, COCO, PARQUET):
            (folder / name).unlink(missing_ok=True)
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
        Table(folder / _TABLE, kept) as table,
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
        write_coco(folder, predictor.spec.classes)
    if len(kept) + len(jobs) >= _PARQUET_ROWS and is_installed():
        copy_as_parquet(folder / _TABLE)


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
    with predictor.room.hold(result.size[0] * result.size[1] * len(result.classes)):
        started = time.perf_counter()
        if options.overlay:
            picture = result.overlay(max_side=_OVERLAY_SIDE)
            write_image(job.output(folder, OVERLAY_ENDING), picture)
        if options.probability:
            write_probability(job.output(folder, PROBABILITY_ENDING), result.probability)
        name, line = _mask_of(job, options), b""
        # The mask last: where it is, everything is.
        if options.masks == "coco":
            line = line_of(name, result)
        else:
            write_mask(job.output(folder, MASK_ENDING), result.mask)
        row = row_of_prediction(job.source, name, result, spacing_mm=options.spacing_mm)
        row["seconds"] = result.seconds + time.perf_counter() - started
        return row, line


def _record(predictor: Predictor, options: OutputOptions) -> dict[str, Any]:
    """All that masks and rows depend on besides the images, as JSON gives it back."""
    record = {
        "model": predictor.spec.name,
        "onnx_sha256": predictor.spec.onnx_sha256,
        "postprocessing": predictor.postprocessing.model_dump(mode="json"),
        "spacing_mm": options.spacing_mm,
        "precision": predictor.runtime.precision,
    }
    if options.masks != "png":
        record["masks"] = options.masks
    return record


def _refuse_existing(folder: Path, jobs: Sequence[Job], options: OutputOptions) -> None:
    outputs = (job.output(folder, ending) for job in jobs for ending in options.endings)
    ours = (folder / name for name in (_TABLE, LINES, COCO, PARQUET))
    existing = [path for path in (*outputs, *ours) if path.exists()]
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
    folder: Path, jobs: Sequence[Job], options: OutputOptions
) -> tuple[list[Job], list[dict[str, str]]]:
    """Jobs without a good row and all of their files, and the good rows of all other images."""
    rows = {row["file"]: row for row in read_rows(folder / _TABLE) if not row["error"]}
    names = read_names(folder / LINES) if options.masks == "coco" else set[str]()
    todo = [
        job
        for job in jobs
        if str(job.source) not in rows
        or not all(is_whole(job.output(folder, ending)) for ending in options.endings)
        or (options.masks == "coco" and _mask_of(job, options) not in names)
    ]
    again = {_mask_of(job, options): job for job in todo}
    for row in rows.values():
        job = again.get(row["mask"])
        if job is not None and _is_another(job.source, Path(row["file"])):
            message = (
                f"{folder / row['mask']} belongs to {row['file']}, and {job.source} would replace "
                "it: choose another folder, or rename one of the images"
            )
            raise UsageError(message)
    kept = [row for row in rows.values() if row["mask"] not in again]
    if options.masks == "coco":
        return todo, [row for row in kept if row["mask"] in names]
    return todo, [row for row in kept if is_whole(folder / row["mask"])]


def _mask_of(job: Job, options: OutputOptions) -> str:
    """The mask's path inside the output folder, or the image's name among many in one file."""
    if options.masks == "coco":
        return str(job.stem.with_name(job.source.name))
    return str(job.stem.with_name(f"{job.stem.name}{MASK_ENDING}"))


def _is_another(image: Path, earlier: Path) -> bool:
    """Whether two paths name two images that are both there, not one in two spellings."""
    return earlier.exists() and not image.samefile(earlier)
