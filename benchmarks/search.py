"""Compare candidates for the packaged model in short runs, and write the table of docs/results.md.

    OMP_NUM_THREADS=1 python benchmarks/search.py --isic2017 DIR --isic2018 DIR -o RUNS

Each candidate is one ``dermseg train`` of about a quarter of an hour on one thread at 128x96. The
first, the reference, is the recipe ``residual-unet-isic2017``; the others change one thing, and one
trains it on. All are judged on the images that chose the reference's checkpoint: those that are
trained on 2017 alone have the same selection part, the others leave these images out and choose on
others. The official validation part is neither trained on nor looked at. The last one also needs
``--pseudo-labels``, a folder of masks that ``dermseg predict`` drew.

Can be interrupted at any time and called again; ``--only NAME`` does one candidate. A row whose run
is not in RUNS stays in the table as it is.
"""

from __future__ import annotations

import argparse
import csv
import json
import shlex
import statistics
import sys
from dataclasses import dataclass
from pathlib import Path

from runs import call, find_row, put_table, train

from dermseg.datasets import read_groups

DOCUMENT = Path(__file__).parents[1] / "docs" / "results.md"
RECIPE = "residual-unet-isic2017"

PROXY = (
    "preprocessing.size=[96, 128]",
    "training.progressive_resizing=[]",
    "training.precision=float32",
)
"""How the short runs differ from the recipe."""

AVERAGE = "training.ema_warmup=true"
"""What all runs share unless a candidate says otherwise."""


@dataclass(frozen=True)
class Candidate:
    """One line of the table.

    Attributes:
        name: Folder of the run.
        title: What differs from the reference.
        epochs: As many as take about a quarter of an hour on one thread.
        overrides: What differs from the recipe.
        both_years: Trained on the pairs of ISIC 2018 as well.
        pseudo_labels: Trained on images whose masks a model drew as well.
        continues: Starts from the reference's weights.
    """

    name: str
    title: str
    epochs: int
    overrides: tuple[str, ...] = ()
    both_years: bool = False
    pseudo_labels: bool = False
    continues: bool = False

    def settings(self, runs: Path) -> list[str]:
        """All overrides of the short run, each key once."""
        weights = f"network.initial_weights={runs / REFERENCE.name / 'model'}"
        overrides = (*self.overrides, weights) if self.continues else self.overrides
        return merge(AVERAGE, *PROXY, f"training.epochs={self.epochs}", *overrides)


def merge(*overrides: str) -> list[str]:
    """Each key once, with what is said last."""
    return list({each.partition("=")[0]: each for each in overrides}.values())


def network(name: str, parameters: str) -> str:
    """The override that takes another network."""
    return f'network={{name = "{name}", parameters = {{{parameters}}}}}'


def loss(*names: str) -> str:
    """The override that takes a sum of other losses."""
    return "loss=[" + ", ".join(f'{{name = "{name}"}}' for name in names) + "]"


CANDIDATES = (
    Candidate("residual", "the reference: residual U-Net, BCE + Jaccard", 16),
    Candidate("unet", "plain U-Net", 5, (network("unet", "width = 16, depth = 4"),)),
    Candidate("improved-unet", "improved U-Net", 3, (network("improved_unet", "width = 16"),)),
    Candidate(
        "mobile",
        "U-Net with the encoder MobileNetV4 small",
        9,
        (
            network(
                "smp:unet/tu-mobilenetv4_conv_small", "decoder_channels = [128, 64, 32, 16, 16]"
            ),
        ),
    ),
    Candidate("ege-unet", "EGE-UNet", 24, (network("ege_unet", ""),)),
    Candidate(
        "residual-wide",
        "half as many channels again, or nearly",
        8,
        (network("residual_unet", "widths = [24, 48, 96, 128, 176]"),),
    ),
    Candidate("larger", "224x160 in place of 128x96", 6, ("preprocessing.size=[160, 224]",)),
    Candidate(
        "full-size",
        "the reference trained on at 256x192",
        4,
        ("preprocessing.size=[192, 256]", "training.lr=1e-3"),
        continues=True,
    ),
    Candidate("lovasz", "BCE + Lovász", 16, (loss("bce", "lovasz"),)),
    Candidate(
        "strong",
        "augmentation with artefacts, other tones, light and contrast",
        16,
        ("augmentation.preset=strong",),
    ),
    Candidate(
        "no-average",
        "the last weights instead of their average",
        16,
        ("training.ema_decay=none", "training.ema_warmup=false"),
    ),
    Candidate("both-years", "2017 and 2018", 8, both_years=True),
    Candidate(
        "pseudo-labels",
        "2017 and 2018, and 755 images with the masks that `accurate` drew",
        6,
        both_years=True,
        pseudo_labels=True,
    ),
)
REFERENCE = CANDIDATES[0]


def main() -> int:
    """Do what is missing, then write the table from what is there."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--isic2017", type=Path, required=True, help="the dataset's folder")
    parser.add_argument("--isic2018", type=Path, required=True, help="the dataset's folder")
    parser.add_argument("--groups", type=Path, help="groups of images, as data audit writes them")
    parser.add_argument("--pseudo-labels", type=Path, help="folder of dermseg predict")
    parser.add_argument("-o", "--output", type=Path, required=True, help="folder of the runs")
    names = [candidate.name for candidate in CANDIDATES]
    parser.add_argument("--only", action="append", choices=names, help="may be repeated")
    parser.add_argument("--tables-only", action="store_true", help="train and score nothing")
    options = parser.parse_args()
    options.output.mkdir(parents=True, exist_ok=True)
    for candidate in CANDIDATES:
        if options.tables_only or (options.only and candidate.name not in options.only):
            continue
        if candidate.pseudo_labels and not options.pseudo_labels:
            print(f"{candidate.name}: left out for want of --pseudo-labels")
            continue
        train_and_judge(candidate, options)
    put_table(DOCUMENT, "search", table(options.output))
    return 0


def train_and_judge(candidate: Candidate, options: argparse.Namespace) -> None:
    """Train one candidate and score it on the reference's selection part, as far as not done."""
    run, scores = options.output / candidate.name, options.output / f"{candidate.name}-scores"
    excluded = selection_of(options) if candidate.both_years else set()
    train(RECIPE, run, candidate.settings(options.output), data_of(candidate, options, excluded))
    if not (scores / "summary.json").is_file():
        split = ["--split-file", str(options.output / REFERENCE.name / "split.json")]
        command = ["evaluate", "--model", str(run / "model"), "--data", str(options.isic2017)]
        call([*command, *split, "--split", "selection", "--no-report", "-o", str(scores)])


def data_of(candidate: Candidate, options: argparse.Namespace, excluded: set[str]) -> list[str]:
    """What ``dermseg train`` is told about images; the ids to leave out are written to a file."""
    validation = (options.isic2017 / "ISIC-2017_Validation_Data").glob("ISIC_*.jpg")
    file = options.output / ("exclude-judged.txt" if excluded else "exclude-validation.txt")
    ids = with_groups({path.stem for path in validation} | excluded, options)
    file.write_text("".join(f"{id}\n" for id in sorted(ids)), "utf-8")
    folders = [options.isic2017, *([options.isic2018] if candidate.both_years else [])]
    data = [word for folder in folders for word in ("--data", str(folder))]
    groups = ["--groups", str(options.groups)] if options.groups else []
    pseudo = ["--pseudo-labels", str(options.pseudo_labels)] if candidate.pseudo_labels else []
    cache = ["--cache", str(options.output / "cache")]
    return [*data, "--exclude", str(file), *groups, *pseudo, *cache]


def selection_of(options: argparse.Namespace) -> set[str]:
    """Ids of the images that all candidates are judged on."""
    file = options.output / REFERENCE.name / "split.json"
    if not file.is_file():
        raise SystemExit(f"{file} is not there: train '{REFERENCE.name}' first")
    return set(json.loads(file.read_text("utf-8"))["parts"]["selection"])


def with_groups(ids: set[str], options: argparse.Namespace) -> set[str]:
    """The ids, and all that show what one of them shows under another number."""
    groups = read_groups(options.groups) if options.groups else {}
    shown = {groups.get(id) for id in ids} - {None}
    return ids | {id for id, group in groups.items() if group in shown}


def table(output: Path) -> str:
    """A Markdown table of the candidates that are or were finished, and their commands."""
    titles = ["candidate", "what it changes", "Jaccard", "thresholded", "best epoch's",
              "parameters", "epochs", "s / epoch"]  # fmt: skip
    lines = ["| " + " | ".join(titles) + " |", "|---" * len(titles) + "|"]
    commands = []
    for candidate in CANDIDATES:
        line = row(candidate, output) or find_row(DOCUMENT, candidate.name)
        if line is not None:
            lines.append(line)
            commands.append(command_of(candidate))
    if not commands:
        return "No candidate is trained yet.\n"
    return "\n".join([*lines, "", *(f"    {command}" for command in commands)]) + "\n"


def row(candidate: Candidate, output: Path) -> str | None:
    """The line of a candidate, if its run is finished."""
    summary = output / f"{candidate.name}-scores" / "summary.json"
    if not summary.is_file():
        return None
    found = json.loads(summary.read_text("utf-8"))["aggregates"]
    model = json.loads((output / candidate.name / "model/model.json").read_text("utf-8"))
    with (output / candidate.name / "metrics.csv").open(encoding="utf-8") as file:
        epochs = list(csv.DictReader(file))
    scores = [
        f"{score['value']:.3f} [{score['low']:.3f}, {score['high']:.3f}]"
        for score in (found["mean_jaccard"], found["mean_thresholded_jaccard"])
    ]
    best = max(float(epoch["selection_mean_jaccard"]) for epoch in epochs)
    seconds = statistics.median(float(epoch["seconds"]) for epoch in epochs)
    cells = [f"`{candidate.name}`", candidate.title, *scores, f"{best:.3f}",
             f"{model['provenance']['num_parameters']:,}", str(len(epochs)),
             f"{seconds:.0f}"]  # fmt: skip
    return "| " + " | ".join(cells) + " |"


def command_of(candidate: Candidate) -> str:
    """The command as a user would type it."""
    data = (
        "--data DATA --data DATA2 --exclude exclude-judged.txt"
        if candidate.both_years
        else "--data DATA --exclude exclude-validation.txt"
    )
    if candidate.pseudo_labels:
        data += " --pseudo-labels pseudo"
    settings = " ".join(f"--set {shlex.quote(each)}" for each in candidate.settings(Path("runs")))
    return f"dermseg train {RECIPE} {data} --groups groups.csv -o runs/{candidate.name} {settings}"


if __name__ == "__main__":
    sys.exit(main())
