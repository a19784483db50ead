"""Paired comparison of evaluations."""

from __future__ import annotations

from collections.abc import Mapping
from itertools import combinations

import numpy as np
from numpy.typing import NDArray

from dermseg.errors import UsageError
from dermseg.evaluation.comparison.aligning import Aligned
from dermseg.evaluation.comparison.outcome import (
    Comparison,
    Difference,
    PairTest,
    Ranked,
)
from dermseg.evaluation.comparison.significance import (
    holm,
    letters,
    mean_of_groups,
    signed_ranks,
)
from dermseg.evaluation.intervals import Interval, bootstrap_means
from dermseg.evaluation.score_table import SCORES

__all__ = ["compare"]

_TOLERANCES = ("normalized_surface_distance", "relative_normalized_surface_distance")
# Equal scores stay equal when their difference is rounded, and share a rank.
_DECIMALS = 12


def compare(aligned: Aligned, *, score: str = "jaccard", seed: int = 0) -> Comparison:
    """Compare models on the same images, each with each.

    Intervals resample whole groups, and the test takes one value per group, its mean. Only
    ``score`` is tested, so that no choice among many tests is left to the reader.

    Args:
        aligned: From `align`.
        score: What to rank and test by.
        seed: Seed of the intervals.

    Raises:
        UsageError: If not every evaluation has the score, or no image has it in all of them.
    """
    shared, warnings = _comparable(aligned)
    if score not in shared:
        raise UsageError(_no_score(aligned, score, tuple(shared)))
    order = _rank(shared[score], lower=SCORES[score].better == "lower")
    names = [aligned.names[position] for position in order]
    pairs = list(combinations(range(len(names)), 2))
    intervals = _intervals(
        {name: _with_differences(values[order], pairs) for name, values in shared.items()},
        aligned.groups,
        seed,
    )
    differences = {
        name: tuple(
            _difference(name, names, pair, shared[name][order], intervals[name][len(names) + k])
            for k, pair in enumerate(pairs)
        )
        for name in shared
    }
    tests = _test(shared[score][order], pairs, aligned.groups, differences[score])
    apart = [pair for pair, test in zip(pairs, tests, strict=True) if test.told_apart]
    ranking = [
        Ranked(
            name,
            intervals[score][place],
            marks,
            {other: ends[place] for other, ends in intervals.items() if other != score},
        )
        for place, (name, marks) in enumerate(zip(names, letters(len(names), apart), strict=True))
    ]
    undefined = {
        name: dict(zip(aligned.names, np.isnan(values).sum(axis=1).tolist(), strict=True))
        for name, values in shared.items()
        if np.isnan(values).any()
    }
    return Comparison(
        score,
        aligned,
        int(_defined(shared[score]).sum()),
        tuple(ranking),
        tests,
        differences,
        undefined,
        (*warnings, *_undefined_lines(shared, undefined)),
    )


_Scores = NDArray[np.float64]
"""A score of K models on N images, (K, N); NaN where it is undefined."""


def _comparable(aligned: Aligned) -> tuple[dict[str, _Scores], list[str]]:
    """The scores that all evaluations have and measured alike, and what to say of the others."""
    evaluations = aligned.evaluations
    every = dict.fromkeys(name for evaluation in evaluations for name in evaluation.scores)
    shared, warnings = {}, []
    for name in every:
        lacking = [entry.name for entry in evaluations if name not in entry.scores]
        tolerances = {str(entry.summary.tolerances.get(name)) for entry in evaluations}
        if lacking:
            warnings.append(f"{name} is not compared: {', '.join(lacking)} has none")
        elif name in _TOLERANCES and len(tolerances) > 1:
            warnings.append(
                f"{name} is not compared: its tolerances differ ({', '.join(sorted(tolerances))})"
            )
        else:
            values = np.stack([entry.scores[name] for entry in evaluations])
            if _defined(values).any():
                shared[name] = values
            else:
                warnings.append(f"{name} is not compared: no image has it in every evaluation")
    return shared, warnings


def _no_score(aligned: Aligned, score: str, there: tuple[str, ...]) -> str:
    lacking = [entry.name for entry in aligned.evaluations if score not in entry.scores]
    if len(lacking) == len(aligned.evaluations):
        state = "no evaluation has such a score"
    elif lacking:
        state = f"{', '.join(lacking)} has none"
    else:
        state = "it was measured with other tolerances, or is undefined on every image"
    return f"--score {score}: {state}. All evaluations have: {', '.join(there)}"


def _defined(values: _Scores) -> NDArray[np.bool_]:
    """(N,) bool: the images on which every model has the score."""
    return np.asarray(~np.isnan(values).any(axis=0))


def _rank(values: _Scores, *, lower: bool) -> list[int]:
    means = values[:, _defined(values)].mean(axis=1)
    return sorted(range(len(means)), key=lambda row: means[row] if lower else -means[row])


def _with_differences(values: _Scores, pairs: list[tuple[int, int]]) -> _Scores:
    """The scores of the models, and below them the differences of the pairs."""
    return np.concatenate([values, [values[first] - values[second] for first, second in pairs]])


def _intervals(
    tables: Mapping[str, _Scores], groups: tuple[str, ...] | None, seed: int
) -> dict[str, list[Interval]]:
    """Intervals of each row of each table, over the images on which every model has the score."""
    rows = [np.where(_defined(table), table, np.nan) for table in tables.values()]
    found = bootstrap_means(np.concatenate(rows), groups=groups, seed=seed)
    means = [mean for mean in found if mean is not None]  # all: `_comparable` left out the others
    height = len(rows[0])
    return {
        name: means[number * height : (number + 1) * height] for number, name in enumerate(tables)
    }


def _difference(
    score: str, names: list[str], pair: tuple[int, int], values: _Scores, mean: Interval
) -> Difference:
    first, second = pair
    gained = np.round(values[first] - values[second], _DECIMALS)[_defined(values)]
    if SCORES[score].better == "lower":
        gained = -gained
    return Difference(
        score,
        names[first],
        names[second],
        mean,
        num_wins=int((gained > 0).sum()),
        num_ties=int((gained == 0).sum()),
        num_losses=int((gained < 0).sum()),
    )


def _test(
    values: _Scores,
    pairs: list[tuple[int, int]],
    groups: tuple[str, ...] | None,
    differences: tuple[Difference, ...],
) -> tuple[PairTest, ...]:
    defined = _defined(values)
    results = []
    for first, second in pairs:
        gained = (values[first] - values[second])[defined]
        if groups is not None:
            gained = mean_of_groups(gained, np.asarray(groups)[defined].tolist())
        results.append(signed_ranks(np.round(gained, _DECIMALS)))
    adjusted = holm([result.p_value for result in results])
    return tuple(
        PairTest(difference, ranks, p_value)
        for difference, ranks, p_value in zip(differences, results, adjusted, strict=True)
    )


def _undefined_lines(
    shared: Mapping[str, _Scores], undefined: Mapping[str, Mapping[str, int]]
) -> list[str]:
    lines = []
    for name, counts in undefined.items():
        num_images = shared[name].shape[1]
        num_left_out = num_images - int(_defined(shared[name]).sum())
        who = ", ".join(f"{model} {number}" for model, number in counts.items() if number)
        lines.append(
            f"{num_left_out} of {num_images} images have no {name} in every evaluation and are "
            f"left out of it (without: {who})"
        )
    return lines
