"""The output folder of a prediction: what belongs into it, and what an earlier run left there."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from dermseg.errors import UsageError
from dermseg.images import is_whole
from dermseg.prediction.inputs import Job
from dermseg.prediction.naming import COCO, INDEX, PARQUET, RECORD, RUN_FILES
from dermseg.prediction.predictor import Predictor
from dermseg.prediction.table import read_rows
from dermseg.prediction.writers import EXTRA_WRITERS, MASK_FORMATS, MaskFormat, MaskWriter
from dermseg.storage import Location, Sink, StoredFile, open_sink

__all__ = ["Existing", "OutputOptions", "open_output"]

Existing = Literal["refuse", "overwrite", "skip"]


@dataclass(frozen=True)
class OutputOptions:
    """Choice of the files that each image gets.

    Attributes:
        overlay: Write ``NAME_overlay.jpg``.
        probability: Write ``NAME_probability.png``, and for each attribute
            ``NAME_attribute_CLASS_probability.png``.
        spacing_mm: Width of a pixel in millimetres, for measurements in mm.
        masks: A name of ``MASK_FORMATS``. ``png`` writes ``NAME_segmentation.png``; ``coco`` no
            file for each image, but ``predictions.jsonl`` as the run goes on and
            ``predictions.coco.json`` at its end.
        force: Also write masks of images that the model was not made for.
        index: Write ``index.html``, a contact sheet of the run.

    Raises:
        UsageError: If there is no such format of masks.
    """

    overlay: bool = True
    probability: bool = False
    spacing_mm: float | None = None
    masks: str = "png"
    force: bool = False
    index: bool = False

    def __post_init__(self) -> None:
        """Check the format."""
        if self.masks not in MASK_FORMATS:
            names = " or ".join(MASK_FORMATS)
            message = f"the format of masks is '{self.masks}', expected {names}"
            raise UsageError(message)

    @property
    def mask_format(self) -> type[MaskFormat]:
        """The writer of masks."""
        return MASK_FORMATS[self.masks]

    @property
    def extra_writers(self) -> list[type[MaskWriter]]:
        """The writers of the other files of each image."""
        return [writer for name, writer in EXTRA_WRITERS.items() if getattr(self, name)]

    @property
    def run_files(self) -> tuple[str, ...]:
        """Files that a run leaves besides those of each image and the record."""
        return (*RUN_FILES, INDEX) if self.index else RUN_FILES

    def endings(self, attributes: Sequence[str]) -> list[str]:
        """Endings of the files that each image gets.

        Args:
            attributes: Those that the model finds.
        """
        writers = (self.mask_format, *self.extra_writers)
        return [ending for writer in writers for ending in writer.endings(attributes)]


def open_output(
    folder: Location,
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
    sink = open_sink(folder)
    todo, rows = list(jobs), list[dict[str, str]]()
    attributes = predictor.spec.attributes
    if existing == "refuse":
        _refuse_existing(sink, jobs, options, attributes)
    elif existing == "skip" and not sink.is_empty():
        _check_record(sink, predictor, options)
        todo, rows = _unfinished(sink, jobs, options, attributes)
    sink.prepare({str(job.stem.parent) for job in jobs})
    # Before the record changes: no old row may ever stand under a new record.
    for name in (COCO, PARQUET) if existing == "skip" else options.run_files:
        sink.remove(name)
    record = json.dumps(_record(predictor, options), indent=1) + "\n"
    sink.write(RECORD, record.encode())
    return todo, rows


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
    if (predictor.spec.temperature, predictor.spec.bias) != (1, 0):
        record["scaling"] = [predictor.spec.temperature, predictor.spec.bias]
    if options.force:
        record["force"] = True
    estimates = {"quality": predictor.spec.quality, "scope": predictor.spec.out_of_distribution}
    for key, fitted in estimates.items():
        if fitted is not None:
            # Numbers of no meaning to a reader; two runs must only agree on them.
            record[key] = hashlib.sha256(fitted.model_dump_json().encode()).hexdigest()[:16]
    if options.masks != "png":
        record["masks"] = options.masks
    if predictor.lesion is not None:
        lesion = _record(predictor.lesion, options)
        record["lesion_crop"] = (
            predictor.spec.lesion_crop and predictor.spec.lesion_crop.model_dump(mode="json")
        )
        record["lesion"] = {
            key: lesion[key] for key in ("model", "onnx_sha256", "postprocessing", "precision")
        }
    return record


def _refuse_existing(
    sink: Sink, jobs: Sequence[Job], options: OutputOptions, attributes: Sequence[str]
) -> None:
    outputs = (job.key(ending) for job in jobs for ending in options.endings(attributes))
    existing = [key for key in (*outputs, *options.run_files) if sink.exists(key)]
    if existing:
        message = (
            f"{sink.locate(existing[0])} is already there ({len(existing)} such files): choose "
            "another folder, or pass --overwrite or --skip-existing"
        )
        raise UsageError(message)


def _check_record(sink: Sink, predictor: Predictor, options: OutputOptions) -> None:
    try:
        made_by = json.loads(StoredFile(sink, RECORD).read_bytes())
    except PermissionError as error:
        message = f"{sink.locate(RECORD)} cannot be read: {error.strerror}"
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
        reason = f"made by something that left no readable {RECORD}"
    message = (
        f"{sink.locate('')} was {reason}: --skip-existing would mix the two; choose another folder "
        "or pass --overwrite"
    )
    raise UsageError(message)


def _unfinished(
    sink: Sink, jobs: Sequence[Job], options: OutputOptions, attributes: Sequence[str]
) -> tuple[list[Job], list[dict[str, str]]]:
    """Jobs without a good row and all of their files, and the good rows of all other images."""
    endings = options.endings(attributes)
    rows = {row["file"]: row for row in read_rows(sink, attributes) if not row["error"]}
    mask_name = options.mask_format.mask_name
    has_mask = options.mask_format.find_masks(sink)
    todo = [
        job
        for job in jobs
        if str(job.source) not in rows
        or not has_mask(mask_name(job))
        or _is_newer(job, Path(sink.locate(mask_name(job))))
        or not _are_whole(sink, {job.key(ending) for ending in endings} - {mask_name(job)})
    ]
    again = {mask_name(job): job for job in todo}
    for row in rows.values():
        job = again.get(row["mask"])
        if job is not None and job.source.storage.is_other(job.source.key, row["file"]):
            message = (
                f"{sink.locate(row['mask'])} belongs to {row['file']}, and {job.source} would "
                "replace it: choose another folder, or rename one of the images"
            )
            raise UsageError(message)
    others = [row for row in rows.values() if row["mask"] not in again]
    return todo, [row for row in others if has_mask(row["mask"])]


def _is_newer(job: Job, mask: Path) -> bool:
    """Whether an image was changed, or put in place, after its mask; both are local files.

    Renaming a file, or copying it with an older time, sets ctime, which no program can set back.
    """
    try:
        source, made = Path(str(job.source)).stat(), mask.stat()
    except (OSError, ValueError):
        return False  # elsewhere, or among many in one file
    return max(source.st_mtime_ns, source.st_ctime_ns) > made.st_mtime_ns


def _are_whole(sink: Sink, keys: set[str]) -> bool:
    return all(is_whole(StoredFile(sink, key)) for key in keys)
