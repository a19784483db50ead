"""``dermseg data draw-attributes``."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated, Any

import typer

from dermseg.cli.predict import with_progress
from dermseg.cli.sources import ImagesOption, MasksOption, choose_source
from dermseg.errors import UsageError

__all__ = ["draw_attributes"]


def draw_attributes(
    output: Annotated[Path, typer.Option("-o", "--output", help="The drawing's own folder.")],
    folder: Annotated[Path | None, typer.Argument(help="Folder of a dataset.")] = None,
    presence: Annotated[
        Path | None,
        typer.Option(help="CSV with the column id, and 0 or 1 per attribute: what images show."),
    ] = None,
    side: Annotated[
        int, typer.Option(min=32, max=4096, help="Longest side of the images; none is enlarged.")
    ] = 256,
    seed: Annotated[int, typer.Option(min=0, help="Seed of the drawings.")] = 0,
    frequency: Annotated[
        list[str] | None,
        typer.Option(help="How often an attribute is drawn: globules=0.4; may be repeated."),
    ] = None,
    contrast: Annotated[
        float, typer.Option(help="Factor on the strength of what is drawn; above 1: clearer.")
    ] = 1.0,
    name: Annotated[str | None, typer.Option(help="The dataset, if not recognised.")] = None,
    images: ImagesOption = None,
    masks: MasksOption = None,
    workers: Annotated[
        int | None, typer.Option(min=1, help="Threads; by default one per core, at most 8.")
    ] = None,
    overwrite: Annotated[
        bool, typer.Option("--overwrite", help="Replace a drawing of other images or options.")
    ] = False,
    as_json: Annotated[
        bool, typer.Option("--json", help="Print a summary for machines on standard output.")
    ] = False,
) -> None:
    """Draw dermoscopic structures into the lesions of a dataset, with exact masks.

    Writes the layout of ISIC 2018, Tasks 1 and 2, to train on where nobody has drawn masks. With
    --presence, an attribute that a photograph shows itself is neither drawn nor given a mask, and
    images that the table does not name are left out. Official validation and test parts are left
    out, too. Interrupted at any moment, the same command continues. An image that cannot be read
    is named and skipped.
    """
    from dermseg.datasets import open_source
    from dermseg.datasets.drawing import (
        DrawingOptions,
        draw_all,
        open_drawing,
        plan_drawing,
        write_groups,
    )
    from dermseg.datasets.presence import read_presence
    from dermseg.phantom import ATTRIBUTES

    options = DrawingOptions(side, seed, _frequencies(frequency or ()), contrast)
    dataset = open_source(choose_source(folder, images, masks), name)
    shown = None if presence is None else read_presence(presence, ATTRIBUTES)
    plan = plan_drawing(dataset, shown)
    todo = open_drawing(output, plan, options, presence=presence, overwrite=overwrite)
    groups = write_groups(output, plan)
    results = draw_all(todo, output, options, num_workers=workers)
    failures = [
        {"id": task.sample.id, "error": str(error)}
        for task, error in with_progress(results, len(todo), "drawing")
        if error is not None
    ]
    _report(
        {
            "output": str(output),
            "num_drawn": len(todo) - len(failures),
            "num_kept": len(plan.tasks) - len(todo),
            "num_unnamed": plan.num_unnamed,
            "num_held_out": plan.num_held_out,
            "groups": None if groups is None else str(groups),
            "failures": failures,
        },
        as_json=as_json,
    )
    if failures:
        raise typer.Exit(1)


def _frequencies(given: Sequence[str]) -> dict[str, float]:
    """The frequencies of training, with those that were given instead."""
    from dermseg.phantom import TRAINING_FREQUENCIES, AttributeOptions

    frequencies = dict(TRAINING_FREQUENCIES)
    for text in given:
        name, _, value = text.partition("=")
        try:
            frequencies[name.strip()] = float(value)
        except ValueError as error:
            example = f"{next(iter(TRAINING_FREQUENCIES))}=0.4"
            message = f"--frequency is '{text}', expected an attribute and a number: {example}"
            raise UsageError(message) from error
    AttributeOptions(frequencies)  # refuses names and values that do not exist
    return frequencies


def _report(summary: dict[str, Any], *, as_json: bool) -> None:
    for failure in summary["failures"]:
        typer.echo(f"dermseg: {failure['error']}", err=True)
    if as_json:
        typer.echo(json.dumps(summary, indent=1))
        return
    counts = (
        f", {summary['num_kept']} kept" if summary["num_kept"] else "",
        f", {len(summary['failures'])} failed" if summary["failures"] else "",
        f"; left out: {summary['num_unnamed']} that --presence does not name"
        if summary["num_unnamed"]
        else "",
        f"; left out: {summary['num_held_out']} held out or without mask"
        if summary["num_held_out"]
        else "",
    )
    typer.echo(f"{summary['output']}: {summary['num_drawn']} images drawn{''.join(counts)}")
    if summary["groups"]:
        typer.echo(f"images that belong together: {summary['groups']}, for --groups")
