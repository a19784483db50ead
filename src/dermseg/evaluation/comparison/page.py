"""A comparison as one HTML page that needs no other file."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from dermseg.evaluation.comparison.outcome import Comparison, Difference, PairTest
from dermseg.evaluation.comparison.pictures import SideBySide
from dermseg.evaluation.comparison.summarizing import summarize
from dermseg.evaluation.comparison.words import describe_images, format_p_value
from dermseg.evaluation.intervals import NUM_RESAMPLES
from dermseg.evaluation.score_table import SCORES
from dermseg.pages.cells import axis_cell, axis_over, draw_sorted, interval_cell
from dermseg.pages.parts import embed_picture
from dermseg.pages.templating import render_page
from dermseg.storage import write_bytes_atomically

__all__ = ["write_page"]

_MAX_CURVES = 6


def write_page(
    path: Path,
    comparison: Comparison,
    pictures: Sequence[SideBySide],
    *,
    notes: Sequence[str] = (),
) -> None:
    """Write the ranking, the pairs, the pictures and all scores as one page.

    Args:
        path: The file, ``.html``.
        comparison: What came out.
        pictures: The images to show, as far as they are found.
        notes: What to say of pictures that are not there.

    Raises:
        OutputError: If it cannot be written.
    """
    summary = summarize(comparison)
    sections = [
        ("ranking", "Ranking"),
        ("pairs", "Paired differences"),
        ("images", "Image by image"),
        ("pictures", "Side by side"),
        ("scores", "All scores"),
        ("setup", "How this was made"),
    ]
    page = render_page(
        "comparison.html.j2",
        {
            "sections": sections,
            "comparison": comparison,
            "score": SCORES[comparison.score].label,
            "images": describe_images(comparison),
            "evaluations": summary["evaluations"],
            "conclusions": summary["conclusions"],
            "warnings": summary["warnings"],
            "notes": notes,
            "ranking": _ranking(comparison),
            "pairs": _pairs(comparison),
            "curves": _curves(comparison),
            "pictures": [_picture(picture, comparison) for picture in pictures],
            "num_resamples": f"{NUM_RESAMPLES:,}",
            "scores": [
                {
                    "name": SCORES[name].label,
                    "rows": [_figures(row) for row in rows],
                    "less": SCORES[name].better == "lower",
                }
                for name, rows in comparison.differences.items()
            ],
        },
    )
    write_bytes_atomically(path, page.encode())


def _ranking(comparison: Comparison) -> Mapping[str, Any]:
    axis = axis_over(ranked.mean for ranked in comparison.ranking)
    others = [
        name
        for name in ("dice", "cross_entropy")
        if name != comparison.score and name in comparison.differences
    ]
    return {
        "others": [SCORES[name].label for name in others],
        "axis": axis_cell(axis, num_ticks=6),
        "rows": [
            {
                "name": ranked.name,
                "mean": f"{ranked.mean.value:.4f}",
                "ends": f"{ranked.mean.low:.4f} to {ranked.mean.high:.4f}",
                "letters": ranked.letters,
                "plot": interval_cell(ranked.mean, axis),
                "others": [f"{ranked.other_means[name].value:.4f}" for name in others],
            }
            for ranked in comparison.ranking
        ],
    }


def _pairs(comparison: Comparison) -> Mapping[str, Any]:
    axis = axis_over((pair.difference.mean for pair in comparison.pairs), with_zero=True)
    return {
        "axis": axis_cell(axis, num_ticks=6),
        "rows": [
            {
                **_figures(pair.difference),
                "plot": interval_cell(pair.difference.mean, axis, reference=0),
                "p": format_p_value(pair.adjusted_p_value),
                "verdict": _verdict(pair),
                "told_apart": pair.told_apart,
            }
            for pair in comparison.pairs
        ],
    }


def _verdict(pair: PairTest) -> str:
    if pair.told_apart:
        return f"{pair.difference.first} is better"
    return "mean and test disagree" if pair.contradicts else "cannot be told apart"


def _figures(difference: Difference) -> dict[str, Any]:
    mean = difference.mean
    return {
        "first": difference.first,
        "second": difference.second,
        "value": f"{mean.value:+.4f}",
        "ends": f"{mean.low:+.4f} to {mean.high:+.4f}",
        "wins": difference.num_wins,
        "ties": difference.num_ties,
        "losses": difference.num_losses,
    }


def _curves(comparison: Comparison) -> list[Mapping[str, Any]]:
    """The differences of every image, for the first pairs of the ranking."""
    scores = {
        entry.name: entry.scores[comparison.score] for entry in comparison.aligned.evaluations
    }
    chosen = [pair.difference for pair in comparison.pairs[:_MAX_CURVES]]
    sign = 1 if comparison.higher_is_better else -1
    differences = [sign * (scores[pair.first] - scores[pair.second]) for pair in chosen]
    finite = [values[~np.isnan(values)] for values in differences]
    reach = max(float(np.abs(values).max()) for values in finite) or 1.0
    return [
        {
            **_figures(pair),
            "plot": draw_sorted(values, reach=reach),
            "most": f"{max(values.max(), 0):.3g}",
            "least": f"{max(-values.min(), 0):.3g}",
        }
        for pair, values in zip(chosen, finite, strict=True)
    ]


def _picture(picture: SideBySide, comparison: Comparison) -> Mapping[str, Any]:
    names = [ranked.name for ranked in comparison.ranking]
    return {
        "id": picture.id,
        "truth": embed_picture(picture.truth),
        "masks": [
            {
                "name": name,
                "score": f"{score:.3f}",
                "source": mask is not None and embed_picture(mask),
            }
            for name, mask, score in zip(names, picture.masks, picture.scores, strict=True)
        ],
    }
