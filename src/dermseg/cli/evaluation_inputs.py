"""What ``dermseg evaluate`` is given to score: folders of masks, or a model and a dataset."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import typer

from dermseg.errors import RunError, UsageError

if TYPE_CHECKING:
    from dermseg.datasets import Dataset, Source
    from dermseg.evaluation import Evaluation, Leaks, Measures
    from dermseg.evaluation.leaks import AuditedPair
    from dermseg.types import Sample

__all__ = ["check_call", "score_masks", "score_model", "score_samples", "with_leaks"]


def check_call(
    truth: Path | None,
    predictions: Path | None,
    model: str | None,
    data: Path | None,
    images: Path | None,
    masks: Path | None,
    split: str | None,
    presence: Path | None,
) -> None:
    """Refuse options that contradict each other, or that are not enough."""
    if predictions is not None and presence is not None:
        message = (
            f"--presence {presence} and --predictions {predictions} were given: which images show "
            "an attribute is judged by probabilities, so give --model instead of --predictions"
        )
        raise UsageError(message)
    if predictions is not None and model is not None:
        message = f"--predictions {predictions} and --model {model} were given: give one of them"
        raise UsageError(message)
    if truth is not None:
        clashing = {"--data": data, "--masks": masks, "--split": split, "--model": model}
        given = [f"{name} {value}" for name, value in clashing.items() if value is not None]
        if given:
            message = (
                f"--truth {truth} and {given[0]} were given: both say what to score against; give "
                "--truth with --predictions and perhaps --images, or leave it out"
            )
            raise UsageError(message)
        if predictions is None:
            message = (
                "give --truth and --predictions together: "
                f"--truth {truth} was given without --predictions"
            )
            raise UsageError(message)
    elif not (data and split) and not (data is None and (images or masks)):
        message = (
            "give --truth and --predictions; or --data, --split and perhaps --model or "
            "--predictions; or --images, --masks and perhaps --model or --predictions"
        )
        raise UsageError(message)


def score_masks(
    truth: Path, predictions: Path, images: Path | None, measures: Measures
) -> tuple[Evaluation, dict[str, str]]:
    """Score folders of masks; also say what they were, for the summary."""
    from dermseg.evaluation import evaluate_masks

    about = {"truth": str(truth), "predictions": str(predictions)}
    if images is not None:
        about["images"] = str(images)
    return evaluate_masks(truth, predictions, images_dir=images, measures=measures), about


def score_samples(
    source: Source,
    part: str | None,
    split_file: Path | None,
    predictions: Path,
    measures: Measures,
) -> tuple[Evaluation, dict[str, str]]:
    """Score masks against a part of a dataset, or all of it; also say what they were."""
    from dermseg.evaluation import evaluate_samples

    dataset, samples = _choose_samples(source, part, split_file)
    result = evaluate_samples(samples, predictions, measures=measures)
    about = {"dataset": dataset.origin, "part": part or "all", "predictions": str(predictions)}
    return result, about


def score_model(
    model: str | None,
    source: Source,
    part: str | None,
    split_file: Path | None,
    measures: Measures,
    masks_dir: Path,
    *,
    presence_file: Path | None,
    pairs: Sequence[AuditedPair],
    strict: bool,
) -> tuple[Evaluation, dict[str, str]]:
    """Predict and score a part of a dataset, or all of it; also say what they were."""
    from dermseg.datasets.presence import read_presence
    from dermseg.evaluation import evaluate_model, find_leaks
    from dermseg.prediction import load_model

    dataset, samples = _choose_samples(source, part, split_file)
    predictor = load_model(model)
    presence = None
    if presence_file is not None:
        presence = read_presence(presence_file, predictor.spec.attributes or predictor.spec.classes)
    about = {"model": predictor.spec.name, "dataset": dataset.origin, "part": part or "all"}
    leaks = find_leaks(predictor.spec, [sample.id for sample in samples], dataset, pairs=pairs)
    _warn_of_leaks(leaks, strict=strict)
    result = evaluate_model(
        predictor, samples, measures=measures, masks_dir=masks_dir, presence=presence
    )
    return replace(result, leaks=leaks), about


def _choose_samples(
    source: Source, part: str | None, split_file: Path | None
) -> tuple[Dataset, list[Sample]]:
    """Return the dataset, and its images of the part, or all."""
    from dermseg.datasets import find_split, open_source

    dataset = open_source(source)
    samples = list(dataset.samples)
    if part is not None:
        split = find_split(dataset, split_file=split_file)
        if part not in split.parts:
            message = f"{source}: no part '{part}'; the split's parts are {', '.join(split.parts)}"
            raise UsageError(message)
        ids = set(split.parts[part])
        samples = [sample for sample in samples if sample.id in ids]
    elif split_file is not None:
        message = f"--split-file {split_file} was given without --split: name the part to evaluate"
        raise UsageError(message)
    return dataset, samples


def with_leaks(
    result: Evaluation, predictions: Path, pairs: Sequence[AuditedPair], *, strict: bool
) -> Evaluation:
    """Add what the model that made the predictions has seen of the images, if it is known."""
    from dermseg.evaluation import find_predictions_leaks
    from dermseg.evaluation.image_score import image_of

    ids = sorted({image_of(score.id) for score in result.scores})
    leaks = find_predictions_leaks(predictions, ids, pairs=pairs)
    _warn_of_leaks(leaks, strict=strict)
    return replace(result, leaks=leaks)


def _warn_of_leaks(leaks: Leaks | None, *, strict: bool) -> None:
    """Say at once that the figures will be no test result, or refuse to make them."""
    if leaks is None or not leaks.num_seen:
        return
    typer.echo(f"warning: {leaks.warnings[0]}", err=True)
    if strict:
        message = (
            f"{leaks.num_seen} of the {leaks.num_images} images are not new to the model, and "
            "--strict was given: nothing was written; evaluate it on other images"
        )
        raise RunError(message)
