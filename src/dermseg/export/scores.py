"""Scores for a model card, from an evaluation's folder."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from dermseg.errors import UsageError
from dermseg.package import Score
from dermseg.storage import read_json

__all__ = ["read_score"]

Figures = Mapping[str, Mapping[str, float]]

_CLASS_NAMES = {"jaccard": "pooled_jaccard", "dice": "pooled_dice"}
_PRESENCE_NAMES = {
    "auc": "presence_auc",
    "average_precision": "presence_average_precision",
    "area_auc": "area_auc",
    "difference": "difference",
}


def read_score(evaluation: Path, *, used_for_selection: bool = False) -> Score:
    """Read the score that an evaluation folder's ``summary.json`` holds.

    For lesions these are means over images. For attributes they are figures over all pixels, and
    figures of which images show them, one for each class: ``pooled_jaccard_globules``,
    ``presence_auc_globules``.

    Raises:
        UsageError: If there is no such summary.
    """
    try:
        summary = read_json(evaluation / "summary.json")
        is_of_classes = "classes" in summary or "presence" in summary
        figures = dict(_of_classes(summary) if is_of_classes else summary["aggregates"].items())
        return Score(
            on=f"{summary['dataset']} {summary['part']}",
            num_images=_count_images(summary) if is_of_classes else summary["num_scored"],
            used_for_selection=used_for_selection,
            values={
                name: (found["value"], found["low"], found["high"])
                for name, found in figures.items()
            },
        )
    except (UsageError, ValueError, KeyError, TypeError, AttributeError) as error:
        message = f"{evaluation}: no summary.json of an evaluation of a model on a dataset: {error}"
        raise UsageError(message) from error


def _of_classes(summary: Mapping[str, Any]) -> Iterator[tuple[str, Mapping[str, float]]]:
    for row, found in summary.get("classes", {}).items():
        ending = "" if row == "all" else f"_{row}"
        for measure, value in found["figures"].items():
            yield f"{_CLASS_NAMES.get(measure, measure)}{ending}", value
    for row, found in summary.get("presence", {}).get("classes", {}).items():
        for measure, name in _PRESENCE_NAMES.items():
            if found[measure] is not None:
                yield f"{name}_{row}", found[measure]


def _count_images(summary: Mapping[str, Any]) -> int:
    rows = [summary["classes"]["all"]] if "classes" in summary else []
    rows += [summary["presence"]] if "presence" in summary else []
    return max(int(row["num_images"]) for row in rows)
