"""The figures of attributes as lines of text."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from dermseg.evaluation import ClassFigures, Interval, PresenceFigures

__all__ = ["class_lines", "presence_lines"]

_INTERVAL = 23


def class_lines(rows: Sequence[ClassFigures]) -> Iterator[str]:
    """Yield the lines of a table with a row for all attributes together, then one for each."""
    width = max(len("attribute"), *(len(row.name) for row in rows))
    from dermseg.evaluation import SCORES

    columns = {name: SCORES[name].short for name in ("jaccard", "dice")}
    for name in ("auc", "average_precision"):
        columns[f"pixel_{name}"] = f"pixel {SCORES[name].short} *"
    shown = [name for name in columns if any(name in row.figures for row in rows)]
    head = "".join(f"  {columns[name]:<{_INTERVAL}}" for name in shown)
    yield f"{'attribute':>{width}}  images  with it{head}".rstrip()
    for row in rows:
        cells = "".join(f"  {_cell(row.figures.get(name)):<{_INTERVAL}}" for name in shown)
        line = f"{row.name:>{width}}  {row.num_images:>6}  {row.num_present:>7}{cells}"
        yield line.rstrip()
    if "pixel_auc" in shown:
        yield "* of the probabilities, without any threshold"


def presence_lines(figures: PresenceFigures) -> Iterator[str]:
    """Yield the lines of a table of which images show an attribute, and what follows from it."""
    yield f"which of {figures.num_images} images show it, by one score for each image"
    if figures.classes:
        yield from _presence_table(figures)
    for name in figures.undecided:
        yield f"{name}: all images are known to show it, or all not to: nothing to tell apart"


def _presence_table(figures: PresenceFigures) -> Iterator[str]:
    width = max(len("attribute"), *(len(row.name) for row in figures.classes))
    head = ("AUC", "AP", "AUC of area alone", "difference")
    yield (
        f"{'attribute':>{width}}  images  with it"
        + "".join(f"  {name:<{_INTERVAL}}" for name in head).rstrip()
    )
    for row in figures.classes:
        intervals = (row.auc, row.average_precision, row.area_auc, row.difference)
        cells = "".join(f"  {_cell(interval):<{_INTERVAL}}" for interval in intervals)
        note = "" if row.area_means_more else "  smallest lesions first"
        line = f"{row.name:>{width}}  {row.num_images:>6}  {row.num_present:>7}{cells}"
        yield f"{line.rstrip()}{note}"
    compared = [row for row in figures.classes if row.beats_area is not None]
    if compared:
        yield f"area: share of the image, of {figures.area_from}"
        better = [row.name for row in compared if row.beats_area]
        others = [row.name for row in compared if not row.beats_area]
        yield f"better than area alone: {', '.join(better) or 'none'}"
        yield f"not shown to be better than area alone: {', '.join(others) or 'none'}"


def _cell(interval: Interval | None) -> str:
    if interval is None:
        return "-"
    return f"{interval.value:.3f} [{interval.low:.3f}, {interval.high:.3f}]"
