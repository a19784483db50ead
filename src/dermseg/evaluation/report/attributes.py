"""The tables of attributes on the page of an evaluation."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from dermseg.evaluation.attribute_figures import ClassFigures, PresenceFigures
from dermseg.evaluation.intervals import Interval
from dermseg.pages.cells import axis_cell, interval_cell
from dermseg.pages.scales import Axis, fit_axis

__all__ = ["class_table", "presence_table"]

_UNIT = Axis(0, 1)


def class_table(classes: Iterable[ClassFigures]) -> dict[str, Any]:
    """The figures of each class, with a plot of its Jaccard index."""
    rows = [
        {
            "name": row.name.replace("_", " "),
            "num_images": row.num_images,
            "num_present": row.num_present,
            "plot": interval_cell(row.figures["jaccard"], _UNIT),
            **{
                key: row.figures.get(key)
                for key in ("jaccard", "dice", "pixel_auc", "pixel_average_precision")
            },
        }
        for row in classes
    ]
    return {"axis": axis_cell(_UNIT), "rows": rows}


def presence_table(figures: PresenceFigures | None) -> dict[str, Any] | None:
    """How well images are told apart, with a plot of the difference to the lesion's area."""
    if figures is None:
        return None
    differences = [row.difference for row in figures.classes if row.difference is not None]
    axis = _axis_around_zero(differences)
    rows = [
        {
            "name": row.name.replace("_", " "),
            "num_images": row.num_images,
            "num_present": row.num_present,
            "auc": row.auc,
            "average_precision": row.average_precision,
            "area_auc": row.area_auc,
            "area_means_more": row.area_means_more,
            "difference": row.difference,
            "beats_area": row.beats_area,
            "plot": row.difference and interval_cell(row.difference, axis, reference=0.0),
        }
        for row in figures.classes
    ]
    return {
        "axis": axis_cell(axis),
        "rows": rows,
        "num_images": figures.num_images,
        "area_from": figures.area_from,
        "undecided": [name.replace("_", " ") for name in figures.undecided],
    }


def _axis_around_zero(intervals: list[Interval]) -> Axis:
    ends = [end for interval in intervals for end in (interval.low, interval.high)]
    return fit_axis([0.0, *ends], lowest=-1.0)
