"""``dermseg data audit``."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from dermseg.cli.terminal import print_line, print_text
from dermseg.errors import MissingExtraError, UsageError

if TYPE_CHECKING:
    from dermseg.datasets import Dataset

__all__ = ["audit"]


def audit(
    folders: Annotated[
        list[Path] | None,
        typer.Argument(help="Folder of a dataset or of images; another to compare it with."),
    ] = None,
    images: Annotated[
        list[Path] | None,
        typer.Option(help="Folder of images, whatever else it holds; may be repeated."),
    ] = None,
    output: Annotated[
        Path | None,
        typer.Option("-o", "--output", help="Folder for table, summary, pictures and report."),
    ] = None,
    split: Annotated[
        Path | None, typer.Option(help="Split file that defines the parts of the first dataset.")
    ] = None,
    groups: Annotated[
        Path | None, typer.Option(help="CSV to write: ids that a split must keep together.")
    ] = None,
    workers: Annotated[
        int | None, typer.Option(min=1, help="Threads; by default one per core, at most 8.")
    ] = None,
    strict: Annotated[
        bool, typer.Option("--strict", help="Exit with 3 if anything is in two places.")
    ] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print the summary as JSON.")] = False,
) -> None:
    """Look for the same image or lesion in two parts or two datasets. Needs the extra 'eval'.

    Images are compared by file, by pixels and by what they show: re-encoded, resized, turned,
    mirrored and slightly cropped copies are found. A pair across parts or datasets is a leak.
    """
    try:
        from dermseg.audit import (
            audit_datasets,
            summarise,
            write_groups,
            write_page,
            write_report,
            write_sheets,
        )
    except ModuleNotFoundError as error:
        raise MissingExtraError("auditing", "eval") from error
    from dermseg.datasets import official_split, open_images, read_split

    datasets = [_open(folder) for folder in folders or ()]
    datasets += [open_images(folder) for folder in images or ()]
    if not datasets:
        message = "no images: give folders of datasets or of images, or --images"
        raise UsageError(message)
    splits = [official_split(dataset) for dataset in datasets]
    if split is not None:
        splits[0] = read_split(split, datasets[0].samples)
    result = audit_datasets(datasets, splits, num_workers=workers)
    if output is not None:
        write_report(output, result)
        write_sheets(output, result)
        write_page(output / "report.html", result)
    if groups is not None:
        write_groups(groups, result)
    _print(summarise(result), as_json=as_json)
    if strict and result.leaks:
        raise typer.Exit(3)
    if result.failures:
        raise typer.Exit(1)


def _open(folder: Path) -> Dataset:
    """A dataset where it is recognised, else the images that lie in the folder."""
    from dermseg.datasets import DATASETS, open_dataset, open_images

    is_dataset = any(dataset.matches(folder) for dataset in DATASETS.values())
    return open_dataset(folder) if is_dataset else open_images(folder)


def _print(summary: dict[str, Any], *, as_json: bool) -> None:
    for failure in summary["failures"]:
        print_line(f"dermseg: {failure['file']}: {failure['error']}", err=True)
    if as_json:
        print_text(json.dumps(summary, indent=1))
        return
    for place in summary["places"]:
        name = f"{place['folder']} {place['part']}".rstrip()
        print_line(f"{name}: {place['num_images']} images")
    print_line(f"pairs: {_counts(summary['kinds'])}")
    for leak in summary["leaks"]:
        first, second = leak["places"]
        print_line(f"leak: {first} | {second}: {leak['num']} pairs ({_counts(leak['kinds'])})")
    if not summary["leaks"]:
        print_line("no image or lesion was found in two places")


def _counts(kinds: dict[str, int]) -> str:
    return ", ".join(f"{kind} {num}" for kind, num in kinds.items() if num) or "none"
