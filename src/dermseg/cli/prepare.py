"""``dermseg data prepare``."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from dermseg.cli.sources import ImagesOption, MasksOption, PresenceOption, choose_sources
from dermseg.cli.terminal import print_line, print_text

if TYPE_CHECKING:
    from dermseg.datasets.cache import CacheReport

__all__ = ["prepare"]


def prepare(
    recipe: Annotated[str, typer.Argument(help="A packaged recipe's name, or a TOML file.")],
    output: Annotated[Path, typer.Option("-o", "--output", help="The cache's own folder.")],
    data: Annotated[
        list[Path] | None, typer.Option(help="Folder of a dataset; may be repeated.")
    ] = None,
    images: ImagesOption = None,
    masks: MasksOption = None,
    presence: PresenceOption = None,
    overrides: Annotated[
        list[str] | None,
        typer.Option("--set", help="Override a key: preprocessing.remove_hair=true."),
    ] = None,
    workers: Annotated[
        int | None, typer.Option(min=1, help="Threads that read images; by default one per core.")
    ] = None,
    as_json: Annotated[
        bool, typer.Option("--json", help="Print a summary for machines on standard output.")
    ] = False,
) -> None:
    """Clean and resize all training images once, for `dermseg train --cache`.

    Interrupted at any moment, the same command continues. Called again, it prepares what is new
    or has changed. An image that cannot be read is named and skipped. Official
    validation and test parts are left out: they are not trained on.
    """
    from dermseg.datasets import open_source, tell_presence, trainable
    from dermseg.datasets.cache import fill_cache
    from dermseg.datasets.pairs import Preparation
    from dermseg.recipes import read_recipe

    values = read_recipe(recipe, overrides or [])
    sources = choose_sources(data, images, masks)
    datasets = [open_source(source, values.data.name) for source in sources]
    if presence is not None:
        tell_presence(datasets, presence, values.classes)
    samples = trainable(datasets, values.classes, needs_lesion=values.lesion_crop is not None)
    _, report = fill_cache(
        output,
        samples,
        sizes=values.sizes,
        preparation=Preparation.of(values),
        num_workers=workers,
    )
    _report(output, report, as_json=as_json)
    if report.failures:
        raise typer.Exit(1)


def _report(cache: Path, report: CacheReport, *, as_json: bool) -> None:
    for _, error in report.failures:
        print_line(f"dermseg: {error}", err=True)
    if as_json:
        failures = [{"id": sample.id, "error": str(error)} for sample, error in report.failures]
        summary: dict[str, Any] = {**vars(report), "cache": str(cache), "failures": failures}
        print_text(json.dumps(summary, indent=1))
        return
    sizes = ", ".join(f"{height}x{width}" for height, width in report.sizes)
    failed = f", {len(report.failures)} failed" if report.failures else ""
    print_line(
        f"{cache}: {report.num_prepared} images prepared, {report.num_kept} kept{failed}; "
        f"{report.num_bytes / 1e6:,.1f} MB at {sizes}"
    )
