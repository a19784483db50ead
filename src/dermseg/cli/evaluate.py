"""``dermseg evaluate``."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from dermseg.errors import MissingExtraError, UsageError

if TYPE_CHECKING:
    from dermseg.evaluation import Evaluation

__all__ = ["evaluate"]


def evaluate(
    output: Annotated[Path, typer.Option("-o", "--output", help="Folder for the evaluation.")],
    truth: Annotated[Path | None, typer.Option(help="Folder of true masks.")] = None,
    predictions: Annotated[Path | None, typer.Option(help="Folder of predicted masks.")] = None,
    model: Annotated[
        str | None, typer.Option(help="A shipped model's name or a package's folder.")
    ] = None,
    data: Annotated[Path | None, typer.Option(help="Folder of a dataset.")] = None,
    split: Annotated[str | None, typer.Option(help="Part to evaluate, e.g. validation.")] = None,
    split_file: Annotated[
        Path | None, typer.Option(help="Split file that defines the part.")
    ] = None,
    as_json: Annotated[
        bool, typer.Option("--json", help="Print summary.json on standard output.")
    ] = False,
) -> None:
    """Score masks against truth, or a model on a part of a dataset. Needs the extra 'eval'.

    Give --truth and --predictions, or --model, --data and --split.
    """
    try:
        from dermseg.evaluation import evaluate_masks, summary, write_evaluation
    except ModuleNotFoundError as error:
        raise MissingExtraError("evaluating", "eval") from error

    about: dict[str, str] = {}
    if truth is not None and predictions is not None and not (model or data or split):
        result = evaluate_masks(truth, predictions)
    elif data is not None and split is not None and not (truth or predictions):
        result, about = _evaluate_model(model, data, split, split_file)
    else:
        message = "give --truth and --predictions, or --data, --split and perhaps --model"
        raise UsageError(message)
    write_evaluation(output, result, about=about)
    if as_json:
        typer.echo(json.dumps(summary(result, about=about), indent=2))
    else:
        _print(result, about, output)


def _evaluate_model(
    model: str | None, data: Path, part: str, split_file: Path | None
) -> tuple[Evaluation, dict[str, str]]:
    from dermseg.datasets import find_split, open_dataset
    from dermseg.evaluation import evaluate_model
    from dermseg.prediction import load_model

    dataset = open_dataset(data)
    split = find_split(dataset, split_file=split_file)
    if part not in split.parts:
        message = f"{data}: no part '{part}'; the split's parts are {', '.join(split.parts)}"
        raise UsageError(message)
    ids = set(split.parts[part])
    samples = [sample for sample in dataset.samples if sample.id in ids]
    predictor = load_model(model)
    about = {"model": predictor.spec.name, "dataset": dataset.name, "part": part}
    return evaluate_model(predictor, samples), about


def _print(result: Evaluation, about: dict[str, str], output: Path) -> None:
    what = f" of {' '.join(about.values())}" if about else ""
    typer.echo(f"{result.num_scored} images scored{what}, {result.num_skipped} skipped")
    for name, interval in result.aggregates.items():
        typer.echo(f"{name:>26}  {interval.value:.4f}  [{interval.low:.4f}, {interval.high:.4f}]")
    for warning in result.warnings:
        typer.echo(f"warning: {warning}", err=True)
    typer.echo(f"written to {output}")
