"""``dermseg card``."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from dermseg.cli.terminal import print_line

__all__ = ["card"]


def card(
    model: Annotated[Path, typer.Argument(help="A model package's folder.")],
    score: Annotated[
        list[Path] | None,
        typer.Option(help="An evaluation folder whose figures go into the card; may be repeated."),
    ] = None,
    notes: Annotated[
        Path | None,
        typer.Option(help="Markdown file of notes; they replace those in the card."),
    ] = None,
) -> None:
    """Add scores and notes to a model's card. Needs the extra 'train'."""
    from dermseg.errors import MissingExtraError, UsageError

    if not score and notes is None:
        message = "nothing to add: give --score, the folder of an evaluation, or --notes, a file"
        raise UsageError(message)
    try:
        from dermseg.export import describe_package, read_score
    except ModuleNotFoundError as error:
        raise MissingExtraError("writing cards", "train") from error
    scores = [read_score(folder) for folder in score or []]
    describe_package(model, scores=scores, notes=None if notes is None else _read(notes))
    print_line(f"written to {model / 'MODEL_CARD.md'}")


def _read(path: Path) -> str:
    from dermseg.errors import UsageError

    try:
        return path.read_text("utf-8")
    except (OSError, ValueError) as error:
        message = f"{path}: cannot be read as text: {error}"
        raise UsageError(message) from error
