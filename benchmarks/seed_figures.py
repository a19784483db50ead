"""Train the recipes of published projects on real images, and score each by its own convention.

python benchmarks/seed_figures.py DATA OUT [--only NAME] [--quick]

DATA holds ``isic2017_256x192`` and ``isic2018_256x192`` in their official layouts. A run that was
interrupted is continued after its last whole epoch, and one that is finished is scored only. The
table of docs/from-the-five-projects.md is rewritten whenever a row is done; with ``--quick``, which
tries everything in minutes, it is printed only.
"""

from __future__ import annotations

import argparse
import csv
import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from runs import call, put_table, train

_PAGE = Path(__file__).parents[1] / "docs" / "from-the-five-projects.md"
_STEPS = "training.progressive_resizing=[{until_epoch = 10, size = [128, 128]}]"


@dataclass(frozen=True)
class Row:
    """A figure of a project, and how it is repeated.

    Attributes:
        name: Of the run's folder.
        project: In words.
        reported: The project's own figure.
        recipe: What is trained.
        data: Below DATA: the folder of a dataset, or those of images and masks.
        part: Of the run's split that is scored.
        protocol: Whose rules make the figure.
        figure: The project's figure by its name in the summary.
        overrides: Of the recipe.
    """

    name: str
    project: str
    reported: str
    recipe: str
    data: str | tuple[str, str]
    part: str
    protocol: str
    figure: str
    overrides: tuple[str, ...] = ()

    def arguments(self, data: Path) -> list[str]:
        """The options of the command line that name the images."""
        if isinstance(self.data, str):
            return ["--data", str(data / self.data)]
        images, masks = (str(data / name) for name in self.data)
        return ["--images", images, "--masks", masks]


_ISIC2017 = (
    "isic2017_256x192/ISIC-2017_Training_Data",
    "isic2017_256x192/ISIC-2017_Training_Part1_GroundTruth",
)
_ISIC2018 = "isic2018_256x192"

ROWS = (
    Row(
        name="xception",
        project="Xception U-Net, 160x160",
        reported="J .815 (45 images of ISIC 2016)",
        recipe="xception-unet-isic2016",
        # Two folders have no official parts, so that the recipe's own 5 % are the test part.
        data=_ISIC2017,
        part="evaluation",
        protocol="seed000",
        figure="mean_jaccard",
    ),
    *(
        Row(
            name="keras-unet",
            project="Keras U-Net, 128x128",
            reported=reported,
            recipe="unet-isic2018",
            data=_ISIC2018,
            part=part,
            protocol="batch:3:128",
            figure="batch_mean_dice",
        )
        for part, reported in (("selection", "Dice .8821"), ("evaluation", ""))
    ),
    *(
        Row(
            name=f"improved-{side}",
            project=f"Improved U-Net, {side}x{side}",
            reported="Dice .8285",
            recipe="improved-unet-isic2018",
            data=_ISIC2018,
            part="evaluation",
            protocol=f"resized:{side}",
            figure="mean_dice",
            overrides=overrides,
        )
        for side, overrides in (
            (128, ()),
            (256, ("preprocessing.size=[256, 256]", "training.batch_size=8", _STEPS)),
        )
    ),
)


def main() -> None:
    """Run what is asked for, row by row."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("data", type=Path)
    parser.add_argument("out", type=Path)
    parser.add_argument("--only", action="append", choices=sorted({row.name for row in ROWS}))
    parser.add_argument("--quick", action="store_true")
    options = parser.parse_args()
    for row in ROWS:
        if options.only is None or row.name in options.only:
            measure(row, options.data, options.out, quick=options.quick)
        table = as_table(options.out)
        if not options.quick:
            put_table(_PAGE, "figures", f"\n{table}\n")
    print(table)


def measure(row: Row, data: Path, out: Path, *, quick: bool = False) -> None:
    """Train a row's recipe, unless it is trained, and write its scores."""
    run, images = out / row.name, row.arguments(data)
    train(row.recipe, run, row.overrides, [*images, *(["--quick"] if quick else [])])
    part = ["--split-file", str(run / "split.json"), "--split", row.part]
    scores = ["--protocol", row.protocol, "-o", str(_scores(out, row))]
    call(["evaluate", "--model", str(run / "model"), *images, *part, *scores])


def as_table(out: Path) -> str:
    """The rows that are done, in Markdown."""
    lines = [
        "| project | images | its figure | here, with its 95 % interval | protocol | minutes |",
        "|---|---|---|---|---|---|",
    ]
    for row in ROWS:
        path = _scores(out, row) / "summary.json"
        if not path.is_file():
            continue
        summary: dict[str, Any] = json.loads(path.read_text("utf-8"))
        found = summary["aggregates"][row.figure]
        ends = f"{found['low']:.4f}, {found['high']:.4f}"
        lines.append(
            f"| {row.project} | {summary['num_scored']} of {_folder(row)}, {row.part} | "
            f"{row.reported or '-'} | {found['value']:.4f} [{ends}] | `{row.protocol}` | "
            f"{_minutes(out / row.name):.0f} |"
        )
    return "\n".join(lines) + "\n"


def _scores(out: Path, row: Row) -> Path:
    return out / f"{row.name}-{row.part}-scores"


def _folder(row: Row) -> str:
    path = row.data if isinstance(row.data, str) else row.data[0]
    return {"isic2017": "ISIC 2017", "isic2018": "ISIC 2018"}[path.partition("_")[0]]


def _minutes(run: Path) -> float:
    with (run / "metrics.csv").open(newline="", encoding="utf-8") as file:
        return sum(float(row["seconds"]) for row in csv.DictReader(file)) / 60


if __name__ == "__main__":
    main()
