"""Evaluate predicted masks: from files, from a dataset, or as they are predicted."""

from __future__ import annotations

import warnings
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path

from dermseg.datasets import Dataset, Source, find_split, open_source
from dermseg.datasets.pairing import files_by_id
from dermseg.errors import DatasetError, RunError, UsageError
from dermseg.evaluation.image_score import (
    ImageScore,
    Measures,
    image_of,
)
from dermseg.evaluation.leaks import Checks, EvaluationWarning, check_leaks
from dermseg.evaluation.matching import (
    ImageFiles,
    Matching,
    Skipped,
    match_folders,
    match_samples,
    with_images,
)
from dermseg.evaluation.results import Evaluation, summarize
from dermseg.evaluation.scoring import (
    Item,
    PixelPool,
    score_item,
    score_pairs,
)
from dermseg.images import find_images
from dermseg.types import Sample

__all__ = [
    "check_evaluation",
    "choose_samples",
    "evaluate_masks",
    "evaluate_predictions",
    "evaluate_samples",
    "metadata_of",
]

_PLAIN = Measures()
_USUAL = Checks()


def evaluate_masks(
    truth_dir: Path,
    predictions_dir: Path,
    *,
    images_dir: Path | None = None,
    measures: Measures = _PLAIN,
    seed: int = 0,
    checks: Checks = _USUAL,
) -> Evaluation:
    """Evaluate a folder of predicted masks against a folder of true masks, matched by id.

    Args:
        truth_dir: Masks named as in `match_folders`; a folder or a ZIP archive.
        predictions_dir: The same; files without a truth are ignored with a warning.
        images_dir: Folder of the photographs, named NAME.jpg or the like, for ``statistics`` and
            for pictures; images that are not in it are not missed.
        measures: What is measured besides overlap.
        seed: Seed of the confidence intervals.
        checks: What is warned of, or refused.

    Raises:
        DatasetError: If a folder is missing or empty, two images have one id, or not a single
            image can be scored.
        RunError: If the checks are strict and refuse.
    """
    matching = match_folders(truth_dir, predictions_dir)
    if images_dir is not None:
        matching = with_images(matching, _find_images(images_dir))
    result = _evaluate_matching(matching, groups={}, measures=measures, seed=seed)
    return check_evaluation(result, checks, predictions=predictions_dir)


def evaluate_samples(
    samples: Sequence[Sample],
    predictions_dir: Path,
    *,
    measures: Measures = _PLAIN,
    seed: int = 0,
    checks: Checks = _USUAL,
) -> Evaluation:
    """Evaluate a folder of predicted masks against samples, e.g. ``dataset.part("test")``.

    The confidence intervals resample whole groups.

    Raises:
        DatasetError: If the folder is missing, or not a single image can be scored.
        RunError: If the checks are strict and refuse.
    """
    groups = {sample.id: sample.group for sample in samples}
    matching = match_samples(samples, predictions_dir)
    result = _evaluate_matching(matching, groups=groups, measures=measures, seed=seed)
    result = replace(result, metadata=metadata_of(samples))
    return check_evaluation(result, checks, predictions=predictions_dir)


def choose_samples(
    source: Source,
    part: str | None = None,
    *,
    split_file: Path | None = None,
    groups: Path | None = None,
) -> tuple[Dataset, list[Sample]]:
    """Return a dataset, and its images of a part, or all.

    Args:
        source: Where the images are.
        part: Of the split; None and ``all`` take all images.
        split_file: Defines the parts instead of the official or a seeded split.
        groups: Table of the images' groups, as for `open_source`.

    Raises:
        DatasetError: If the dataset or the split cannot be read.
        UsageError: If there is no such part, or a split file without a part.
    """
    dataset = open_source(source, groups=groups)
    samples = list(dataset.samples)
    if part is not None and part != "all":
        split = find_split(dataset, split_file=split_file)
        if part not in split.parts:
            message = (
                f"{source}: no part '{part}'; the split's parts are {', '.join(split.parts)}, and "
                "all"
            )
            raise UsageError(message)
        ids = set(split.parts[part])
        samples = [sample for sample in samples if sample.id in ids]
    elif part is None and split_file is not None:
        message = f"--split-file {split_file} was given without --split: name the part to evaluate"
        raise UsageError(message)
    return dataset, samples


def check_evaluation(
    result: Evaluation, checks: Checks, *, predictions: Path | None = None
) -> Evaluation:
    """Add what the model has seen of the images, and refuse what strict checks refuse.

    Args:
        result: What came out.
        checks: Which model, and how strict to be.
        predictions: The folder of the masks, where the model is not known.

    Raises:
        RunError: If the checks are strict, and the model has seen one of the images or a mask is
            not in order.
    """
    if result.leaks is None:
        ids = sorted({image_of(score.id) for score in result.scores})
        result = replace(result, leaks=check_leaks(checks, ids, predictions=predictions))
    if checks.strict and (result.num_problems or result.looks_inverted):
        for warning in result.warnings:
            warnings.warn(warning, EvaluationWarning, stacklevel=3)
        message = (
            f"{result.num_problems} masks are not in order ({result.outcome}), and --strict was "
            "given: nothing was written"
        )
        raise RunError(message)
    return result


def metadata_of(samples: Iterable[Sample]) -> dict[str, Mapping[str, str]]:
    """Return what is known of each sample, by id; samples of which nothing is are left out."""
    return {sample.id: sample.metadata for sample in samples if sample.metadata}


def evaluate_predictions(
    items: Iterable[Item],
    *,
    groups: Mapping[str, str] | None = None,
    measures: Measures = _PLAIN,
    seed: int = 0,
    checks: Checks = _USUAL,
) -> Evaluation:
    """Evaluate masks as they come, e.g. from a model, one at a time in memory.

    Args:
        items: What was predicted, see `Item`. One that cannot be scored is skipped and named.
        groups: The group of each id for the confidence intervals; None makes every image a group.
        measures: What is measured besides overlap.
        seed: Seed of the confidence intervals.
        checks: What is warned of, or refused.

    Raises:
        DatasetError: If an id comes twice, or not a single image can be scored.
        RunError: If the checks are strict and refuse.
    """
    results: dict[str, ImageScore | Skipped] = {}
    pool = PixelPool()
    for result in pool.take(score_item(item, measures) for item in items):
        if result.id in results:
            raise DatasetError(f"the id '{result.id}' was predicted twice; ids must be unique")
        results[result.id] = result
    evaluation = summarize(
        results.values(), pool, groups=groups or {}, measures=measures, seed=seed
    )
    return check_evaluation(evaluation, checks)


def _evaluate_matching(
    matching: Matching, *, groups: Mapping[str, str], measures: Measures, seed: int
) -> Evaluation:
    pool = PixelPool()
    results = [*matching.skipped, *pool.take(score_pairs(matching.pairs, measures))]
    result = summarize(
        results, pool, extra=matching.extra, groups=groups, measures=measures, seed=seed
    )
    files = {
        pair.id: ImageFiles(pair.image, pair.truth, pair.prediction) for pair in matching.pairs
    }
    return replace(result, files=files)


def _find_images(folder: Path) -> dict[str, Path]:
    if not folder.is_dir():
        state = "is not a folder" if folder.exists() else "no such folder"
        raise DatasetError(f"{folder}: {state}. Give the folder that holds the photographs.")
    return files_by_id(find_images(folder), lambda path: path.stem)
