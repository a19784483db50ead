"""``dermseg evaluate``."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from dermseg.cli.protocol_table import protocol_lines
from dermseg.cli.sources import ImagesOption, MasksOption, choose_source
from dermseg.errors import MissingExtraError, RunError, UsageError

if TYPE_CHECKING:
    from dermseg.datasets import Source
    from dermseg.evaluation import Evaluation, Leaks, Measures
    from dermseg.evaluation.audited import AuditedPair

__all__ = ["evaluate"]


def evaluate(
    output: Annotated[Path, typer.Option("-o", "--output", help="Folder for the evaluation.")],
    truth: Annotated[Path | None, typer.Option(help="Folder or ZIP of true masks.")] = None,
    predictions: Annotated[
        Path | None,
        typer.Option(help="Folder or ZIP of predicted masks, perhaps with NAME_probability.png."),
    ] = None,
    model: Annotated[
        str | None, typer.Option(help="A shipped model's name or a package's folder.")
    ] = None,
    data: Annotated[Path | None, typer.Option(help="Folder of a dataset.")] = None,
    images: ImagesOption = None,
    masks: MasksOption = None,
    split: Annotated[str | None, typer.Option(help="Part to evaluate, e.g. validation.")] = None,
    split_file: Annotated[
        Path | None, typer.Option(help="Split file that defines the part.")
    ] = None,
    protocol: Annotated[
        str, typer.Option(help="Whose rules make the figures: a name, NAME:VALUE, or 'all'.")
    ] = "isic",
    no_boundary: Annotated[
        bool, typer.Option("--no-boundary", help="Do not measure border distances: faster.")
    ] = False,
    tolerance: Annotated[
        float, typer.Option(min=0, help="Pixels that the normalised surface distance allows.")
    ] = 3.0,
    audit: Annotated[
        Path | None,
        typer.Option(help="pairs.csv of 'data audit': images whose copy the model has seen."),
    ] = None,
    strict: Annotated[
        bool, typer.Option("--strict", help="Write nothing unless every mask is in order.")
    ] = False,
    as_json: Annotated[
        bool, typer.Option("--json", help="Print summary.json on standard output.")
    ] = False,
) -> None:
    """Score masks against truth, or a model on a part of a dataset. Needs the extra 'eval'.

    Give --truth and --predictions; or --model, --data and --split; or --model, --images and
    --masks, where all images are scored unless --split names a part.
    """
    try:
        from dermseg.evaluation import (
            PROTOCOLS,
            Measures,
            evaluate_masks,
            find_predictions_leaks,
            find_protocol,
            read_pairs,
            summary,
            write_evaluation,
        )
    except ModuleNotFoundError as error:
        raise MissingExtraError("evaluating", "eval") from error

    asked = tuple(PROTOCOLS.values()) if protocol == "all" else (find_protocol(protocol),)
    measures = Measures(
        boundary=not no_boundary, tolerance=tolerance, probability=True, protocols=asked
    )
    pairs = read_pairs(audit) if audit is not None else []
    about: dict[str, str] = {}
    from_model = model or data or images or masks or split
    if truth is not None and predictions is not None and not from_model:
        result = evaluate_masks(truth, predictions, measures=measures)
        ids = [score.id for score in result.scores]
        leaks = find_predictions_leaks(predictions, ids, pairs=pairs)
        _warn_of_leaks(leaks, strict=strict)
        result = replace(result, leaks=leaks)
    elif not (truth or predictions) and (images or masks or (data and split)):
        source = choose_source(data, images, masks)
        result, about = _evaluate_model(
            model, source, split, split_file, measures, pairs=pairs, strict=strict
        )
    else:
        message = (
            "give --truth and --predictions; or --data, --split and perhaps --model; or --images, "
            "--masks and perhaps --model"
        )
        raise UsageError(message)
    if strict:
        _refuse_problems(result)
    if protocol not in ("all", "isic"):
        result = result.under(protocol)
    write_evaluation(output, result, about=about)
    if as_json:
        typer.echo(json.dumps(summary(result, about=about), indent=2))
    else:
        _print(result, about, output)


def _evaluate_model(
    model: str | None,
    source: Source,
    part: str | None,
    split_file: Path | None,
    measures: Measures,
    *,
    pairs: Sequence[AuditedPair],
    strict: bool,
) -> tuple[Evaluation, dict[str, str]]:
    from dermseg.datasets import find_split, open_source
    from dermseg.evaluation import evaluate_model, find_leaks
    from dermseg.prediction import load_model

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
    predictor = load_model(model)
    about = {"model": predictor.spec.name, "dataset": dataset.name, "part": part or "all"}
    leaks = find_leaks(predictor.spec, [sample.id for sample in samples], dataset, pairs=pairs)
    _warn_of_leaks(leaks, strict=strict)
    return replace(evaluate_model(predictor, samples, measures=measures), leaks=leaks), about


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


def _refuse_problems(result: Evaluation) -> None:
    num_problems = result.num_skipped + len(result.extra) + result.num_questionable
    if num_problems or result.looks_inverted:
        for warning in result.warnings:
            typer.echo(f"warning: {warning}", err=True)
        message = (
            f"{num_problems} masks are not in order ({_outcome(result)}), and --strict was given: "
            "nothing was written"
        )
        raise RunError(message)


def _outcome(result: Evaluation) -> str:
    kinds = ", ".join(f"{number} {kind}" for kind, number in result.count_skipped().items())
    parts = [f"{result.num_skipped} skipped" + (f" ({kinds})" if kinds else "")]
    if result.extra:
        parts.append(f"{len(result.extra)} predictions without truth")
    if result.num_questionable:
        parts.append(f"{result.num_questionable} scored but questionable")
    return ", ".join(parts)


def _print(result: Evaluation, about: dict[str, str], output: Path) -> None:
    what = f" of {' '.join(about.values())}" if about else ""
    typer.echo(f"{result.num_scored} images scored{what}, {_outcome(result)}")
    typer.echo(f"protocol {result.protocol}")
    width = max(map(len, result.aggregates))
    for name, interval in result.aggregates.items():
        typer.echo(
            f"{name:>{width}}  {interval.value:.4f}  [{interval.low:.4f}, {interval.high:.4f}]"
        )
    if len(result.protocols) > 1:
        typer.echo("")
        for line in protocol_lines(result.protocols):
            typer.echo(line)
    for warning in result.warnings:
        typer.echo(f"warning: {warning}", err=True)
    typer.echo(f"written to {output}")
