"""``dermseg evaluate``."""

from __future__ import annotations

import contextlib
import json
import warnings
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from dermseg.cli.evaluation_tables import (
    class_lines,
    interval_lines,
    presence_lines,
    protocol_lines,
    quality_lines,
)
from dermseg.cli.push import fetched
from dermseg.cli.sources import GroupsOption, MasksOption, choose_source
from dermseg.cli.terminal import print_line, print_text
from dermseg.errors import MissingExtraError, UsageError

if TYPE_CHECKING:
    from dermseg.datasets.presence import Presence
    from dermseg.evaluation import Evaluation
    from dermseg.prediction import Predictor

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
    split: Annotated[
        str | None, typer.Option(help="Part to evaluate, e.g. validation, or all.")
    ] = None,
    split_file: Annotated[
        Path | None, typer.Option(help="Split file that defines the part.")
    ] = None,
    groups: GroupsOption = None,
    protocol: Annotated[
        str | None,
        typer.Option(
            help="Protocol of the figures: a name, NAME:VALUE, or 'all'. By default isic, and "
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
            Checks,
            Measures,
            choose_samples,
            evaluate_masks,
            evaluate_model,
            evaluate_samples,
            find_lesions,
            find_protocols,
            read_pairs,
            staged_masks,
            summary,
            write_evaluation,
        )
        from dermseg.evaluation.report import REPORT_NAME, write_report
        from dermseg.prediction import load_model
        from dermseg.storage import lock_folder
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
    _check_call(truth, predictions, model, data, images, masks, split, presence)
    checks = Checks(pairs=read_pairs(audit) if audit is not None else (), strict=strict)
    with lock_folder(output), contextlib.ExitStack() as stack:
        stack.enter_context(_printed_warnings())
        if truth is not None and predictions is not None:
            about = {"truth": str(truth), "predictions": str(predictions)}
            if images is not None:
                about["images"] = str(images)
            result = evaluate_masks(
                truth, predictions, images_dir=images, measures=measures, checks=checks
            )
        else:
            source = choose_source(data, images, masks)
            if predictions is None:
                staged = stack.enter_context(staged_masks(output))
            dataset, samples = choose_samples(source, split, split_file=split_file, groups=groups)
            about = {"dataset": dataset.name, "part": split or "all"}
            if predictions is not None:
                about["predictions"] = str(predictions)
                result = evaluate_samples(samples, predictions, measures=measures, checks=checks)
            else:
                predictor = load_model(fetched(model))
                about = {"model": predictor.spec.name, **about}
                result = staged.keep(
                    evaluate_model(
                        predictor,
                        samples,
                        measures=measures,
                        masks_dir=staged.path,
                        presence=_read_presence(presence, predictor),
                        checks=replace(checks, dataset=dataset),
                    )
                )
        write_evaluation(output, result, about=about)
        if no_report:
            (output / REPORT_NAME).unlink(missing_ok=True)
        else:
            write_report(output, result, about=about)
    if as_json:
        print_text(json.dumps(summary(result, about=about), indent=2))
    else:
        _print(result, about, output)


def _check_call(
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


def _read_presence(path: Path | None, predictor: Predictor) -> Presence | None:
    from dermseg.datasets.presence import read_presence

    if path is None:
        return None
    return read_presence(path, predictor.spec.attributes or predictor.spec.classes)


@contextlib.contextmanager
def _printed_warnings() -> Iterator[None]:
    """Print what an evaluation warns of, as soon as it does."""
    from dermseg.evaluation import EvaluationWarning

    with warnings.catch_warnings():
        warnings.simplefilter("always", EvaluationWarning)
        warnings.showwarning = _print_warning
        yield


def _print_warning(message: Warning | str, *args: object, **options: object) -> None:
    print_line(f"warning: {message}", err=True)


def _print(result: Evaluation, about: dict[str, str], output: Path) -> None:
    names = [about[name] for name in ("model", "dataset", "part") if name in about]
    what = f" of {' '.join(names)}" if names else ""
    scored = f"{result.num_scored} images scored"
    if result.classes:
        scored = f"{result.num_scored} masks of {result.num_images} images scored"
    print_line(f"{scored}{what}, {result.outcome}")
    if result.figures:
        print_line(f"protocol {result.protocol}")
    for line in interval_lines(result.figures):
        print_line(line)
    if result.other_means:
        print_line("under no protocol: means over the images, each whole at its native size")
    for line in interval_lines(result.other_means):
        print_line(line)
    tables = [
        class_lines(result.classes) if _has_class_table(result) else (),
        presence_lines(result.presence) if result.presence is not None else (),
        protocol_lines(result.protocols) if len(result.protocols) > 1 else (),
        quality_lines(result.quality) if result.quality is not None else (),
    ]
    for table in tables:
        for number, line in enumerate(table):
            if not number:
                print_line("")
            print_line(line)
    for warning in result.warnings:
        print_line(f"warning: {warning}", err=True)
    print_line(f"written to {output}")


def _has_class_table(result: Evaluation) -> bool:
    """Whether the protocol was asked for under whose rules the table of attributes is made."""
    return bool(result.classes) and "isic2018_task2" in {
        row.protocol.name for row in result.protocols
    }
