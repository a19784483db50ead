"""``dermseg serve``, and ``dermseg review``: the page, and what comes out of it."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Annotated

import typer

from dermseg.cli.terminal import print_line

__all__ = ["app", "serve"]

app = typer.Typer(
    help="Export what was reviewed on the page, and let reviewers in.", no_args_is_help=True
)

_Project = Annotated[Path, typer.Argument(help="The folder of photographs that was served.")]
_Database = Annotated[
    str | None,
    typer.Option(help="postgresql://USER@HOST/NAME; by default SQLite in FOLDER/.dermseg."),
]


def serve(
    folder: Annotated[
        Path | None, typer.Argument(help="Photographs to review; without, the page tries any.")
    ] = None,
    model: Annotated[
        str | None, typer.Option(help="A shipped model's name or a package's folder.")
    ] = None,
    no_model: Annotated[
        bool, typer.Option("--no-model", help="Review and draw without a model.")
    ] = False,
    attributes: Annotated[
        bool,
        typer.Option("--attributes", help="Also find structures in FOLDER's lesions, to filter."),
    ] = False,
    port: Annotated[int, typer.Option(min=1, max=65535, help="The port.")] = 8765,
    listen: Annotated[
        str,
        typer.Option(
            metavar="ADDRESS",
            help="Let other machines in, by an address of this one. Asks for a password, or takes "
            "DERMSEG_PASSWORD, unless the project has accounts.",
        ),
    ] = "127.0.0.1",
    host: Annotated[
        list[str] | None,
        typer.Option(help="A name under which a proxy or others reach the page; repeatable."),
    ] = None,
    database: _Database = None,
    workers: Annotated[int, typer.Option(min=1, help="Images predicted at once.")] = 2,
    max_megapixels: Annotated[
        float, typer.Option(help="Refuse larger images, before they are decoded.")
    ] = 200,
) -> None:
    """Open a page to see, correct and keep outlines; only this machine reaches it.

    The address that is printed opens once. With FOLDER, its photographs become a project with a
    queue; they stay where they are, and masks are kept in FOLDER/.dermseg. Programs may use the API
    with the token in DERMSEG_API_TOKEN.
    """
    from dermseg.errors import UsageError
    from dermseg.package import ATTRIBUTE_MODEL
    from dermseg.prediction import load_model
    from dermseg.review import Project
    from dermseg.server import Limits, Place, local_name, run_server

    if no_model and (model or attributes):
        message = "--no-model excludes --model and --attributes"
        raise UsageError(message)
    predictor = None
    if not no_model:
        names = (ATTRIBUTE_MODEL, model) if attributes else (model, None)
        predictor = load_model(
            names[0], lesion_model=names[1], precision="auto", max_megapixels=max_megapixels
        )
    project = None
    if folder is not None:
        project = Project(folder, database=database, exclusive=True)
        print_line(f"dermseg: {project.scan()} photographs in {folder}", err=True)
    place = Place(listen, port, tuple(host or ()))
    password = os.environ.get("DERMSEG_PASSWORD")
    if not place.is_local and password is None and not (project and project.accounts.list_names()):
        password = typer.prompt(f"Password for {local_name()}", hide_input=True, err=True)
    run_server(
        predictor,
        project,
        place=place,
        limits=Limits(max_megapixels=max_megapixels, num_threads=workers),
        password=password,
        api_token=os.environ.get("DERMSEG_API_TOKEN"),
        say=print_line,
    )


@app.command("export")
def export(
    project: _Project,
    output: Annotated[Path, typer.Option("-o", "--output", help="Folder for the dataset.")],
    database: _Database = None,
) -> None:
    """Write the accepted and corrected masks as a dataset for ``train --data``.

    ``provenance.csv`` says who made each mask (``source``: model, corrected or drawn), when, and
    from which model. Rejected, skipped and open photographs are left out.
    """
    from dermseg.review import Project, export_dataset

    with Project(project, database=database) as opened:
        exported = export_dataset(opened, output)
    sources = ", ".join(f"{number} {source}" for source, number in exported.sources.items())
    print_line(
        f"{exported.num_images} images written to {output} ({sources}); "
        f"{exported.num_left_out} left out"
    )


@app.command("account")
def account(
    project: _Project,
    name: Annotated[str, typer.Argument(help="The reviewer's name.")],
    owner: Annotated[bool, typer.Option("--owner", help="May make accounts on the page.")] = False,
    remove: Annotated[bool, typer.Option("--remove", help="Let them in no more.")] = False,
    database: _Database = None,
) -> None:
    """Let a reviewer log in with a password; asks for it, or takes DERMSEG_PASSWORD."""
    from dermseg.review import Project

    with Project(project, database=database) as opened:
        if remove:
            opened.accounts.remove(name)
            return
        password = os.environ.get("DERMSEG_PASSWORD") or typer.prompt(
            "Password", hide_input=True, confirmation_prompt=True, err=True
        )
        opened.accounts.add(name, password, "owner" if owner else "reviewer")
