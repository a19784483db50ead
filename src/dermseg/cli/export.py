"""``dermseg export``."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from dermseg.cli.terminal import print_line

__all__ = ["export"]


def export(
    run: Annotated[
        list[Path],
        typer.Argument(
            help="A run folder of `dermseg train`; or several, such as folds, to be averaged."
        ),
    ],
    output: Annotated[Path, typer.Option("-o", "--output", help="Folder of the model package.")],
    name: Annotated[
        str | None, typer.Option(help="The model's name, by default the recipe's.")
    ] = None,
    licence: Annotated[
        str | None, typer.Option(help="Licence of the weights, for the model card.")
    ] = None,
    flips: Annotated[
        bool,
        typer.Option(
            "--flips",
            help="Average over each image and its three mirror images: four times the work.",
        ),
    ] = False,
    half: Annotated[
        bool, typer.Option("--half", help="Store weights as float16: half the size, same speed.")
    ] = False,
    int8: Annotated[
        bool,
        typer.Option(
            "--int8",
            help="Compute in int8: about half the time. Needs --data; the loss of accuracy is "
            "measured on images that were not trained on, and recorded in the package.",
        ),
    ] = False,
    data: Annotated[
        Path | None, typer.Option(help="With --int8: the data that the run was trained on.")
    ] = None,
    score: Annotated[
        list[Path] | None,
        typer.Option(help="An evaluation folder whose figures go into the model card."),
    ] = None,
    overwrite: Annotated[
        bool, typer.Option("--overwrite", help="Replace a package that is there.")
    ] = False,
) -> None:
    """Write the best checkpoint of a run, or the mean of several, as a model package.

    Needs the extra 'train'.
    """
    from dermseg.errors import MissingExtraError, UsageError

    if int8 != (data is not None):
        given, missing = ("--int8", "--data") if int8 else ("--data", "--int8")
        message = f"{given} was given without {missing}: give both, or neither"
        raise UsageError(message)
    if int8 and half:
        message = "--int8 and --half exclude each other: int8 weights are smaller still"
        raise UsageError(message)
    try:
        from dermseg.datasets import open_source
        from dermseg.export import NOT_STATED, ExportOptions, export_run, read_score
    except ModuleNotFoundError as error:
        raise MissingExtraError("exporting", "train") from error
    spec = export_run(
        run[0],
        output,
        ExportOptions(
            name,
            flips,
            half,
            licence or NOT_STATED,
            None if data is None else open_source(data),
        ),
        others=run[1:],
        scores=tuple(read_score(folder) for folder in score or []),
        overwrite=overwrite,
    )
    print_line(
        f"model package '{spec.name}': {output}; probabilities differ from torch's by at most "
        f"{spec.provenance.export_difference:.1g}"
    )
    if spec.quantization is not None:
        measured = spec.quantization
        print_line(
            f"int8 costs {measured.loss:.4f} of the mean Jaccard index: "
            f"{measured.int8_jaccard:.4f} instead of {measured.float32_jaccard:.4f} on "
            f"{measured.num_images} images of {measured.on}"
        )
