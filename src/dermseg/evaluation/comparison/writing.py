"""A comparison as files: a summary, and a table of the images with a column per model."""

from __future__ import annotations

import csv
import io
import json
import math
from collections.abc import Iterable
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np
import polars

from dermseg.errors import OutputError
from dermseg.evaluation.comparison.results import Comparison, Difference, PairTest, Ranked
from dermseg.evaluation.comparison.words import conclusions, coverage_warnings
from dermseg.images import write_bytes_atomically

__all__ = ["most_different", "summarize", "write_comparison"]


def summarize(comparison: Comparison, *, num_images: int = 12) -> dict[str, Any]:
    """Return a comparison as plain values, ready for JSON.

    Args:
        comparison: What came out.
        num_images: How many images to name on which the models differ most.

    Returns:
        ``score``, ``higher_is_better``, ``num_images``, ``num_groups``; ``evaluations``;
        ``ranking``, best first; ``pairs`` with their tests; ``differences``, the pairs by score;
        ``conclusions`` in words; ``most_different``, images with the score of each model;
        ``num_undefined``; ``warnings``.
    """
    aligned = comparison.aligned
    return {
        "score": comparison.score,
        "higher_is_better": comparison.higher_is_better,
        "num_images": comparison.num_images,
        "num_groups": comparison.num_groups,
        "evaluations": [
            {
                "name": evaluation.name,
                "folder": str(evaluation.folder),
                **evaluation.summary.model_dump(exclude={"tolerances"}),
                "num_left_out": len(left_out),
            }
            for evaluation, left_out in zip(aligned.evaluations, aligned.left_out, strict=True)
        ],
        "ranking": [_ranked(place, row) for place, row in enumerate(comparison.ranking, start=1)],
        "pairs": [_tested(pair) for pair in comparison.pairs],
        "differences": {
            name: [_compared(difference) for difference in differences]
            for name, differences in comparison.differences.items()
        },
        "conclusions": conclusions(comparison),
        "most_different": most_different(comparison, num_images),
        "num_undefined": {name: dict(counts) for name, counts in comparison.num_undefined.items()},
        "warnings": [*coverage_warnings(aligned), *comparison.warnings],
    }


def most_different(comparison: Comparison, num_images: int) -> list[dict[str, Any]]:
    """Return the images on which the best and the worst model differ most in the score.

    Returns:
        At most ``num_images`` images, each ``id``, ``range`` and ``scores`` by model in the order
        of the ranking; the largest range first. Images without any difference are not there.
    """
    aligned = comparison.aligned
    by_name = {entry.name: entry.scores[comparison.score] for entry in aligned.evaluations}
    values = np.stack([by_name[ranked.name] for ranked in comparison.ranking])
    ranges = np.ptp(values, axis=0)
    # NaN, where a model has no score, compares as not larger.
    rows = sorted(np.flatnonzero(ranges > 0), key=lambda row: (-ranges[row], aligned.ids[row]))
    return [
        {
            "id": aligned.ids[row],
            "range": float(ranges[row]),
            "scores": {
                ranked.name: float(value)
                for ranked, value in zip(comparison.ranking, values[:, row], strict=True)
            },
        }
        for row in rows[:num_images]
    ]


def write_comparison(folder: Path, comparison: Comparison, *, num_images: int = 12) -> None:
    """Write ``comparison.json``, ``scores.csv`` and the same as ``scores.parquet``.

    The table has a row per image and, for the score of the comparison, Dice and cross-entropy, a
    column per model in the order of the ranking: ``dice NAME`` and so on; empty where a score is
    undefined, and no column where a model was evaluated without.

    Args:
        folder: Where to write; it is made if it is missing.
        comparison: What came out.
        num_images: As for `summarize`.

    Raises:
        OutputError: If the folder or a file cannot be written.
    """
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise OutputError(f"{folder}: the folder cannot be made: {error.strerror}") from error
    text = json.dumps(summarize(comparison, num_images=num_images), indent=2, allow_nan=False)
    columns = _per_image(comparison)
    parquet = io.BytesIO()
    polars.DataFrame(columns).write_parquet(parquet)
    write_bytes_atomically(folder / "scores.csv", _as_csv(columns))
    write_bytes_atomically(folder / "scores.parquet", parquet.getvalue())
    write_bytes_atomically(folder / "comparison.json", f"{text}\n".encode())


def _ranked(place: int, row: Ranked) -> dict[str, Any]:
    return {
        "rank": place,
        "name": row.name,
        "mean": asdict(row.mean),
        "letters": row.letters,
        "other_means": {name: asdict(mean) for name, mean in row.other_means.items()},
    }


def _compared(difference: Difference) -> dict[str, Any]:
    content = asdict(difference)
    content["difference"] = content.pop("mean")
    del content["score"]
    return content


def _tested(pair: PairTest) -> dict[str, Any]:
    return {
        **_compared(pair.difference),
        "p_value": pair.ranks.p_value,
        "adjusted_p_value": pair.adjusted_p_value,
        "rank_balance": pair.ranks.balance,
        "told_apart": pair.told_apart,
        "contradicts": pair.contradicts,
    }


def _per_image(comparison: Comparison) -> dict[str, list[Any]]:
    aligned = comparison.aligned
    by_name = {entry.name: entry.scores for entry in aligned.evaluations}
    columns: dict[str, list[Any]] = {"id": list(aligned.ids)}
    if aligned.groups is not None:
        columns["group"] = list(aligned.groups)
    for score in dict.fromkeys((comparison.score, "dice", "cross_entropy")):
        for ranked in comparison.ranking:
            if score in by_name[ranked.name]:
                values = by_name[ranked.name][score].tolist()
                columns[f"{score} {ranked.name}"] = [
                    None if math.isnan(value) else value for value in values
                ]
    return columns


def _as_csv(columns: dict[str, list[Any]]) -> bytes:
    table = io.StringIO()
    writer = csv.writer(table, lineterminator="\n")
    rows: Iterable[tuple[Any, ...]] = zip(*columns.values(), strict=True)
    writer.writerow(columns)
    writer.writerows(rows)
    return table.getvalue().encode()
