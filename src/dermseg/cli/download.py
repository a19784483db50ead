"""``dermseg data download``."""

from __future__ import annotations

import json
import logging
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from dermseg.cli.terminal import print_line, print_text
from dermseg.errors import MissingExtraError
from dermseg.progress import is_shown

if TYPE_CHECKING:
    from rich.progress import TaskID

__all__ = ["download"]


def download(
    name: Annotated[
        str,
        typer.Argument(
            help="isic2016, isic2017, isic2017_part2, isic2018, isic2018_task2 or ham10000."
        ),
    ],
    output: Annotated[Path, typer.Option("-o", "--output", help="Folder for the dataset.")],
    part: Annotated[
        list[str] | None,
        typer.Option(help="Only this part: train, validation or test; may be repeated."),
    ] = None,
    url: Annotated[
        str | None, typer.Option(help="A mirror: the folder that holds the archives.")
    ] = None,
    keep_archives: Annotated[
        bool, typer.Option("--keep-archives", help="Keep the ZIP files in OUTPUT/archives.")
    ] = False,
    as_json: Annotated[
        bool, typer.Option("--json", help="Print the report as JSON on standard output.")
    ] = False,
) -> None:
    """Download a public dataset, check it and unpack it. Needs the extra 'train'.

    Interrupted at any moment, the same command continues; once complete, it does nothing. Mind
    the licence, which is printed first.
    """
    from dermseg.datasets.archives import find_download

    find_download(name)
    try:
        from dermseg.datasets.download import download_dataset
    except ModuleNotFoundError as error:
        raise MissingExtraError("downloading", "train") from error

    with _Display() as display:
        try:
            report = download_dataset(
                name,
                output,
                parts=part or (),
                url=url,
                keep_archives=keep_archives,
                progress=display,
            )
        except KeyboardInterrupt:
            display.say("What has come is kept: run the same command again to continue.")
            raise
    if as_json:
        print_text(json.dumps(report.as_json(), indent=1))
        return
    state = "downloaded" if report.is_new else "is complete"
    marked = ""
    if report.num_with_attributes:
        marked = f", {report.num_with_attributes:,} with attributes"
    parts = "".join(f", {part} {num:,}" for part, num in report.parts.items())
    print_line(
        f"{name} {state} in {report.folder}: {report.num_images:,} images, {report.num_masks:,} "
        f"with a mask{marked}{parts}; {report.num_orphans} files without a partner"
    )
    for warning in report.warnings:
        print_line(f"warning: {warning}", err=True)


class _Display:
    """Lines and, on a terminal, one bar per file on standard error."""

    def __init__(self) -> None:
        from rich.console import Console
        from rich.progress import (
            BarColumn,
            DownloadColumn,
            Progress,
            TextColumn,
            TimeRemainingColumn,
            TransferSpeedColumn,
        )

        self._console = Console(stderr=True)
        self._bars = Progress(
            TextColumn("{task.description}"),
            BarColumn(),
            DownloadColumn(),
            TransferSpeedColumn(),
            TimeRemainingColumn(),
            console=self._console,
            disable=not is_shown(),
        )
        self._tasks: dict[str, TaskID] = {}

    def __enter__(self) -> _Display:
        self._bars.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._bars.stop()

    def say(self, line: str) -> None:
        """Print a line above the bars."""
        if logging.getLogger("dermseg").isEnabledFor(logging.INFO):
            self._console.print(line, soft_wrap=True, markup=False, highlight=False)

    def advance(self, name: str, num_done: int, num_total: int | None) -> None:
        """Move the file's bar."""
        if name not in self._tasks:
            self._tasks[name] = self._bars.add_task(name, total=num_total)
        self._bars.update(self._tasks[name], completed=num_done, total=num_total)
