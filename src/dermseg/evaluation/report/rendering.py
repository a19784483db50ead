"""The report of an evaluation."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from statistics import fmean
from typing import Any, Final

from dermseg.evaluation.intervals import Interval
from dermseg.evaluation.report import content
from dermseg.evaluation.report.attributes import class_table, presence_table
from dermseg.evaluation.report.groups import FEW_IMAGES, Grouping, group_results
from dermseg.evaluation.report.quality import draw_quality
from dermseg.evaluation.results import Evaluation
from dermseg.evaluation.score_table import name_figure
from dermseg.evaluation.writing import summary
from dermseg.pages.cells import axis_cell, interval_cell
from dermseg.pages.scales import Axis, fit_axis
from dermseg.pages.templating import render_page
from dermseg.storage import write_bytes_atomically

__all__ = ["REPORT_NAME", "render_report", "write_report"]

REPORT_NAME: Final = "report.html"


def write_report(
    folder: Path, evaluation: Evaluation, *, about: Mapping[str, str] | None = None
) -> None:
    """Write ``report.html``: one file that needs nothing else, and runs nothing.

    Args:
        folder: The folder of the evaluation; it must exist. An earlier report is replaced.
        evaluation: What came out.
        about: See `summary`.

    Raises:
        OutputError: If the file cannot be written.
    """
    page = render_report(evaluation, about=about)
    write_bytes_atomically(folder / REPORT_NAME, page.encode())


def render_report(evaluation: Evaluation, *, about: Mapping[str, str] | None = None) -> str:
    """Return the report as HTML.

    The figures are those of `summary`. Images are read only for the cases that are shown.
    """
    about = about or {}
    figures = summary(evaluation, about=about)
    # Where attributes are scored, what is measured on an image is no lesion's.
    groupings = () if evaluation.classes or not evaluation.scores else group_results(evaluation)
    probabilities = content.draw_probabilities(evaluation)
    quality = draw_quality(evaluation)
    headline_name = _headline_name(evaluation)
    has_attributes = bool(evaluation.classes) or evaluation.presence is not None
    sections = [
        *([("figures", "Figures")] if headline_name else []),
        *([("attributes", "Attributes")] if has_attributes else []),
        ("images", "What was scored"),
        *([("distributions", "Distributions")] if evaluation.scores else []),
        *([("probabilities", "Probabilities")] if probabilities else []),
        *([("quality", "Expected quality")] if quality else []),
        *([("cases", "Cases")] if evaluation.scores else []),
        *([("groups", "Groups")] if groupings else []),
        *([("protocols", "Protocols")] if len(evaluation.protocols) > 1 else []),
        ("setup", "Setup"),
    ]
    return render_page(
        "evaluation.html.j2",
        {
            "sections": sections,
            "title": _title(about),
            "subtitle": _subtitle(evaluation, about),
            "figures": figures,
            "headline_name": name_figure(headline_name),
            "headline": evaluation.aggregates.get(headline_name),
            "tiles": [
                tile
                for tile in content.list_tiles(evaluation.aggregates)
                if tile[1] is not evaluation.aggregates.get(headline_name)
            ],
            "aggregates": [
                (name_figure(name), name, interval)
                for name, interval in evaluation.aggregates.items()
            ],
            "classes": class_table(evaluation.classes),
            "presence": presence_table(evaluation.presence),
            "outcomes": _outcomes(evaluation),
            "distributions": content.draw_distributions(evaluation),
            "probabilities": probabilities,
            "quality": quality,
            "cases": content.draw_cases(evaluation),
            "groups": _plotted(groupings, evaluation) if groupings else None,
            "few_images": FEW_IMAGES,
            "protocols": _protocols(evaluation),
            "setup": content.describe_setup(evaluation, about),
        },
    )


def _headline_name(evaluation: Evaluation) -> str:
    """The figure that stands first: the Jaccard index, or what the protocol's users rank by.

    Empty where nothing was scored.
    """
    for figures in evaluation.protocols:
        name = f"{figures.protocol.prefix}_{figures.protocol.headline}"
        asked = figures.protocol.name == evaluation.protocol != "isic"
        if asked and name in evaluation.aggregates:
            return name
    first = next(iter(evaluation.aggregates), "")
    return "mean_jaccard" if "mean_jaccard" in evaluation.aggregates else first


def _title(about: Mapping[str, str]) -> str:
    what = ", ".join(about[name] for name in ("dataset", "part") if name in about)
    who = about.get("model") or Path(about.get("predictions", "")).name
    if who and what:
        return f"{who} on {what}"
    return who or what or "Predicted masks"


def _subtitle(evaluation: Evaluation, about: Mapping[str, str]) -> str:
    what = "Masks of a model" if "model" in about else "Masks"
    if not evaluation.scores and evaluation.presence is not None:
        return f"Which of {evaluation.presence.num_images:,} images show what; no mask was scored."
    num_images = evaluation.num_images
    images = "1 image" if num_images == 1 else f"{num_images:,} images"
    if evaluation.classes:
        images = f"{evaluation.num_scored:,} masks of attributes in {images}"
    lesions = {evaluation.groups.get(score.id, score.id) for score in evaluation.scores}
    of = f" of {len(lesions):,} lesions or other groups" if evaluation.is_grouped else ""
    return f"{what} against the truth: {images}{of} scored, {evaluation.num_skipped:,} skipped."


def _outcomes(evaluation: Evaluation) -> list[tuple[str, int, str]]:
    """Counts of images by what became of them, with a word on each."""
    kinds = {
        "missing": "there is no prediction",
        "no truth": "the dataset has no mask",
        "duplicate": "more than one file claims to be the mask",
        "size": "prediction and truth differ in size",
        "unreadable": "a file cannot be read",
    }
    rows = [("scored", evaluation.num_scored, "in every mean")]
    rows += [
        (f"skipped: {kind}", number, kinds.get(kind, ""))
        for kind, number in evaluation.count_skipped().items()
    ]
    if evaluation.extra:
        rows.append(("predictions without truth", len(evaluation.extra), "ignored"))
    rows.append(("questionable", evaluation.num_questionable, "scored, but their files are odd"))
    return rows


def _plotted(groupings: Sequence[Grouping], evaluation: Evaluation) -> dict[str, Any]:
    """The groups with their plots, all on one axis, so that they can be compared."""
    strata = [stratum for grouping in groupings for stratum in grouping.strata]
    axis = _axis_of([stratum.jaccard for stratum in strata])
    overall = fmean(score.jaccard for score in evaluation.scores)
    plots = {
        stratum: interval_cell(stratum.jaccard, axis, reference=overall, weak=stratum.is_small)
        for stratum in strata
    }
    return {"axis": axis_cell(axis), "groupings": groupings, "plots": plots}


def _protocols(evaluation: Evaluation) -> dict[str, Any]:
    """The headlines of the protocols side by side, on one axis."""
    known = [figures.headline for figures in evaluation.protocols if figures.headline is not None]
    axis = _axis_of(known)
    rows = [
        {
            "name": figures.protocol.name,
            "figure": name_figure(f"{figures.protocol.prefix}_{figures.protocol.headline}"),
            "taken_over": figures.protocol.taken_over,
            "empty": figures.protocol.empty,
            "reference": figures.protocol.reference,
            "interval": figures.headline,
            "plot": figures.headline and interval_cell(figures.headline, axis),
            "num_images": figures.num_images,
            "is_shown": figures.protocol.name == evaluation.protocol,
        }
        for figures in evaluation.protocols
    ]
    return {"axis": axis_cell(axis), "rows": rows}


def _axis_of(intervals: list[Interval]) -> Axis:
    return fit_axis([end for interval in intervals for end in (interval.low, interval.high)])
