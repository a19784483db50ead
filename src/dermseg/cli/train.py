"""``dermseg train``."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from dermseg.cli.catalogue import network_lines
from dermseg.cli.sources import (
    GroupsOption,
    ImagesOption,
    MasksOption,
    PresenceOption,
    choose_sources,
)
from dermseg.cli.terminal import print_line

__all__ = ["train"]


def train(
    recipe: Annotated[str, typer.Argument(help="A packaged recipe's name, or a TOML file.")],
    output: Annotated[Path, typer.Option("-o", "--output", help="The run folder.")],
    data: Annotated[
        list[Path] | None, typer.Option(help="Folder of a dataset; may be repeated.")
    ] = None,
    images: ImagesOption = None,
    masks: MasksOption = None,
    groups: GroupsOption = None,
    presence: PresenceOption = None,
    pseudo_labels: Annotated[
        Path | None,
        typer.Option(
            help="Folder that 'dermseg predict -o' wrote: train on its images and masks, too."
        ),
    ] = None,
    overrides: Annotated[
        list[str] | None,
        typer.Option(
            "--set",
            help="Override a key: training.lr=3e-4; KEY=none switches an optional one off; may be "
            "repeated.",
        ),
    ] = None,
    initial: Annotated[
        str | None,
        typer.Option(
            metavar="MODEL",
            help="Begin with the weights of a shipped model or a package's folder, instead of "
            "random ones: network.initial_weights.",
        ),
    ] = None,
    split: Annotated[Path | None, typer.Option(help="A split file to use.")] = None,
    exclude: Annotated[
        Path | None, typer.Option(help="A file of ids, one a line, that must not be trained on.")
    ] = None,
    workers: Annotated[
        int, typer.Option(min=0, help="Processes that read images; 0 reads in the main one.")
    ] = 1,
    processes: Annotated[
        int, typer.Option(min=1, help="Processes that share each batch (gloo, on a CPU).")
    ] = 1,
    cache: Annotated[
        Path | None,
        typer.Option(
            help="Read from this cache of prepared images; made or completed first "
            "(see dermseg data prepare)."
        ),
    ] = None,
    folds: Annotated[
        str | None,
        typer.Option(
            help="Cross-validate: a number of folds, or a CSV file with columns id and fold, such "
            "as one fold per source."
        ),
    ] = None,
    summary: Annotated[
        bool, typer.Option("--summary", help="Print the network's layers and shapes first.")
    ] = False,
    quick: Annotated[
        bool,
        typer.Option(
            "--quick", help="Try it in minutes: two epochs, few and small images, all outputs."
        ),
    ] = False,
    resume: Annotated[
        bool, typer.Option("--resume", help="Continue after the last whole epoch.")
    ] = False,
) -> None:
    """Train a recipe and write a model package. Needs the extra 'train'."""
    from dermseg.errors import MissingExtraError
    from dermseg.recipes import read_recipe, shorten_recipe

    given_weights = [] if initial is None else [f"network.initial_weights={initial}"]
    values = read_recipe(recipe, [*given_weights, *(overrides or [])])
    if quick:
        values = shorten_recipe(values)
    excluded = _read_ids(exclude)
    sources = choose_sources(data, images, masks)
    try:
        from dermseg.training import TrainingData, cross_validate
        from dermseg.training import train as run_training
    except ModuleNotFoundError as error:
        raise MissingExtraError("training", "train") from error
    if summary:
        for line in network_lines(values):
            print_line(line)
    given = TrainingData(
        sources, split, groups, excluded, cache, presence, pseudo_labels, quick=quick
    )
    if folds is None:
        package = run_training(
            values,
            given,
            output,
            num_workers=workers,
            num_processes=processes,
            resume=resume,
        )
        print_line(f"model package: {package}")
        return
    result = cross_validate(
        values,
        given,
        output,
        folds=_parse_folds(folds),
        num_workers=workers,
        num_processes=processes,
        resume=resume,
    )
    if result.classes:
        figures = result.classes[0]
        scored, interval = f"{figures.num_images} images: pooled", figures.figures["jaccard"]
    else:
        scored, interval = f"{result.num_scored} images: mean", result.aggregates["mean_jaccard"]
    print_line(
        f"out of fold, {scored} Jaccard {interval.value:.4f} "
        f"[{interval.low:.4f}, {interval.high:.4f}]; written to {output / 'out_of_fold'}"
    )


def _parse_folds(text: str) -> int | Path:
    from dermseg.errors import UsageError

    if not text.isdecimal():
        return Path(text)
    if int(text) < 2:
        message = f"--folds is {text}, expected at least 2 folds, or a CSV file"
        raise UsageError(message)
    return int(text)


def _read_ids(path: Path | None) -> frozenset[str]:
    from dermseg.datasets.identity import normal_id
    from dermseg.storage import read_text

    lines = [] if path is None else read_text(path).splitlines()
    return frozenset(normal_id(line.strip()) for line in lines if line.strip())
