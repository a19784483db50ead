"""A comparison as plain values, ready for JSON."""

from __future__ import annotations

import difflib
from collections.abc import Sequence
from dataclasses import asdict
from typing import Any

import numpy as np

from dermseg.errors import UsageError
from dermseg.evaluation.comparison.outcome import Comparison, Difference, PairTest, Ranked
from dermseg.evaluation.comparison.words import conclusions, coverage_warnings

__all__ = ["most_different", "summarize"]


def summarize(comparison: Comparison, *, images: int | Sequence[str] = 12) -> dict[str, Any]:
    """Return a comparison as plain values, ready for JSON.

    Args:
        comparison: What came out.
        images: How many images to name on which the models differ most; or the ids of those to
            name instead.

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
        "most_different": most_different(comparison, images),
        "num_undefined": {name: dict(counts) for name, counts in comparison.num_undefined.items()},
        "warnings": [*coverage_warnings(aligned), *comparison.warnings],
    }


def most_different(comparison: Comparison, images: int | Sequence[str]) -> list[dict[str, Any]]:
    """Return the images on which the best and the worst model differ most in the score.

    Args:
        comparison: What came out.
        images: At most how many. Ids give these images instead, in their order.

    Returns:
        For each image ``id``, ``range`` and ``scores`` by model in the order of the ranking; the
        largest range first, without images that do not differ.

    Raises:
        UsageError: If an id is none of the images that were compared, or has no such score.
    """
    aligned = comparison.aligned
    by_name = {entry.name: entry.scores[comparison.score] for entry in aligned.evaluations}
    values = np.stack([by_name[ranked.name] for ranked in comparison.ranking])
    ranges = np.ptp(values, axis=0)
    # NaN, where a model has no score, compares as not larger.
    if isinstance(images, int):
        differing = np.flatnonzero(ranges > 0).tolist()
        rows = sorted(differing, key=lambda row: (-ranges[row], aligned.ids[row]))[:images]
    else:
        rows = [_row_of(name, aligned.ids) for name in images]
        undefined = [aligned.ids[row] for row in rows if np.isnan(ranges[row])]
        if undefined:
            message = f"{undefined[0]} has no {comparison.score} in every evaluation"
            raise UsageError(message)
    return [
        {
            "id": aligned.ids[row],
            "range": float(ranges[row]),
            "scores": {
                ranked.name: float(value)
                for ranked, value in zip(comparison.ranking, values[:, row], strict=True)
            },
        }
        for row in rows
    ]


def _row_of(name: str, ids: Sequence[str]) -> int:
    try:
        return ids.index(name.removesuffix(".jpg"))
    except ValueError:
        near = ", ".join(difflib.get_close_matches(name, ids, n=3) or ids[:3])
        message = f"no image '{name}' was compared; there are {len(ids)}, such as {near}"
        raise UsageError(message) from None


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
