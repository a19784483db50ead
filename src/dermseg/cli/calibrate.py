"""``dermseg calibrate``."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from dermseg.cli.sources import GroupsOption, ImagesOption, MasksOption, choose_sources
from dermseg.cli.terminal import print_line

__all__ = ["calibrate"]


def calibrate(
    model: Annotated[str, typer.Argument(help="A shipped model's name or a package's folder.")],
    output: Annotated[Path, typer.Option("-o", "--output", help="Folder of the new package.")],
    data: Annotated[
        list[Path] | None,
        typer.Option(help="Folder of a dataset that it was trained on; may be repeated."),
    ] = None,
    images: ImagesOption = None,
    masks: MasksOption = None,
    groups: GroupsOption = None,
    folds: Annotated[
        Path | None,
        typer.Option(
            help="Folder of `dermseg train --folds` of the same recipe: fit on out-of-fold "
            "predictions, not on the images that chose the checkpoint."
        ),
    ] = None,
    threshold_data: Annotated[
        Path | None,
        typer.Option(
            help="Folder of a dataset of another camera, which nothing was trained on: choose the "
            "threshold on it."
        ),
    ] = None,
    overwrite: Annotated[
        bool, typer.Option("--overwrite", help="Replace a package that is there.")
    ] = False,
) -> None:
    """Fit thresholds and the estimates of a model's reliability. Needs the extra 'train'.

    For a lesion model: temperature, bias and threshold, the estimate of each mask's quality, and of
    which images the model was not made for. For a model of attributes: the threshold of each, and
    the probability that an image shows it. Writes a copy of the package with a card that says what
    this is worth.
    """
    from dermseg.errors import MissingExtraError

    sources = choose_sources(data, images, masks)
    try:
        from dermseg.calibration import calibrate_package
        from dermseg.datasets import open_source
    except ModuleNotFoundError as error:
        raise MissingExtraError("calibrating", "train") from error
    datasets = [open_source(source, groups=groups) for source in sources]
    spec = calibrate_package(
        model,
        datasets,
        output,
        folds=folds,
        threshold_data=None if threshold_data is None else open_source(threshold_data),
        overwrite=overwrite,
    )
    options = spec.postprocessing
    if spec.presence is None:
        fitted = (
            f"temperature {spec.temperature:g}, bias {spec.bias:g}, threshold {options.threshold:g}"
        )
    else:
        thresholds = (f"{name} {value:.3g}" for name, value in options.thresholds.items())
        fitted = f"thresholds: {', '.join(thresholds)}"
    print_line(
        f"model package '{spec.name}': {output}; {fitted}; its MODEL_CARD.md says how reliable its "
        "estimates are"
    )
