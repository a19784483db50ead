"""``dermseg evaluate``."""

from __future__ import annotations

import contextlib
import json
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from dermseg.cli.attribute_table import class_lines, presence_lines
from dermseg.cli.evaluation_inputs import (
    check_call,
    score_masks,
    score_model,
    score_samples,
    with_leaks,
)
from dermseg.cli.interval_table import interval_lines
from dermseg.cli.protocol_table import protocol_lines
from dermseg.cli.quality_table import quality_lines
from dermseg.cli.sources import MasksOption, choose_source
from dermseg.errors import MissingExtraError, RunError

if TYPE_CHECKING:
    from dermseg.evaluation import Evaluation

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
    images: Annotated[
        Path | None,
        typer.Option(help="Folder of images of your own, with --masks, or with --truth."),
    ] = None,
    masks: MasksOption = None,
    split: Annotated[str | None, typer.Option(help="Part to evaluate, e.g. validation.")] = None,
    split_file: Annotated[
        Path | None, typer.Option(help="Split file that defines the part.")
    ] = None,
    protocol: Annotated[
        str | None,
        typer.Option(
            help="Whose rules make the figures: a name, NAME:VALUE, or 'all'. By default isic, and "
            "isic2018_task2 for attributes."
        ),
    ] = None,
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
    lesions: Annotated[
        Path | None,
        typer.Option(help="Folder or ZIP of lesion masks, for protocols of what is inside."),
    ] = None,
    presence: Annotated[
        Path | None,
        typer.Option(
            help="CSV with the column id or image_id and 0 or 1 for each attribute: which images "
            "show it, for a model of attributes."
        ),
    ] = None,
    strict: Annotated[
        bool, typer.Option("--strict", help="Write nothing unless every mask is in order.")
    ] = False,
    no_report: Annotated[
        bool, typer.Option("--no-report", help="Do not write report.html.")
    ] = False,
    as_json: Annotated[
        bool, typer.Option("--json", help="Print summary.json on standard output.")
    ] = False,
) -> None:
    """Score masks against truth, or a model on a part of a dataset. Needs the extra 'eval'.

    Give --truth and --predictions, and perhaps --images for pictures and groups; or --data and
    --split; or --images and --masks, where all images are scored unless --split names a part.
    With a dataset or images, --predictions scores masks, and otherwise --model is run, whose masks
    are kept.
    """
    try:
        from dermseg.evaluation import (
            Measures,
            find_lesions,
            find_protocols,
            read_pairs,
            staged_masks,
            summary,
            write_evaluation,
        )
        from dermseg.evaluation.report import REPORT_NAME, write_report
    except ModuleNotFoundError as error:
        raise MissingExtraError("evaluating", "eval") from error

    measures = Measures(
        boundary=not no_boundary,
        tolerance=tolerance,
        probability=True,
        protocols=find_protocols(protocol),
        statistics=True,
        lesions=find_lesions(lesions) if lesions is not None else {},
    )
    check_call(truth, predictions, model, data, images, masks, split, presence)
    pairs = read_pairs(audit) if audit is not None else []
    with contextlib.ExitStack() as stack:
        if truth is not None and predictions is not None:
            result, about = score_masks(truth, predictions, images, measures)
            result = with_leaks(result, predictions, pairs, strict=strict)
        else:
            source = choose_source(data, images, masks)
            if predictions is not None:
                result, about = score_samples(source, split, split_file, predictions, measures)
                result = with_leaks(result, predictions, pairs, strict=strict)
            else:
                staged = stack.enter_context(staged_masks(output))
                result, about = score_model(
                    model,
                    source,
                    split,
                    split_file,
                    measures,
                    staged.path,
                    presence_file=presence,
                    pairs=pairs,
                    strict=strict,
                )
        if strict:
            _refuse_problems(result)
        if predictions is None:
            result = staged.keep(result)
        write_evaluation(output, result, about=about)
        if no_report:
            (output / REPORT_NAME).unlink(missing_ok=True)
        else:
            write_report(output, result, about=about)
    if as_json:
        typer.echo(json.dumps(summary(result, about=about), indent=2))
    else:
        _print(result, about, output)


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
    names = [about[name] for name in ("model", "dataset", "part") if name in about]
    what = f" of {' '.join(names)}" if names else ""
    scored = f"{result.num_scored} images scored"
    if result.classes:
        scored = f"{result.num_scored} masks of {result.num_images} images scored"
    typer.echo(f"{scored}{what}, {_outcome(result)}")
    if result.aggregates:
        typer.echo(f"protocol {result.protocol}")
    for line in interval_lines(result.aggregates):
        typer.echo(line)
    tables = [
        class_lines(result.classes) if result.classes else (),
        presence_lines(result.presence) if result.presence is not None else (),
        protocol_lines(result.protocols) if len(result.protocols) > 1 else (),
        quality_lines(result.quality) if result.quality is not None else (),
    ]
    for table in tables:
        for number, line in enumerate(table):
            typer.echo(line if number else f"\n{line}")
    for warning in result.warnings:
        typer.echo(f"warning: {warning}", err=True)
    typer.echo(f"written to {output}")
