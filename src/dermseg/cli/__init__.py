"""The command line: parse, call, print. Work is done in the layers below."""

from __future__ import annotations

import logging
import sys
from typing import Annotated, NoReturn

import typer

from dermseg import __version__
from dermseg.cli import (
    calibrate,
    card,
    catalogue,
    compare,
    data,
    demo,
    evaluate,
    export,
    predict,
    train,
)
from dermseg.cli.verbosity import set_verbosity, with_verbosity
from dermseg.errors import DermsegError, ImageError, UsageError

__all__ = ["app", "main"]

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
app.command("train")(with_verbosity(train.train))
app.command("evaluate")(with_verbosity(evaluate.evaluate))
app.command("compare")(with_verbosity(compare.compare))
app.command("export")(with_verbosity(export.export))
app.command("calibrate")(with_verbosity(calibrate.calibrate))
app.command("card")(card.card)
app.command("models")(catalogue.models)
app.command("networks")(catalogue.networks)
app.command("recipes")(catalogue.recipes)


def _show_version(value: bool) -> None:
    if value:
        typer.echo(__version__)
        raise typer.Exit


@app.callback()
def _options(
    version: Annotated[
        bool,
        typer.Option("--version", callback=_show_version, is_eager=True, help="Show the version."),
    ] = False,
) -> None:
    set_verbosity(logging.INFO)


def main() -> None:
    """Run the command line; errors become one line and an exit code, never a traceback."""
    try:
        # The same name for `python -m dermseg`: completion is installed for that of the command.
        app(prog_name="dermseg")
    except DermsegError as error:
        _fail(str(error), 2 if isinstance(error, UsageError) else _code_of(error))
    except KeyboardInterrupt:
        _fail("interrupted", 130)
    except MemoryError:
        _fail("out of memory: use a smaller --batch-size, or fewer --workers", 3)


def _code_of(error: DermsegError) -> int:
    return 1 if isinstance(error, ImageError) else 3


def _fail(message: str, code: int) -> NoReturn:
    typer.echo(f"dermseg: {message}", err=True)
    sys.exit(code)
