"""``dermseg data``: what a researcher does before training."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from dermseg.cli.audit import audit
from dermseg.cli.download import download
from dermseg.cli.prepare import prepare
from dermseg.cli.sources import (
    GroupsOption,
    ImagesOption,
    MasksOption,
    choose_source,
    choose_sources,
)
from dermseg.cli.terminal import print_line, print_text
from dermseg.cli.verbosity import with_verbosity

__all__ = ["app"]

app = typer.Typer(help="Download datasets, look at them, and split them.", no_args_is_help=True)
app.command("audit")(with_verbosity(audit))
app.command("download")(with_verbosity(download))
app.command("prepare")(with_verbosity(prepare))


@app.command("list")
def list_datasets() -> None:
    """List the datasets that are recognised by their folders."""
    from dermseg.datasets import DATASETS

    for name, dataset in DATASETS.items():
        counts = " / ".join(str(count) for count in dataset.num_images.values())
        parts = f"; {counts} ({', '.join(dataset.num_images)})" if counts else ""
        marked = f"; attributes: {', '.join(dataset.attributes)}" if dataset.attributes else ""
        print_line(f"{name}: {dataset.title}{parts}{marked}; licence {dataset.licence}")


@app.command("check")
@with_verbosity
def check(
    folder: Annotated[Path | None, typer.Argument(help="Folder of a dataset.")] = None,
    name: Annotated[str | None, typer.Option(help="The dataset, if not recognised.")] = None,
    images: ImagesOption = None,
    masks: MasksOption = None,
    groups: GroupsOption = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print the report as JSON.")] = False,
) -> None:
    """Read every file of a dataset and name what is wrong; exit code 1 if anything is."""
    import json

    from dermseg.datasets import check_dataset, open_source

    source = choose_source(folder, images, masks)
    report = check_dataset(open_source(source, name, groups=groups))
    if as_json:
        print_text(json.dumps(report.as_json(), indent=1))
    else:
        parts = "".join(f", {part} {num}" for part, num in report.parts.items())
        print_line(
            f"{report.dataset}: {report.num_samples} images, {report.num_masks} with a mask, "
            f"{report.num_groups} groups{parts}; {len(report.problems)} problems"
        )
        for attribute, count in report.attributes.items():
            unknown = "" if count.unknown is None else f"; not known of {count.unknown.images}"
            print_line(f"{attribute}: in {count.num_present} of {count.num_known} images{unknown}")
        for problem in report.problems:
            print_line(str(problem))
    if report.problems:
        raise typer.Exit(1)


@app.command("split")
def split(
    output: Annotated[Path, typer.Option("-o", "--output", help="JSON file to write.")],
    folder: Annotated[Path | None, typer.Argument(help="Folder of a dataset.")] = None,
    seed: Annotated[int, typer.Option(min=0, help="Seed of the draw.")] = 0,
    fractions: Annotated[
        tuple[float, float, float],
        typer.Option(help="Shares of train, validation and test; they sum to 1."),
    ] = (0.8, 0.1, 0.1),
    groups: GroupsOption = None,
    name: Annotated[str | None, typer.Option(help="The dataset, if not recognised.")] = None,
    images: ImagesOption = None,
    masks: MasksOption = None,
) -> None:
    """Write a seeded split into train, validation and test that keeps groups together."""
    from dermseg.datasets import create_split, open_source, write_split
    from dermseg.datasets.unknown import describe_gaps

    dataset = open_source(choose_source(folder, images, masks), name, groups=groups)
    shares = dict(zip(("train", "validation", "test"), fractions, strict=True))
    parts = create_split(dataset.samples, seed=seed, fractions=shares)
    write_split(output, parts)
    counts = ", ".join(f"{part} {len(ids)}" for part, ids in parts.parts.items())
    print_line(f"{dataset.name}: {counts}; written to {output}")
    for orphan in dataset.orphans:
        print_line(f"left out: {orphan}", err=True)
    for line in describe_gaps(dataset.gaps):
        print_line(f"not known: {line}", err=True)


@app.command("preview")
@with_verbosity
def preview(
    recipe: Annotated[str, typer.Argument(help="A packaged recipe's name, or a TOML file.")],
    output: Annotated[Path, typer.Option("-o", "--output", help="JPEG or PNG file to write.")],
    data: Annotated[
        list[Path] | None, typer.Option(help="Folder of a dataset; may be repeated.")
    ] = None,
    images: ImagesOption = None,
    masks: MasksOption = None,
    num: Annotated[int, typer.Option(min=1, max=100, help="Images, one a row.")] = 6,
    epochs: Annotated[int, typer.Option(min=1, max=50, help="Epochs, one a column.")] = 5,
    overrides: Annotated[
        list[str] | None,
        typer.Option("--set", help="Override a key: augmentation.hairs=0.5; may be repeated."),
    ] = None,
) -> None:
    """Write a contact sheet of what the network will see. Needs the extra 'train'."""
    from dermseg.errors import MissingExtraError
    from dermseg.images import write_image
    from dermseg.recipes import read_recipe

    values = read_recipe(recipe, overrides or [])
    sources = choose_sources(data, images, masks)
    try:
        from dermseg.training import preview as draw_preview
    except ModuleNotFoundError as error:
        raise MissingExtraError("previewing", "train") from error
    write_image(output, draw_preview(values, sources, num=num, epochs=epochs))
    print_line(f"contact sheet: {output}")
