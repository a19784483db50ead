"""``dermseg export``."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

__all__ = ["export"]


def export(
    run: Annotated[Path, typer.Argument(help="A run folder of `dermseg train`.")],
    output: Annotated[Path, typer.Option("-o", "--output", help="Folder of the model package.")],
    name: Annotated[
        str | None, typer.Option(help="The model's name, by default the recipe's.")
    ] = None,
    half: Annotated[
        bool, typer.Option("--half", help="Store weights as float16: half the size, same speed.")
    ] = False,
    score: Annotated[
        list[Path] | None,
        typer.Option(help="An evaluation folder whose figures go into the model card."),
    ] = None,
    overwrite: Annotated[
        bool, typer.Option("--overwrite", help="Replace a package that is there.")
    ] = False,
) -> None:
    """Write the best checkpoint of a run as a model package. Needs the extra 'train'."""
    from dermseg.errors import MissingExtraError

    try:
        from dermseg.export import export_run, read_score
    except ModuleNotFoundError as error:
        raise MissingExtraError("exporting", "train") from error
    spec = export_run(
        run,
        output,
        name=name,
        half_weights=half,
        scores=tuple(read_score(folder) for folder in score or []),
        overwrite=overwrite,
    )
    typer.echo(
        f"model package '{spec.name}': {output}; probabilities differ from torch's by at most "
        f"{spec.provenance.export_difference:.1g}"
    )
