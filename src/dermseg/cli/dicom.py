"""``dermseg dicom``."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path
from typing import Annotated

import typer

from dermseg.cli.terminal import print_line

__all__ = ["app"]

app = typer.Typer(help="Work with DICOM objects.", no_args_is_help=True)


@app.callback()
def _group() -> None:
    """Keep ``wrap`` a command of its own although it is the only one."""


@app.command()
def wrap(
    photographs: Annotated[list[Path], typer.Argument(help="JPEG files, or folders of images.")],
    output: Annotated[Path, typer.Option("-o", "--output", help="Folder for the objects.")],
    patient_id: Annotated[str, typer.Option(help="Patient ID; empty if not given.")] = "",
    study_uid: Annotated[
        str | None, typer.Option(help="Study Instance UID; by default a new study for all.")
    ] = None,
    taken: Annotated[datetime | None, typer.Option(help="When the photographs were taken.")] = None,
    overwrite: Annotated[
        bool, typer.Option("--overwrite", help="Replace objects that are there.")
    ] = False,
) -> None:
    """Put JPEG photographs into Dermoscopic Photography objects, their bytes unchanged.

    Needs the extra 'dicom'. Only what DICOM demands is said, and left empty where nothing is
    known. What a JPEG says of itself, such as where it was taken, stays inside it.
    """
    from dermseg.errors import ImageError
    from dermseg.interop.dicom_wrap import plan_objects, wrap_file

    jobs, study = plan_objects(photographs, output, overwrite=overwrite, study_uid=study_uid)
    failures = 0
    for source, target in jobs:
        try:
            wrap_file(source, target, patient_id=patient_id, study_uid=study, taken=taken)
        except ImageError as error:
            print_line(f"dermseg: {error}", err=True)
            failures += 1
    print_line(f"{len(jobs) - failures} DICOM objects written to {output}")
    if failures:
        raise typer.Exit(1)
