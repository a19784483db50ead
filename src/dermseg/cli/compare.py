"""``dermseg compare``."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Annotated, Any

import typer

from dermseg.cli.terminal import print_line, print_text
from dermseg.errors import MissingExtraError, UsageError

__all__ = ["compare"]

_MOST_PICTURES = 100


def compare(
    evaluations: Annotated[
        list[Path],
        typer.Argument(metavar="EVAL EVAL...", help="Folders that 'dermseg evaluate -o' wrote."),
    ],
    output: Annotated[
        Path | None, typer.Option("-o", "--output", help="Folder for tables and pictures.")
    ] = None,
    score: Annotated[str, typer.Option(help="Score that ranks and tests the models.")] = "jaccard",
    common: Annotated[
        bool, typer.Option("--common", help="Compare the images that all evaluations scored.")
    ] = False,
    pictures: Annotated[
        str,
        typer.Option(
            help="Images to name and show side by side: how many of those that differ most, or "
            "their names, such as ISIC_0000001,ISIC_0000002."
        ),
    ] = "12",
    as_json: Annotated[
        bool, typer.Option("--json", help="Print comparison.json on standard output.")
    ] = False,
) -> None:
    """Compare evaluations of the same images, image by image. Needs the extra 'eval'.

    Intervals (95 %, bootstrap) and tests (Wilcoxon, corrected by Holm) are paired, and take groups
    of images, such as lesions, as one. Models that share a letter cannot be told apart.
    """
    try:
        from dermseg.evaluation import comparison
    except ModuleNotFoundError as error:
        raise MissingExtraError("comparing", "eval") from error

    images = _wanted(pictures)
    stored = [comparison.read_evaluation(folder) for folder in evaluations]
    result = comparison.compare(comparison.align(stored, common=common), score=score)
    summary = comparison.summarize(result, images=images)
    notes: list[str] = []
    if output is not None:
        notes = comparison.write_comparison(output, result, images=images)
    if as_json:
        print_text(json.dumps(summary, indent=2))
    else:
        shown = "that differ most in" if isinstance(images, int) else "that were named, by"
        for line in _lines(summary, comparison.describe_images(result), shown):
            print_line(line)
        notes = [*summary["warnings"], *notes]
    for note in notes:
        print_line(f"warning: {note}", err=True)
    if output is not None and not as_json:
        print_line(f"written to {output}")


def _wanted(pictures: str) -> int | list[str]:
    """A number of images, or their names."""
    from dermseg.datasets.identity import normal_id

    if not pictures.isdecimal():
        return [normal_id(name.strip()) for name in pictures.split(",") if name.strip()]
    if int(pictures) > _MOST_PICTURES:
        message = f"--pictures {pictures}: expected at most {_MOST_PICTURES}, or names of images"
        raise UsageError(message)
    return int(pictures)


def _lines(summary: dict[str, Any], images: str, shown: str) -> Iterator[str]:
    score = summary["score"]
    better = "more" if summary["higher_is_better"] else "less"
    yield f"{len(summary['ranking'])} models on the same {images}, by {score}: {better} is better"
    yield ""
    yield from _table(_ranking(summary), num_left=2)
    yield ""
    yield from _table(_pairs(summary), num_left=1)
    yield ""
    yield from summary["conclusions"]
    num_others = len(summary["differences"]) - 1
    if num_others and len(summary["pairs"]) == 1:
        yield ""
        yield "all scores: first minus second, intervals not corrected; with * less is better"
        yield from _table(_all_scores(summary), num_left=1)
    elif num_others:
        yield f"the differences in {num_others} other scores are in comparison.json (--json)"
    if summary["most_different"]:
        yield ""
        yield f"the images {shown} {score}"
        yield from _table(_images(summary), num_left=1)


def _ranking(summary: dict[str, Any]) -> list[list[str]]:
    """Best first; Dice and cross-entropy are the mean row of scores.csv."""
    score = summary["score"]
    others = [
        name
        for name in ("dice", "cross_entropy")
        if name != score and name in summary["differences"]
    ]
    rows = [["", "model", score, "95 % interval", "letters", *(f"mean {name}" for name in others)]]
    for row in summary["ranking"]:
        means = [f"{row['other_means'][name]['value']:.4f}" for name in others]
        rank, mean = f"{row['rank']}", f"{row['mean']['value']:.4f}"
        rows.append([rank, row["name"], mean, _ends(row["mean"]), row["letters"], *means])
    return rows


def _pairs(summary: dict[str, Any]) -> list[list[str]]:
    from dermseg.evaluation.comparison import format_p_value

    header = ["pair", "difference", "95 % interval", "wins", "ties", "losses", "p", "p (Holm)"]
    return [
        header,
        *(
            [
                _pair_name(row),
                *_difference(row),
                *_outcomes(row),
                format_p_value(row["p_value"]),
                format_p_value(row["adjusted_p_value"]),
            ]
            for row in summary["pairs"]
        ),
    ]


def _all_scores(summary: dict[str, Any]) -> list[list[str]]:
    from dermseg.evaluation import SCORES

    rows = [["score", "difference", "95 % interval", "wins", "ties", "losses"]]
    for score, (row,) in summary["differences"].items():
        name = f"{score} *" if SCORES[score].better == "lower" else score
        rows.append([name, *_difference(row), *_outcomes(row)])
    return rows


def _images(summary: dict[str, Any]) -> list[list[str]]:
    names = [row["name"] for row in summary["ranking"]]
    return [
        ["image", *names],
        *(
            [image["id"], *(f"{image['scores'][name]:.4f}" for name in names)]
            for image in summary["most_different"]
        ),
    ]


def _pair_name(row: dict[str, Any]) -> str:
    return f"{row['first']} - {row['second']}"


def _difference(row: dict[str, Any]) -> list[str]:
    return [f"{row['difference']['value']:+.4f}", _ends(row["difference"], sign="+")]


def _outcomes(row: dict[str, Any]) -> list[str]:
    return [str(row[key]) for key in ("num_wins", "num_ties", "num_losses")]


def _ends(interval: dict[str, float], *, sign: str = "") -> str:
    return f"[{interval['low']:{sign}.4f}, {interval['high']:{sign}.4f}]"


def _table(rows: Sequence[Sequence[str]], *, num_left: int) -> Iterator[str]:
    """Columns under each other, the first ones to the left, numbers to the right."""
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    for row in rows:
        cells = [
            cell.ljust(width) if place < num_left else cell.rjust(width)
            for place, (cell, width) in enumerate(zip(row, widths, strict=True))
        ]
        yield "  ".join(cells).rstrip()
