"""An evaluation as files: a table of the images, a summary, and the masks that are kept."""

from __future__ import annotations

import contextlib
import io
import json
import math
import secrets
import shutil
from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

from dermseg.csv_text import encode_csv
from dermseg.errors import MissingExtraError, OutputError, UsageError
from dermseg.evaluation.attribute_figures import THRESHOLD_FREE, ClassFigures
from dermseg.evaluation.figures import ProtocolFigures, measured
from dermseg.evaluation.image_score import (
    BORDER_WIDTH,
    STATISTICS,
    Histograms,
    attribute_of,
    image_of,
    probability_scores,
)
from dermseg.evaluation.matching import FILES_NAME, read_files, write_files
from dermseg.evaluation.results import Evaluation
from dermseg.evaluation.score_table import OVERLAP_SCORES
from dermseg.storage import make_folder, write_bytes_atomically

try:
    import polars
except ImportError as error:
    raise MissingExtraError("evaluation", "eval") from error

__all__ = ["StagedMasks", "staged_masks", "summary", "write_evaluation"]

_COUNTS = ("tp", "fp", "fn", "tn")
_MASKS = "masks"


def summary(evaluation: Evaluation, *, about: Mapping[str, str] | None = None) -> dict[str, Any]:
    """Return the figures of an evaluation as plain values, ready for JSON.

    Args:
        evaluation: What came out.
        about: What was evaluated, e.g. ``{"model": ..., "dataset": ..., "part": ...}``.

    Returns:
        ``protocol``, ``num_scored``, ``num_skipped``, ``aggregates`` (for each name ``value``,
        ``low`` and ``high``), ``warnings``, and the keys of ``about``. ``num_extra`` and
        ``num_questionable`` count predictions without truth and scored images whose files are
        odd; ``problems`` names every one of these and the skipped images. With border distances
        ``tolerances``, with probabilities ``pooled`` (scores of the pixels of all images), with
        protocols ``protocols``, with a known model ``training_overlap`` (see `Leaks`). With
        attributes ``classes`` (see `ClassFigures`) and, if it is known which images show them,
        ``presence`` (see `PresenceFigures`). If the model expects something of its masks,
        ``quality`` (see `QualityFigures`).
    """
    content = {
        **(about or {}),
        "protocol": evaluation.protocol,
        "num_scored": evaluation.num_scored,
        "num_skipped": evaluation.num_skipped,
        "num_extra": len(evaluation.extra),
        "num_questionable": evaluation.num_questionable,
        "aggregates": {name: asdict(value) for name, value in evaluation.aggregates.items()},
        "warnings": list(evaluation.warnings),
        "problems": _problems(evaluation),
    }
    if evaluation.leaks is not None:
        content["training_overlap"] = evaluation.leaks.as_json()
    if evaluation.measures.boundary:
        content["tolerances"] = {
            "normalized_surface_distance": evaluation.measures.tolerance,
            "relative_normalized_surface_distance": evaluation.measures.relative_tolerance,
        }
    if (pooled := evaluation.pooled_probabilities) is not None:
        content["pooled"] = _pooled(pooled)
    if evaluation.classes:
        content["classes"] = {row.name: _class(row) for row in evaluation.classes}
    if evaluation.presence is not None:
        content["presence"] = evaluation.presence.as_json()
    if evaluation.quality is not None:
        content["quality"] = evaluation.quality.as_json()
    if evaluation.protocols:
        content["protocols"] = {
            figures.protocol.name: _figures(figures) for figures in evaluation.protocols
        }
    return content


def write_evaluation(
    folder: Path, evaluation: Evaluation, *, about: Mapping[str, str] | None = None
) -> None:
    """Write ``per_image.csv``, the same as ``.parquet``, ``files.csv`` and ``summary.json``.

    The table has one row per scored image, or per image and attribute, sorted by id: pixel counts
    and scores in full precision, under the rules of the protocol ``isic`` whichever was asked
    for; empty where one is undefined. Skipped images are in the summary; ``files.csv`` says where
    the masks and images are, see `write_files`.

    Args:
        folder: Where to write; it is made if it is missing, and files of an earlier evaluation
            are replaced.
        evaluation: What came out.
        about: See `summary`.

    Raises:
        OutputError: If the folder or a file cannot be written.
    """
    make_folder(folder)
    text = json.dumps(summary(evaluation, about=about), indent=2, allow_nan=False)
    columns = _per_image(evaluation)
    # File names may hold bytes that are no text, and so may ids.
    rows = zip(*columns.values(), strict=True)
    table = encode_csv(columns, rows, errors="backslashreplace")
    parquet = io.BytesIO()
    for name in columns.keys() & {"id", "image", "group"}:
        columns[name] = [id.encode(errors="backslashreplace").decode() for id in columns[name]]
    polars.DataFrame(columns).write_parquet(parquet)
    write_bytes_atomically(folder / "per_image.csv", table)
    write_bytes_atomically(folder / "per_image.parquet", parquet.getvalue())
    write_files(folder, [score.id for score in evaluation.scores], evaluation.files)
    write_bytes_atomically(folder / "summary.json", f"{text}\n".encode())


@dataclass(frozen=True)
class StagedMasks:
    """A folder to write masks to.

    Attributes:
        folder: The evaluation's folder.
        path: Where to write; it is gone when the work is over.
    """

    folder: Path
    path: Path

    def keep(self, evaluation: Evaluation) -> Evaluation:
        """Move the masks of the scored images to ``masks``, and those of an earlier one away.

        Returns:
            The evaluation with the new places of its files.

        Raises:
            OutputError: If a file cannot be moved.
        """
        final = self.folder / _MASKS
        files = {
            id: replace(known, prediction=final / known.prediction.name)
            if isinstance(known.prediction, Path) and known.prediction.parent == self.path
            else known
            for id, known in evaluation.files.items()
        }
        earlier = [known.prediction for known in read_files(self.folder).values()]
        try:
            final.mkdir(exist_ok=True)
            for known in files.values():
                if isinstance(known.prediction, Path) and known.prediction.parent == final:
                    (self.path / known.prediction.name).replace(known.prediction)
            kept = {known.prediction for known in files.values()}
            for old in earlier:
                if isinstance(old, Path) and old.parent == final and old not in kept:
                    old.unlink(missing_ok=True)
        except OSError as error:
            message = f"{final}: the masks cannot be moved there: {error.strerror}"
            raise OutputError(message) from error
        return replace(evaluation, files=files)


@contextlib.contextmanager
def staged_masks(folder: Path) -> Iterator[StagedMasks]:
    """Make a folder for masks, and take it away again with what was not kept.

    Args:
        folder: The evaluation's folder; made if it is missing, and taken away again if nothing
            was put in it.

    Raises:
        UsageError: If it holds a folder ``masks`` that is not from an evaluation.
        OutputError: If a folder cannot be made.
    """
    masks = folder / _MASKS
    if masks.exists() and not (folder / FILES_NAME).is_file():
        message = f"{masks} is already there and not from an evaluation: choose another folder"
        raise UsageError(message)
    staging = folder / f".dermseg-{secrets.token_hex(8)}.tmp"
    was_there = folder.exists()
    try:
        # Of evaluations that were killed; whoever evaluates into a folder holds it.
        for leftover in folder.glob(".dermseg-*.tmp"):
            shutil.rmtree(leftover, ignore_errors=True)
        staging.mkdir(parents=True)
    except OSError as error:
        message = f"{folder}: the folder cannot be made or written: {error.strerror}"
        raise OutputError(message) from error
    try:
        yield StagedMasks(folder, staging)
    finally:
        shutil.rmtree(staging, ignore_errors=True)
        if not was_there:
            with contextlib.suppress(OSError):
                folder.rmdir()


def _per_image(evaluation: Evaluation) -> dict[str, list[Any]]:
    """The columns of the table; None where a score is undefined."""
    scores = evaluation.scores
    columns: dict[str, list[Any]] = {"id": [score.id for score in scores]}
    if evaluation.classes:
        columns["image"] = [image_of(score.id) for score in scores]
        columns["class"] = [attribute_of(score.id) for score in scores]
    if evaluation.groups:
        columns["group"] = [evaluation.groups.get(score.id, score.id) for score in scores]
    for name in _COUNTS:
        columns[name] = [getattr(score.counts, name) for score in scores]
    shown = STATISTICS if any(score.statistics is not None for score in scores) else ()
    for name in (*OVERLAP_SCORES, *measured(scores), *shown):
        values = (score.value(name) for score in scores)
        columns[name] = [None if math.isnan(value) else value for value in values]
    if evaluation.quality is not None:
        expected = [score.quality for score in scores]
        columns["expected_jaccard"] = [each and each.expected_jaccard for each in expected]
        columns["review"] = [each and int(each.review) for each in expected]
    return columns


def _problems(evaluation: Evaluation) -> list[dict[str, str]]:
    skipped = [
        {"id": skipped.id, "kind": skipped.kind, "what": skipped.reason}
        for skipped in evaluation.skipped
    ]
    extra = [
        {"id": id, "kind": "extra", "what": "a prediction without truth"} for id in evaluation.extra
    ]
    questionable = [
        {"id": score.id, "kind": "questionable", "what": finding}
        for score in evaluation.scores
        for finding in score.findings
    ]
    return [*skipped, *extra, *questionable]


def _pooled(histograms: Histograms) -> dict[str, float | None]:
    scores = {**probability_scores(histograms), "border_width": float(BORDER_WIDTH)}
    return {name: None if math.isnan(value) else value for name, value in scores.items()}


def _class(row: ClassFigures) -> dict[str, Any]:
    return {
        "num_images": row.num_images,
        "num_present": row.num_present,
        "figures": {name: asdict(value) for name, value in row.figures.items()},
        "threshold_free": [name for name in row.figures if name in THRESHOLD_FREE],
    }


def _figures(figures: ProtocolFigures) -> dict[str, Any]:
    protocol = figures.protocol
    return {
        "taken_over": protocol.taken_over,
        "empty": protocol.empty,
        "reference": protocol.reference,
        "headline": f"{protocol.prefix}_{protocol.headline}",
        "num_images": figures.num_images,
        "num_refused": len(figures.refused),
        "num_undefined": dict(figures.num_undefined),
        "figures": {name: asdict(value) for name, value in figures.figures.items()},
    }
