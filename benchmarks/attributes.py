"""What each part of finding attributes is worth, and write the table of docs/results.md.

    python benchmarks/attributes.py --drawn DRAWN --photographs ISIC2018 --presence TABLE -o RUNS

DRAWN is what ``dermseg data draw-attributes ISIC2018 --presence TABLE --contrast 1.7`` wrote. Three
networks at the full setting (class weights, focal loss, crop to the lesion, fitted erosion and
dilation), then the third with one part switched off in turn. Can be interrupted at any time and
called again; ``--only NAME`` does one row. Every figure is of the fifth of the photographs that the
split of the recipe keeps apart: of structures drawn into them, and of what they show themselves.
"""

from __future__ import annotations

import argparse
import csv
import json
import shutil
import statistics
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from runs import call, put_table, train

from dermseg.export import tune_package
from dermseg.package import load_package
from dermseg.phantom import ATTRIBUTES

DOCUMENT = Path(__file__).parents[1] / "docs" / "results.md"
RECIPE = "attribute-unet"

PRESENCE = '{name = "presence", weight = 0.3}'
FOCAL = 'name = "focal"'
WEIGHTS = 'class_weights = "inverse_frequency"'
FULL = (
    "preprocessing.size=[96, 96]",
    "training.precision=float32",
    "network.initial_weights=none",
    f"loss=[{{{FOCAL}, parameters = {{gamma = 2.0, {WEIGHTS}}}}}, {PRESENCE}]",
)


@dataclass(frozen=True)
class Row:
    """One line of the table.

    Attributes:
        name: Folder of the run.
        title: What it is.
        overrides: What differs from the recipe.
        without_kernels_of: The run whose model is taken without its erosion and dilation.
    """

    name: str
    title: str
    overrides: tuple[str, ...] = ()
    without_kernels_of: str | None = None


def network(name: str, parameters: str) -> str:
    """The override that takes another network, from random weights."""
    return f'network={{name = "{name}", parameters = {{{parameters}}}}}'


ROWS = (
    Row(
        "inception",
        "Inception v3's start with atrous pooling, 48x48",
        (
            *FULL,
            network("inception_aspp_unet", "pretrained = false"),
            "preprocessing.size=[48, 48]",
            "training.batch_size=8",
            "training.epochs=1",
        ),
    ),
    Row(
        "resnet101",
        "the same with ResNet101, 64x64",
        (
            *FULL,
            network("resnet_aspp_unet", 'encoder = "resnet101", pretrained = false'),
            "preprocessing.size=[64, 64]",
            "training.batch_size=8",
            "training.epochs=4",
        ),
    ),
    Row("residual", "residual U-Net", (*FULL, "training.epochs=18")),
    Row(
        "no-class-weights",
        "... without class weights",
        (
            *FULL,
            f"loss=[{{{FOCAL}, parameters = {{gamma = 2.0}}}}, {PRESENCE}]",
            "training.epochs=18",
        ),
    ),
    Row(
        "no-focal-loss",
        "... with cross-entropy instead of the focal loss",
        (
            *FULL,
            f'loss=[{{name = "bce", parameters = {{{WEIGHTS}}}}}, {PRESENCE}]',
            "training.epochs=18",
        ),
    ),
    Row(
        "no-lesion-crop",
        "... without the crop to the lesion",
        (*FULL, "lesion_crop=none", "training.epochs=18"),
    ),
    Row(
        "no-morphology",
        "... without erosion and dilation",
        without_kernels_of="residual",
    ),
)


def main() -> int:
    """Do what is missing, then write the table from what is there."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--drawn", type=Path, required=True, help="drawn by draw-attributes")
    parser.add_argument("--photographs", type=Path, required=True, help="what was drawn into")
    parser.add_argument("--presence", type=Path, required=True, help="which image shows what")
    parser.add_argument("-o", "--output", type=Path, required=True, help="folder of the runs")
    parser.add_argument("--only", action="append", help="name of a row; may be repeated")
    parser.add_argument("--tables-only", action="store_true", help="train and score nothing")
    options = parser.parse_args()
    for row in ROWS:
        if not options.tables_only and (not options.only or row.name in options.only):
            make_model(row, options)
            score(row, options)
    put_table(DOCUMENT, "attributes", table(options.output))
    return 0


def make_model(row: Row, options: argparse.Namespace) -> None:
    """Train a row's model, or take the kernels out of another one's."""
    run = options.output / row.name
    if row.without_kernels_of is None:
        data = ["--data", str(options.drawn), "--presence", str(options.presence)]
        cache = options.output / ("cache-whole" if row.name == "no-lesion-crop" else "cache")
        train(RECIPE, run, row.overrides, [*data, "--cache", str(cache)])
    elif not (run / "model" / "model.json").is_file():
        source = options.output / row.without_kernels_of
        shutil.copytree(source / "model", run / "model", dirs_exist_ok=True)
        for name in ("split.json", "metrics.csv"):
            shutil.copyfile(source / name, run / name)
        fitted = load_package(run / "model").spec.postprocessing
        bare = fitted.model_copy(update={"erosion": {}, "dilation": {}})
        tune_package(run / "model", bare)


def score(row: Row, options: argparse.Namespace) -> None:
    """Score a row's model on the images that its split keeps apart."""
    run = options.output / row.name
    for kind, data in (("drawn", options.drawn), ("shown", options.photographs)):
        scores = options.output / f"{row.name}-{kind}"
        if (scores / "summary.json").is_file():
            continue
        command = ["evaluate", "--model", str(run / "model"), "--data", str(data)]
        part = ["--split-file", str(run / "split.json"), "--split", "evaluation"]
        table = ["--presence", str(options.presence)] if kind == "shown" else []
        call([*command, *part, *table, "--no-report", "--no-boundary", "-o", str(scores)])


def table(output: Path) -> str:
    """A Markdown table of the rows that are finished."""
    named = [name.replace("_", " ") for name in ATTRIBUTES]
    titles = ["network", "micro Jaccard", *named, "pixel AUC, least", "shown: AUC, mean",
              "parameters", "epochs", "s / epoch"]  # fmt: skip
    lines = ["| " + " | ".join(titles) + " |", "|---" * len(titles) + "|"]
    for row in ROWS:
        files = [output / f"{row.name}-{kind}" / "summary.json" for kind in ("drawn", "shown")]
        if not all(file.is_file() for file in files):
            continue
        drawn, shown = (json.loads(file.read_text("utf-8")) for file in files)
        model = json.loads((output / row.name / "model" / "model.json").read_text("utf-8"))
        with (output / row.name / "metrics.csv").open(encoding="utf-8") as file:
            seconds = [float(epoch["seconds"]) for epoch in csv.DictReader(file)]
        classes = {name: found["figures"] for name, found in drawn["classes"].items()}
        micro = classes["all"]["jaccard"]
        least = min(classes[name]["pixel_auc"]["value"] for name in ATTRIBUTES)
        cells = [
            row.title,
            f"{micro['value']:.3f} [{micro['low']:.3f}, {micro['high']:.3f}]",
            *(f"{classes[name]['jaccard']['value']:.3f}" for name in ATTRIBUTES),
            f"{least:.3f}",
            f"{mean_auc(shown['presence']):.3f}",
            f"{model['provenance']['num_parameters']:,}",
            str(len(seconds)),
            f"{statistics.median(seconds):.0f}",
        ]
        lines.append("| " + " | ".join(cells) + " |")
    return "\n".join(lines) + "\n" if len(lines) > 2 else "No row is trained yet.\n"


def mean_auc(presence: Mapping[str, Any]) -> float:
    """Mean over the attributes of how well a model tells which photographs show them."""
    return statistics.fmean(presence["classes"][name]["auc"]["value"] for name in ATTRIBUTES)


if __name__ == "__main__":
    sys.exit(main())
