r"""Judge recipes for attributes on sources that they have not seen: one row for each change.

    OMP_NUM_THREADS=1 python benchmarks/attributes.py --isic2018 DIR --groups groups.csv \
        --exclude validation.txt -o OUT [--only NAME ...]

Each candidate, the packaged recipe with overrides, is trained on the photographs whose number is
below 12000 and scored on the others, which come from other sources, under the protocol
``isic2018_task2`` with the thresholds that training fitted. ``--exclude`` names the photographs
that are in neither: those of the official validation part of 2017, and copies of them.

Can be interrupted at any time and called again. OUT gets ``runs/NAME``, ``scores/NAME`` and
``attributes.md``.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from runs import call, is_of_other_sources, train

from dermseg.datasets import open_source, write_split
from dermseg.types import Sample, Split

RECIPE = "attribute-unet-isic2018"

JUDGED = "judged"
"""The part of the split that is scored."""


@dataclass(frozen=True)
class Candidate:
    """A recipe to judge.

    Attributes:
        name: Folder of its run.
        title: How it differs from the recipe.
        overrides: ``KEY=VALUE`` each.
    """

    name: str
    title: str
    overrides: tuple[str, ...] = ()


CANDIDATES = (
    Candidate("recipe", "the recipe"),
    Candidate("whole", "the whole image instead of the lesion", ("lesion_crop=none",)),
    Candidate(
        "imagenet",
        "ImageNet weights alone, none of a lesion model",
        ("network.initial_weights=none", "network.parameters.weights=imagenet"),
    ),
)


def main() -> int:
    """Do what is missing, then write the table from what is there."""
    options = parse()
    samples = open_source(options.isic2018, groups=options.groups).samples
    options.output.mkdir(parents=True, exist_ok=True)
    excluded, split = options.output / "exclude.txt", options.output / "split.json"
    kept_out = set(options.exclude.read_text("utf-8").split())
    divide(samples, kept_out, excluded, split)
    for candidate in CANDIDATES:
        if options.only and candidate.name not in options.only:
            continue
        run = options.output / "runs" / candidate.name
        scores = options.output / "scores" / candidate.name
        data = ["--data", str(options.isic2018), "--groups", str(options.groups)]
        train(
            RECIPE,
            run,
            candidate.overrides,
            [*data, "--exclude", str(excluded), "--workers", "0"],
        )
        if not (scores / "summary.json").is_file():
            words = ["--data", str(options.isic2018), "--split-file", str(split)]
            words += ["--split", JUDGED, "--no-report", "--no-boundary", "-o", str(scores)]
            call(["evaluate", "--model", str(run / "model"), *words])
    text = table(options.output / "scores")
    (options.output / "attributes.md").write_text(text, "utf-8")
    print(text)
    return 0


def parse() -> argparse.Namespace:
    """The command line."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--isic2018", type=Path, required=True, help="the dataset's folder")
    parser.add_argument("--groups", type=Path, required=True, help="as dermseg data audit writes")
    parser.add_argument("--exclude", type=Path, required=True, help="ids in neither part")
    parser.add_argument("-o", "--output", type=Path, required=True)
    names = [candidate.name for candidate in CANDIDATES]
    parser.add_argument("--only", action="append", choices=names, help="may be repeated")
    return parser.parse_args()


def divide(samples: Sequence[Sample], kept_out: set[str], excluded: Path, split: Path) -> None:
    """Write the ids that must not be trained on, and the split with those that are scored."""
    judged = [sample for sample in samples if is_of_other_sources(sample)]
    others = {sample.group for sample in samples if sample.id in kept_out}
    others |= {sample.group for sample in judged}
    not_trained = sorted(sample.id for sample in samples if sample.group in others)
    excluded.write_text("".join(f"{id}\n" for id in not_trained), "utf-8")
    ids = tuple(sorted(sample.id for sample in judged if sample.id not in kept_out))
    write_split(split, Split({JUDGED: ids}, source="across sources"))


def table(folder: Path) -> str:
    """The figures of everything that is scored, in Markdown."""
    found = {
        candidate: json.loads((folder / candidate.name / "summary.json").read_text("utf-8"))
        for candidate in CANDIDATES
        if (folder / candidate.name / "summary.json").is_file()
    }
    if not found:
        return "Nothing is scored yet.\n"
    names = list(next(iter(found.values()))["classes"])
    lines = [
        "| | " + " | ".join(name.replace("_", " ") for name in names) + " |",
        "|---" * (len(names) + 1) + "|",
    ]
    for candidate, summary in found.items():
        cells = [cell(summary["classes"][name]["jaccard"]) for name in names]
        lines.append("| " + " | ".join([candidate.title, *cells]) + " |")
    return "\n".join(lines) + "\n"


def cell(figure: dict[str, Any]) -> str:
    """A figure with its interval."""
    return f"{figure['value']:.3f} [{figure['low']:.3f}, {figure['high']:.3f}]"


if __name__ == "__main__":
    sys.exit(main())
