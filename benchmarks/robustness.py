"""Jaccard index against the strength of what may be wrong with a photograph, for several models.

    python benchmarks/robustness.py MODEL [MODEL ...] --data DIR -o OUT

MODEL is a shipped model's name or a package's folder. The images are a part of a dataset that the
models were not trained on (``--split``, of the official parts or of a split file), and phantoms.
OUT gets ``robustness.csv``, ``robustness.md``, ``robustness.png`` (one panel for each corruption),
``examples.png`` (one image under all of them), and ``card-MODEL.md`` for each model's card. Of
phantoms, the skin's tone is that of the generator, from very light to dark.
"""

from __future__ import annotations

import argparse
import csv
import statistics
import sys
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import astuple, dataclass, fields
from pathlib import Path

import cv2
import numpy as np
from corruptions import CORRUPTIONS, SKIN_TONE, STRENGTHS
from matplotlib.figure import Figure

from dermseg.datasets import find_split, open_source
from dermseg.evaluation import bootstrap_interval
from dermseg.images import read_image, read_mask, write_image
from dermseg.metrics import jaccard
from dermseg.phantom import PhantomOptions, create_phantom
from dermseg.prediction import Predictor, load_model
from dermseg.types import BoolMask, ImageArray

CLEAN = "as it is"
MEAN = "mean of all"
_LIGHTEST, _DARKEST = 70, -50

Pair = tuple[ImageArray, BoolMask]


@dataclass(frozen=True)
class Row:
    """One mean: of a model, on images of a kind, under a corruption of a strength."""

    model: str
    images: str
    corruption: str
    strength: float
    num_images: int
    mean_jaccard: float
    low: float
    high: float


def main() -> int:
    """Measure, then write table and pictures."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("models", nargs="+", help="shipped models' names, or packages' folders")
    parser.add_argument("--data", type=Path, required=True, help="the dataset's folder")
    parser.add_argument("--split", default="validation", help="the part that is taken")
    parser.add_argument("--split-file", type=Path, help="in place of the official parts")
    parser.add_argument("--num-images", type=int, default=100, help="at most, of each kind")
    parser.add_argument("-o", "--output", type=Path, required=True)
    options = parser.parse_args()
    options.output.mkdir(parents=True, exist_ok=True)
    dataset = open_source(options.data)
    ids = find_split(dataset, split_file=options.split_file).parts[options.split]
    chosen = set(ids[: options.num_images])
    real = [
        (read_image(sample.image), read_mask(sample.mask))
        for sample in dataset.samples
        if sample.id in chosen and sample.mask is not None
    ]
    kinds = {"real": real, "phantoms": phantoms(options.num_images, _LIGHTEST)}
    rows: list[Row] = []
    for name in options.models:
        model = load_model(name, precision="auto")
        title = model.spec.name if len(options.models) == 1 else name
        for images, pairs in kinds.items():
            print(f"{title} on {len(pairs)} {images}", flush=True)
            rows += measure(model, title, images, pairs)
    write_csv(options.output / "robustness.csv", rows)
    (options.output / "robustness.md").write_text(table(rows), "utf-8")
    for title in dict.fromkeys(row.model for row in rows):
        section = options.output / f"card-{Path(title).name}.md"
        section.write_text(card_section(rows, title), "utf-8")
    draw(rows).savefig(options.output / "robustness.png", dpi=100)
    write_image(options.output / "examples.png", examples(real[0]))
    return 0


def phantoms(num_images: int, ita_degrees: float) -> list[Pair]:
    """Generated images without artefacts, on skin of one tone."""
    tone = PhantomOptions(ita_degrees=ita_degrees, artefacts={})
    made = (create_phantom(seed, options=tone) for seed in range(num_images))
    return [(phantom.image, phantom.mask) for phantom in made]


def measure(model: Predictor, title: str, images: str, pairs: Sequence[Pair]) -> Iterator[Row]:
    """Mean Jaccard index as the images are, and under each corruption."""

    def row(corruption: str, strength: float, changed: Sequence[Pair]) -> Row:
        predicted = model.predict_many((image for image, _ in changed), force=True)
        found = [
            jaccard(prediction.mask, mask)
            for prediction, (_, mask) in zip(predicted, changed, strict=True)
        ]
        mean = bootstrap_interval(found, num_resamples=1999)
        return Row(title, images, corruption, strength, len(found), *astuple(mean))

    yield row(CLEAN, 0.0, pairs)
    for name in CORRUPTIONS:
        for strength in STRENGTHS:
            yield row(name, strength, corrupt(pairs, images, name, strength))


def corrupt(pairs: Sequence[Pair], images: str, name: str, strength: float) -> list[Pair]:
    """The images under one corruption; each image has the same random numbers at all strengths."""
    if name == SKIN_TONE and images == "phantoms":
        return phantoms(len(pairs), _LIGHTEST + strength * (_DARKEST - _LIGHTEST))
    change = CORRUPTIONS[name]
    return [
        change(image, mask, np.random.default_rng([number, *name.encode()]), strength)
        for number, (image, mask) in enumerate(pairs)
    ]


def write_csv(path: Path, rows: Sequence[Row]) -> None:
    """All rows, rounded to what the number of images allows."""
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file)
        writer.writerow([field.name for field in fields(Row)])
        writer.writerows(
            [f"{value:.4g}" if isinstance(value, float) else value for value in astuple(row)]
            for row in rows
        )


def table(rows: Sequence[Row]) -> str:
    """A Markdown table: a line for each corruption, a column for each model and strength."""
    models = dict.fromkeys(row.model for row in rows)
    kinds = dict.fromkeys(row.images for row in rows)
    titles = [f"{model} {strength:g}" for model in models for strength in STRENGTHS]
    found = _by_series(rows)
    lines = [
        [
            images,
            name,
            *_means(found, name, [(model, images, each) for model in models for each in STRENGTHS]),
        ]
        for images in kinds
        for name in (CLEAN, *CORRUPTIONS, MEAN)
    ]
    return _markdown(["images", "corruption", *titles], lines)


def card_section(rows: Sequence[Row], model: str) -> str:
    """What the card of a model says, as Markdown: at half and at full strength."""
    numbers = {row.images: row.num_images for row in rows if row.model == model}
    columns = [(model, images, strength) for images in numbers for strength in (0.5, 1.0)]
    titles = [f"{images}, {strength:g}" for _, images, strength in columns]
    found = _by_series(rows)
    lines = [[name, *_means(found, name, columns)] for name in (CLEAN, *CORRUPTIONS, MEAN)]
    counts = ", ".join(f"{images}: {number}" for images, number in numbers.items())
    return (
        "## Robustness\n"
        f"Mean Jaccard index of images that it was not trained on ({counts}), with artefacts and\n"
        "other changes at half and at full strength, which is as strong as photographs get.\n\n"
        + _markdown(["change", *titles], lines)
    )


def _by_series(rows: Sequence[Row]) -> dict[tuple[str, str, str, float], float]:
    return {(row.model, row.images, row.corruption, row.strength): row.mean_jaccard for row in rows}


def _means(
    found: Mapping[tuple[str, str, str, float], float],
    corruption: str,
    columns: Sequence[tuple[str, str, float]],
) -> list[str]:
    """Of each model, kind of images and strength, under one corruption or in the mean of all."""
    names = CORRUPTIONS if corruption == MEAN else (corruption,)
    means = (
        [found[model, images, name, 0.0 if name == CLEAN else strength] for name in names]
        for model, images, strength in columns
    )
    return [f"{statistics.fmean(values):.3f}" for values in means]


def _markdown(titles: Sequence[str], lines: Sequence[Sequence[str]]) -> str:
    head = ["| " + " | ".join(titles) + " |", "|---" * len(titles) + "|"]
    return "\n".join([*head, *("| " + " | ".join(line) + " |" for line in lines)]) + "\n"


def draw(rows: Sequence[Row]) -> Figure:
    """One panel for each corruption, one line for each model: whole for real images."""
    models = list(dict.fromkeys(row.model for row in rows))
    series = list(dict.fromkeys((row.model, row.images) for row in rows))
    num_columns = 6
    num_rows = -(-len(CORRUPTIONS) // num_columns)
    figure = Figure(figsize=(2.3 * num_columns, 2.1 * num_rows + 0.5), layout="constrained")
    panels = figure.subplots(num_rows, num_columns, sharex=True, sharey=True).flat
    for name, axes in zip(CORRUPTIONS, panels, strict=False):
        for model, images in series:
            points = [
                row
                for row in rows
                if (row.model, row.images) == (model, images) and row.corruption in (CLEAN, name)
            ]
            strengths = [row.strength for row in points]
            color = f"C{models.index(model)}"
            line = "-" if images == "real" else "--"
            means = [row.mean_jaccard for row in points]
            axes.plot(strengths, means, line, color=color, label=f"{model}, {images}")
            ends = ([row.low for row in points], [row.high for row in points])
            axes.fill_between(strengths, *ends, color=color, alpha=0.15, linewidth=0)
        axes.set_title(name, fontsize=10)
        axes.set_ylim(0, 1)
        axes.grid(alpha=0.3)
    for axes in list(figure.axes)[len(CORRUPTIONS) :]:
        axes.set_axis_off()
    figure.legend(*figure.axes[0].get_legend_handles_labels(), loc="outside upper center", ncols=4)
    figure.supylabel("mean Jaccard index", fontsize=10)
    figure.supxlabel("strength", fontsize=10)
    return figure


def examples(pair: Pair) -> ImageArray:
    """One image under every corruption, a line each, weakest first, with the mask's contour."""
    lines = []
    for name in CORRUPTIONS:
        pictures = []
        for strength in STRENGTHS:
            ((image, mask),) = corrupt([pair], "real", name, strength)
            contours, _ = cv2.findContours(
                mask.astype(np.uint8), cv2.RETR_EXTERNAL, cv2.CHAIN_APPROX_NONE
            )
            picture = cv2.drawContours(image.copy(), contours, -1, (0, 255, 120), 1)
            pictures.append(cv2.resize(picture, (160, 120), interpolation=cv2.INTER_AREA))
        lines.append(np.hstack(pictures))
    half = -(-len(lines) // 3)
    columns = [lines[start : start + half] for start in range(0, len(lines), half)]
    blank = np.full_like(lines[0], 255)
    return np.hstack([np.vstack(column + [blank] * (half - len(column))) for column in columns])


if __name__ == "__main__":
    sys.exit(main())
