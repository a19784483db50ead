"""All commands by name."""

from __future__ import annotations

import logging
from typing import Annotated

import typer

from dermseg import __version__
from dermseg.cli import (
    calibrate,
    card,
    catalogue,
    compare,
    convert,
    data,
    demo,
    dicom,
    evaluate,
    export,
    predict,
    push,
    serve,
    train,
)
from dermseg.cli.terminal import print_line
from dermseg.cli.verbosity import set_verbosity, with_verbosity

__all__ = ["app"]

app = typer.Typer(
    name="dermseg",
    help="Segment skin lesions in dermoscopic images. Not a medical device, and no diagnosis.",
    no_args_is_help=True,
    context_settings={"help_option_names": ["-h", "--help"]},
    rich_markup_mode=None,  # importing rich takes longer than all else that --help does
    pretty_exceptions_enable=False,
)
app.command("predict")(with_verbosity(predict.predict))
app.command("demo")(with_verbosity(demo.demo))
app.add_typer(data.app, name="data")
app.command("serve")(serve.serve)
app.add_typer(serve.app, name="review")
app.command("train")(with_verbosity(train.train))
app.command("evaluate")(with_verbosity(evaluate.evaluate))
app.command("compare")(with_verbosity(compare.compare))
app.command("export")(with_verbosity(export.export))
app.command("calibrate")(with_verbosity(calibrate.calibrate))
app.command("convert")(with_verbosity(convert.convert))
app.add_typer(dicom.app, name="dicom")
app.command("card")(card.card)
app.command("push")(push.push)
app.command("models")(catalogue.models)
app.command("networks")(catalogue.networks)
app.command("recipes")(catalogue.recipes)


def _show_version(value: bool) -> None:
    if value:
        print_line(__version__)
        raise typer.Exit


@app.callback()
def _options(
    version: Annotated[
        bool,
        typer.Option("--version", callback=_show_version, is_eager=True, help="Show the version."),
    ] = False,
) -> None:
    set_verbosity(logging.INFO)
