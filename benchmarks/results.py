"""Train every packaged recipe, score it, and write the tables of docs/results.md.

    python benchmarks/results.py --isic2017 DIR --isic2018 DIR -o RUNS

Can be interrupted at any time and called again: finished runs are kept, a broken one continues
after its last whole epoch. ``--only NAME`` does one row. Each row is two commands that a user
could type, ``dermseg train`` and ``dermseg evaluate``; they are
printed as they run. A cache of prepared images is kept beside the runs.
"""

from __future__ import annotations

import argparse
import csv
import json
import statistics
import sys
from dataclasses import dataclass
from pathlib import Path

from runs import call, put_table, train

DOCUMENT = Path(__file__).parents[1] / "docs" / "results.md"

PROTOCOL = ("preprocessing.size=[64, 96]", "training.epochs=10", "training.precision=float32")
"""What all recipes share in the comparison; the rest is each recipe's own."""


@dataclass(frozen=True)
class Row:
    """One line of a table: a recipe, how it was trained and what its seed reported.

    Attributes:
        name: Folder of the run.
        recipe: Name of the packaged recipe.
        dataset: Which of the script's folders it is trained and scored on.
        part: The part of the run's split that is scored.
        overrides: What differs from the recipe.
        reported: The figure that the original project reports.
        reason: Why that figure and ours differ.
    """

    name: str
    recipe: str
    dataset: str
    part: str
    overrides: tuple[str, ...] = ()
    reported: str = ""
    reason: str = ""


OWN = (
    Row(
        "unet-isic2018",
        "unet-isic2018",
        "isic2018",
        "evaluation",
        reported="Dice .882",
        reason="on its validation part; width, loss and optimiser are not known",
    ),
    Row(
        "improved-unet-isic2018",
        "improved-unet-isic2018",
        "isic2018",
        "evaluation",
        reported="Dice .829",
        reason="another split of all 2,594 images",
    ),
)

COMPARISON = (
    Row(
        "xception-unet-on-2017",
        "xception-unet-isic2016",
        "isic2017",
        "validation",
        PROTOCOL,
        "J .815",
        "ISIC 2016 at 160x160, 45 test images; what it calls Dice is pixel accuracy",
    ),
    Row(
        "unet-isic2018-on-2017",
        "unet-isic2018",
        "isic2017",
        "validation",
        (*PROTOCOL, "data.name=isic2017"),
        "Dice .882",
        "ISIC 2018, on the part that chose the checkpoint",
    ),
    Row(
        "unet-ham10000-on-2017",
        "unet-ham10000",
        "isic2017",
        "validation",
        (*PROTOCOL, "data.name=isic2017", "network.parameters.width=16"),
        "Dice .902",
        "HAM10000 at 512x512, pooled over batches, the same lesions in all parts; four times "
        "wider there",
    ),
    Row(
        "unet-ham10000-20-epochs-on-2017",
        "unet-ham10000",
        "isic2017",
        "validation",
        (
            *PROTOCOL,
            "training.epochs=20",
            "data.name=isic2017",
            "network.parameters.width=16",
        ),
        "Dice .902",
        "the same with 20 epochs, as the original's second version",
    ),
    Row(
        "improved-unet-on-2017",
        "improved-unet-isic2018",
        "isic2017",
        "validation",
        (*PROTOCOL, "data.name=isic2017", "training.progressive_resizing=[]"),
        "Dice .829",
        "ISIC 2018 at 256x256",
    ),
    Row(
        "resnet-aspp-unet-on-2017",
        "resnet-aspp-unet-isic2017",
        "isic2017",
        "validation",
        (*PROTOCOL, "network.parameters.pretrained=false", "training.lr_factors={}"),
        "J .090",
        "for five attributes inside the lesion, with a softmax over the batch axis; pre-trained",
    ),
    Row(
        "residual-unet-on-2017",
        "residual-unet-isic2017",
        "isic2017",
        "validation",
        (*PROTOCOL, "training.progressive_resizing=[]"),
        "",
        "our own; the packaged model is this recipe at 256x192 with 52 epochs",
    ),
)


def main() -> int:
    """Do what is missing, then write the tables from what is there."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--isic2017", type=Path, required=True, help="the dataset's folder")
    parser.add_argument("--isic2018", type=Path, required=True, help="the dataset's folder")
    parser.add_argument("-o", "--output", type=Path, required=True, help="folder of the runs")
    parser.add_argument("--only", action="append", help="name of a row; may be repeated")
    parser.add_argument("--tables-only", action="store_true", help="train and score nothing")
    options = parser.parse_args()
    folders = {"isic2017": options.isic2017, "isic2018": options.isic2018}
    for row in (*OWN, *COMPARISON):
        if not options.tables_only and (not options.only or row.name in options.only):
            train_and_score(row, folders[row.dataset], options.output)
    write_tables(options.output)
    return 0


def train_and_score(row: Row, data: Path, output: Path) -> None:
    """Train and score one row, as far as that is not done."""
    run, scores = output / row.name, output / f"{row.name}-scores"
    cache = output / "cache" / row.dataset
    train(row.recipe, run, row.overrides, ["--data", str(data), "--cache", str(cache)])
    if not (scores / "summary.json").is_file():
        split = ["--split-file", str(run / "split.json")] if row.part == "evaluation" else []
        command = ["evaluate", "--model", str(run / "model"), "--data", str(data)]
        call([*command, *split, "--split", row.part, "-o", str(scores)])


def write_tables(output: Path) -> None:
    """Replace what stands between the document's markers by the tables of the finished runs."""
    for title, rows in (("own", OWN), ("comparison", COMPARISON)):
        put_table(DOCUMENT, title, table(rows, output))


def table(rows: tuple[Row, ...], output: Path) -> str:
    """A Markdown table of the rows that are finished."""
    measures = ("jaccard", "thresholded_jaccard", "dice", "accuracy", "sensitivity", "specificity")
    titles = [
        "recipe", "Jaccard", "thresholded", "Dice", "accuracy", "sensitivity", "specificity",
        "parameters", "s / epoch", "the seed reports", "why they differ",
    ]  # fmt: skip
    lines = ["| " + " | ".join(titles) + " |", "|---" * len(titles) + "|"]
    for row in rows:
        summary = output / f"{row.name}-scores" / "summary.json"
        if not summary.is_file():
            continue
        found = json.loads(summary.read_text("utf-8"))["aggregates"]
        model = json.loads((output / row.name / "model" / "model.json").read_text("utf-8"))
        with (output / row.name / "metrics.csv").open(encoding="utf-8") as file:
            seconds = statistics.median(float(epoch["seconds"]) for epoch in csv.DictReader(file))
        scores = [
            f"{score['value']:.3f} [{score['low']:.3f}, {score['high']:.3f}]"
            for score in (found[f"mean_{measure}"] for measure in measures)
        ]
        parameters = f"{model['provenance']['num_parameters']:,}"
        cells = [f"`{row.recipe}`", *scores, parameters, f"{seconds:.0f}"]
        lines.append("| " + " | ".join([*cells, row.reported, row.reason]) + " |")
    return "\n".join(lines) + "\n" if len(lines) > 2 else "No row is trained yet.\n"


if __name__ == "__main__":
    sys.exit(main())
