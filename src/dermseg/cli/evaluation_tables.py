"""The figures of an evaluation as lines of text."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from dermseg.evaluation import (
        ClassFigures,
        Interval,
        PresenceFigures,
        ProtocolFigures,
        QualityFigures,
    )

__all__ = ["class_lines", "interval_lines", "presence_lines", "protocol_lines", "quality_lines"]

_INTERVAL = 23


def interval_lines(figures: Mapping[str, Interval | None]) -> Iterator[str]:
    """Yield a line for each figure, with a dash where it is undefined."""
    width = max(map(len, figures), default=0)
    for name, interval in figures.items():
        value = "-"
        if interval is not None:
            value = f"{interval.value:.4f}  [{interval.low:.4f}, {interval.high:.4f}]"
        yield f"{name:>{width}}  {value}"


def protocol_lines(rows: Sequence[ProtocolFigures]) -> Iterator[str]:
    """Yield the lines of a table: figures first, then what they are taken over and why."""
    yield f"{'protocol':>15}  {'Jaccard':>7}  {'Dice':>6}  {'its headline, with its interval':<50}"
    for row in rows:
        protocol = row.protocol
        headline = f"{protocol.prefix}_{protocol.headline} {_with_ends(row.headline)}"
        jaccard, dice = _figure(row, "jaccard"), _figure(row, "dice")
        yield f"{protocol.name:>15}  {jaccard:>7}  {dice:>6}  {headline}"
    yield ""
    for row in rows:
        left_out = len(row.refused) + max(row.num_undefined.values(), default=0)
        note = f"; {left_out} images left out" if left_out else ""
        yield f"{row.protocol.name:>15}  {row.protocol.taken_over}; {row.protocol.empty}{note}"


def quality_lines(figures: QualityFigures) -> Iterator[str]:
    """Yield how many poor masks there are, and what of them is found."""
    from dermseg.evaluation import REVIEW_SHARE
    from dermseg.metrics import JACCARD_THRESHOLD

    yield (
        f"expected quality: {figures.num_poor} of {figures.num_images} masks are poor, below "
        f"{JACCARD_THRESHOLD}"
    )
    least = f"the {REVIEW_SHARE:.0%} with the lowest expected_jaccard"
    yield from interval_lines(
        {
            f"poor masks among {least}": figures.caught,
            f"poor masks among the {figures.num_review} flagged": figures.caught_by_review,
            "mean difference of expected and true Jaccard": figures.mean_error,
        }
    )


def class_lines(rows: Sequence[ClassFigures]) -> Iterator[str]:
    """Yield the lines of a table with a row for all attributes together, then one for each."""
    width = max(len("attribute"), *(len(row.name) for row in rows))
    from dermseg.evaluation import SCORES

    columns = {name: SCORES[name].short for name in ("jaccard", "dice")}
    for name in ("auc", "average_precision"):
        columns[f"pixel_{name}"] = f"pixel {SCORES[name].short} *"
    shown = [name for name in columns if any(name in row.figures for row in rows)]
    head = "".join(f"  {columns[name]:<{_INTERVAL}}" for name in shown)
    yield "by attribute, under isic2018_task2"
    yield f"{'attribute':>{width}}  images  with it{head}".rstrip()
    for row in rows:
        cells = "".join(f"  {_cell(row.figures.get(name)):<{_INTERVAL}}" for name in shown)
        line = f"{row.name:>{width}}  {row.num_images:>6}  {row.num_present:>7}{cells}"
        yield line.rstrip()
    if "pixel_auc" in shown:
        yield "* of the probabilities of all pixels of all images, without any threshold"


def presence_lines(figures: PresenceFigures) -> Iterator[str]:
    """Yield the lines of a table of which images show an attribute, and what follows from it."""
    yield f"which of {figures.num_images} images show it, by one score for each image"
    if figures.classes:
        yield from _presence_table(figures)
    for name in figures.undecided:
        yield f"{name}: all images are known to show it, or all not to: nothing to tell apart"


def _figure(row: ProtocolFigures, score: str) -> str:
    """A score as its users would call it, e.g. their class mean where they know no other."""
    for name in (score, f"class_mean_{score}", f"{score}_as_accuracy"):
        if (value := row.figures.get(f"{row.protocol.prefix}_{name}")) is not None:
            return f"{value.value:.4f}"
    return "-"


def _with_ends(value: Interval | None) -> str:
    return "-" if value is None else f"{value.value:.4f} [{value.low:.4f}, {value.high:.4f}]"


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
