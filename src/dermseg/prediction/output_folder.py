"""The output folder of a prediction: what belongs into it, and what an earlier run left there."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, Literal

from dermseg.errors import OutputError, UsageError
from dermseg.images import is_whole
from dermseg.prediction.coco import COCO, LINES, read_names
from dermseg.prediction.inputs import (
    MASK_ENDING,
    OVERLAY_ENDING,
    PROBABILITY_ENDING,
    Job,
    attribute_ending,
    attribute_probability_ending,
)
from dermseg.prediction.parquet import PARQUET
from dermseg.prediction.predictor import Predictor
from dermseg.prediction.table import read_rows
from dermseg.storage import remove_leftovers, write_bytes_atomically

__all__ = ["TABLE", "Existing", "MaskFormat", "OutputOptions", "mask_name", "open_output"]

TABLE: Final = "predictions.csv"
_RECORD = "predictions.json"

Existing = Literal["refuse", "overwrite", "skip"]
MaskFormat = Literal["png", "coco"]


@dataclass(frozen=True)
class OutputOptions:
    """What is written for each image.

    Attributes:
        overlay: Write ``NAME_overlay.jpg``.
        probability: Write ``NAME_probability.png``, and for each attribute
            ``NAME_attribute_CLASS_probability.png``.
        spacing_mm: Width of a pixel in millimetres, for measurements in mm.
        masks: ``png`` writes ``NAME_segmentation.png``; ``coco`` no file for each image, but
            ``predictions.jsonl`` as the run goes on and ``predictions.coco.json`` at its end.
        force: Also write masks of images that the model was not made for.
    """

    overlay: bool = True
    probability: bool = False
    spacing_mm: float | None = None
    masks: MaskFormat = "png"
    force: bool = False

    def endings(self, attributes: Sequence[str]) -> list[str]:
        """Endings of the files that each image gets.

        Args:
            attributes: Those that the model finds.
        """
        optional = (
            (self.masks == "png", (MASK_ENDING, *map(attribute_ending, attributes))),
            (self.overlay, (OVERLAY_ENDING,)),
            (
                self.probability,
                (PROBABILITY_ENDING, *map(attribute_probability_ending, attributes)),
            ),
        )
        return [ending for wanted, endings in optional if wanted for ending in endings]


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
        todo, rows = _unfinished(folder, jobs, options, attributes)
    try:
        for parent in {job.output(folder, MASK_ENDING).parent for job in jobs} | {folder}:
            parent.mkdir(parents=True, exist_ok=True)
            remove_leftovers(parent)
        # Before the record changes: no old row may ever stand under a new record.
        kept = () if existing == "skip" else (TABLE, LINES)
        for name in (*kept, COCO, PARQUET):
            (folder / name).unlink(missing_ok=True)
    except OSError as error:
        message = f"{folder}: the folder cannot be made or written: {error.strerror}"
        raise OutputError(message) from error
    record = json.dumps(_record(predictor, options), indent=1) + "\n"
    write_bytes_atomically(folder / _RECORD, record.encode())
    return todo, rows


def mask_name(job: Job, options: OutputOptions) -> str:
    """The mask's path inside the output folder, or the image's name among many in one file."""
    if options.masks == "coco":
        return str(job.stem.with_name(job.source.name))
    return str(job.stem.with_name(f"{job.stem.name}{MASK_ENDING}"))


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


def _refuse_existing(folder: Path, jobs: Sequence[Job], endings: Sequence[str]) -> None:
    outputs = (job.output(folder, ending) for job in jobs for ending in endings)
    ours = (folder / name for name in (TABLE, LINES, COCO, PARQUET))
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
    folder: Path, jobs: Sequence[Job], options: OutputOptions, attributes: Sequence[str]
) -> tuple[list[Job], list[dict[str, str]]]:
    """Jobs without a good row and all of their files, and the good rows of all other images."""
    endings = options.endings(attributes)
    rows = {row["file"]: row for row in read_rows(folder / TABLE, attributes) if not row["error"]}
    names = read_names(folder / LINES) if options.masks == "coco" else set[str]()
    todo = [
        job
        for job in jobs
        if str(job.source) not in rows
        or not all(is_whole(job.output(folder, ending)) for ending in endings)
        or (options.masks == "coco" and mask_name(job, options) not in names)
    ]
    again = {mask_name(job, options): job for job in todo}
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


def _is_another(image: Path, earlier: Path) -> bool:
    """Whether two paths name two images that are both there, not one in two spellings."""
    return earlier.exists() and not image.samefile(earlier)
