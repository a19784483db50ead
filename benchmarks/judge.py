r"""Judge recipes and models on sources, cameras and skins that they have not seen.

    OMP_NUM_THREADS=1 python benchmarks/judge.py --isic2017 DIR --isic2018 DIR --ham10000 DIR \
        --groups groups.csv --unlabelled DIR -o OUT [--only NAME ...] [--model NAME=FOLDER ...]

Random folds of one collection are too kind: they show the same cameras and skins on both sides.
Here a candidate, a recipe with overrides, is trained on the photographs of ISIC whose number is
below 12000, and judged on

- ``across 2017``: the photographs from 12000 on, which come from other sources, against the masks
  of 2017; ``across 2018``: the same against the masks of 2018, which are drawn tighter;
- ``camera``: photographs of HAM10000, which are only looked at;
- ``phantoms``: generated images of six skin tones; ``darkest``: the two darkest of these.

The mean over these five sources decides. ``--reverse`` trains from 12000 on and judges below.
``--model`` judges a finished package on the same images, without training; one that saw them in
training is flattered, and the table says so. The official validation part is in none of this.

Can be interrupted at any time and called again; ``--only`` does one candidate. OUT gets
``runs/NAME``, ``scores/NAME.csv`` (a row per image and source) and ``judge.md``.
"""

from __future__ import annotations

import argparse
import csv
import sys
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import numpy as np
from runs import call, is_of_other_sources, put_table, train

from dermseg.datasets import Dataset, open_source
from dermseg.evaluation import bootstrap_interval, measure_image
from dermseg.images import read_image, read_mask
from dermseg.metrics import jaccard
from dermseg.phantom import PhantomOptions, create_phantom
from dermseg.prediction import Predictor, load_model
from dermseg.types import BoolMask, ImageArray, Sample

DOCUMENT = Path(__file__).parents[1] / "docs" / "results.md"
RECIPE = "lesion-unet"

SOURCES = ("across 2017", "across 2018", "camera", "phantoms", "darkest")
TONES = (75, 55, 35, 10, -20, -50)
"""Skin tones of the phantoms, as individual typology angles; the last two are the darkest."""

PHANTOMS_PER_TONE = 40
_FIRST_PHANTOM = 50_000

THRESHOLDS = (0.3, 0.4, 0.5, 0.6, 0.7)
"""Masks are made at each of them, to see what one threshold does to which source."""

SKINS = {"very light": 55, "light": 41, "intermediate": 28, "tan": 10, "brown": -30, "dark": -90}
"""Least individual typology angle of each group (Chardon et al. 1991)."""


@dataclass(frozen=True)
class Candidate:
    """A recipe to judge.

    Attributes:
        name: Folder of its run.
        title: What it changes.
        overrides: What differs from the recipe.
        both_years: Trained on the masks of 2018 as well.
        pseudo_labels: Trained on images whose masks another candidate drew, too: its name.
    """

    name: str
    title: str
    overrides: tuple[str, ...] = ()
    both_years: bool = True
    pseudo_labels: str | None = None


SHORT = (
    "training.progressive_resizing=[]",
    "preprocessing.size=[128, 176]",
    *(f"augmentation.{name}=0" for name in ("skin_tone", "low_contrast", "hairs", "ruler", "ink")),
)
"""Small images only, and nothing drawn into them: a quarter of an hour on one thread."""

CANDIDATES = (
    Candidate("recipe", "the recipe as it is: 8 epochs at 176x128, then 4 at 256x192"),
    Candidate("both years", "176x128 alone, nothing drawn in", (*SHORT, "training.epochs=8")),
    Candidate(
        "2017 alone",
        "the same with the masks of 2017 alone",
        (*SHORT, "training.epochs=16"),
        both_years=False,
    ),
    Candidate(
        "pseudo-labels",
        "as both years, and the images without masks, with masks that that model drew; 6 epochs",
        (*SHORT, "training.epochs=6"),
        pseudo_labels="both years",
    ),
)


@dataclass(frozen=True)
class Case:
    """An image with its true mask, in one of the sources."""

    source: str
    id: str
    read: Callable[[], tuple[ImageArray, BoolMask]]


def main() -> int:
    """Do what is missing, then write the tables from what is there."""
    options = parse()
    datasets = {
        "isic2017": open_source(options.isic2017, groups=options.groups),
        "isic2018": open_source(options.isic2018, groups=options.groups),
        "ham10000": open_source(options.ham10000),
    }
    (options.output / "scores").mkdir(parents=True, exist_ok=True)
    write_sources(datasets, options.output / "sources.csv")
    for candidate in CANDIDATES:
        if options.tables_only or (options.only and candidate.name not in options.only):
            continue
        run = folder_of("runs", candidate.name, options)
        excluded = options.output / f"{whole_name('exclude', options).replace(' ', '-')}.txt"
        write_excluded(datasets, excluded, reverse=options.reverse)
        if candidate.pseudo_labels:
            draw_pseudo_labels(candidate.pseudo_labels, options)
        train(RECIPE, run, candidate.overrides, arguments(candidate, options, excluded))
        score(whole_name(candidate.name, options), run / "model", datasets, options)
    for named in options.model or []:
        name, _, folder = named.partition("=")
        score(name, Path(folder), datasets, options)
    text = tables(options.output / "scores", options.reference)
    (options.output / "judge.md").write_text(text, "utf-8")
    print(text)
    if options.document:
        put_table(DOCUMENT, "judge", text)
    return 0


def parse() -> argparse.Namespace:
    """The command line."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--isic2017", type=Path, required=True, help="the dataset's folder")
    parser.add_argument("--isic2018", type=Path, required=True, help="the dataset's folder")
    parser.add_argument("--ham10000", type=Path, required=True, help="another camera's folder")
    parser.add_argument("--groups", type=Path, required=True, help="as dermseg data audit writes")
    parser.add_argument("--unlabelled", type=Path, required=True, help="images without masks")
    parser.add_argument("-o", "--output", type=Path, required=True)
    names = [candidate.name for candidate in CANDIDATES]
    parser.add_argument("--only", action="append", choices=names, help="may be repeated")
    parser.add_argument("--model", action="append", metavar="NAME=FOLDER", help="may be repeated")
    parser.add_argument("--reverse", action="store_true", help="train and judge the other way")
    parser.add_argument("--reference", default=names[0], help="what all others are compared with")
    parser.add_argument("--tables-only", action="store_true", help="train and score nothing")
    parser.add_argument("--document", action="store_true", help="put the tables into the docs")
    return parser.parse_args()


def is_judged(sample: Sample, *, reverse: bool) -> bool:
    """Whether a photograph is from the sources that are judged on."""
    return is_of_other_sources(sample) != reverse


def write_excluded(datasets: dict[str, Dataset], path: Path, *, reverse: bool) -> None:
    """Write the ids that must not be trained on: the judged, and what shows the same lesions."""
    samples = isic(datasets)
    kept_out = {
        sample.group
        for sample in samples
        if sample.part == "validation" or is_judged(sample, reverse=reverse)
    }
    ids = sorted({sample.id for sample in samples if sample.group in kept_out})
    path.write_text("".join(f"{id}\n" for id in ids), "utf-8")


def write_sources(datasets: dict[str, Dataset], path: Path) -> None:
    """Write the folds of ``dermseg train --folds``: one for each kind of source."""
    samples = isic(datasets)
    others = {sample.group for sample in samples if is_judged(sample, reverse=False)}
    fold_of = {sample.id: "b" if sample.group in others else "a" for sample in samples}
    lines = [f"{id},{fold}\n" for id, fold in sorted(fold_of.items())]
    path.write_text("id,fold\n" + "".join(lines), "utf-8")


def isic(datasets: dict[str, Dataset]) -> list[Sample]:
    """The samples of both years."""
    return [sample for name in ("isic2017", "isic2018") for sample in datasets[name].samples]


def draw_pseudo_labels(name: str, options: argparse.Namespace) -> None:
    """Let a candidate that is trained draw the masks of the images without any."""
    folder, model = folder_of("pseudo", name, options), folder_of("runs", name, options) / "model"
    if not (folder / "predictions.json").is_file():
        words = ["--model", str(model), "--no-overlay", "--no-index", "-o", str(folder)]
        call(["predict", str(options.unlabelled), *words], may_refuse=True)


def folder_of(kind: str, name: str, options: argparse.Namespace) -> Path:
    """Where the runs, or the masks without truth, of a candidate are."""
    return Path(options.output) / kind / whole_name(name, options).replace(" ", "-")


def whole_name(name: str, options: argparse.Namespace) -> str:
    """A name, marked where candidates are trained and judged the other way round."""
    return f"{name} (reverse)" if options.reverse else name


def arguments(candidate: Candidate, options: argparse.Namespace, excluded: Path) -> list[str]:
    """What ``dermseg train`` is told about images."""
    words = ["--data", str(options.isic2017)]
    if candidate.both_years:
        words += ["--data", str(options.isic2018)]
    words += ["--groups", str(options.groups), "--exclude", str(excluded), "--workers", "0"]
    if candidate.pseudo_labels:
        words += ["--pseudo-labels", str(folder_of("pseudo", candidate.pseudo_labels, options))]
    return words


def cases(datasets: dict[str, Dataset], *, reverse: bool) -> Iterator[Case]:
    """Everything that is judged on, without photographs whose lesion was trained on."""
    kept_out = {
        sample.group
        for sample in isic(datasets)
        if sample.part == "validation" or not is_judged(sample, reverse=reverse)
    }
    for name, source in zip(("isic2017", "isic2018", "ham10000"), SOURCES, strict=False):
        for sample in datasets[name].samples:
            if name == "ham10000" or sample.group not in kept_out:
                yield Case(source, sample.id, partial(read, sample))
    for number in range(len(TONES) * PHANTOMS_PER_TONE):
        tone = TONES[number % len(TONES)]
        yield Case("phantoms", f"{number}, tone {tone}", partial(draw, number, tone))


def read(sample: Sample) -> tuple[ImageArray, BoolMask]:
    """A photograph and its mask."""
    assert sample.mask is not None  # noqa: S101 -- datasets of masks
    return read_image(sample.image), read_mask(sample.mask)


def draw(number: int, tone: float) -> tuple[ImageArray, BoolMask]:
    """A generated image of a skin tone, with the artefacts that photographs have."""
    phantom = create_phantom(_FIRST_PHANTOM + number, options=PhantomOptions(ita_degrees=tone))
    return phantom.image, phantom.mask


def score(
    name: str, package: Path, datasets: dict[str, Dataset], options: argparse.Namespace
) -> None:
    """Score a package on all cases, unless that is done; none is refused."""
    path = options.output / "scores" / f"{name}.csv"
    if path.is_file():
        return
    predictor = load_model(package)
    rows = list(judged(predictor, cases(datasets, reverse=options.reverse)))
    unfinished = path.with_suffix(".tmp")
    with unfinished.open("w", encoding="utf-8", newline="") as file:
        writer = csv.DictWriter(file, list(rows[0]), lineterminator="\n")
        writer.writeheader()
        writer.writerows(rows)
    unfinished.rename(path)


def judged(predictor: Predictor, given: Iterable[Case]) -> Iterator[dict[str, str | float]]:
    """One row per case: Jaccard indices, and the skin's tone."""
    for case in given:
        image, truth = case.read()
        prediction = predictor.predict(image, force=True)
        row: dict[str, str | float] = {"source": case.source, "id": case.id}
        row["jaccard"] = jaccard(prediction.mask, truth)
        for threshold in THRESHOLDS:
            made = prediction.postprocessing.model_copy(update={"threshold": threshold})
            mask = prediction.mask_from(prediction.probability, "lesion", made)
            row[f"jaccard_{threshold}"] = round(jaccard(mask, truth), 6)
        row["skin_ita"] = round(measure_image(image, truth).skin_ita, 2)
        yield row


def tables(folder: Path, reference: str) -> str:
    """The tables of everything that is scored, in Markdown."""
    scored = {path.stem: read_scores(path) for path in sorted(folder.glob("*.csv"))}
    if reference not in scored:
        return "The reference is not scored yet.\n"
    lines = ["| | " + " | ".join(SOURCES) + " | mean | difference |", "|---" * 8 + "|"]
    for name, rows in scored.items():
        found = {source: values(rows, source) for source in SOURCES}
        means = [float(found[source].mean()) for source in SOURCES]
        cells = [f"{mean:.3f}" for mean in means]
        difference = "" if name == reference else compare(rows, scored[reference])
        mean = f"**{np.mean(means):.3f}**"
        lines.append("| " + " | ".join([name, *cells, mean, difference]) + " |")
    lines += ["", "By threshold, " + ", ".join(SOURCES) + ":", ""]
    lines += ["| | " + " | ".join(map(str, THRESHOLDS)) + " |", "|---" * 6 + "|"]
    for name, rows in scored.items():
        cells = [by_source(rows, f"jaccard_{threshold}") for threshold in THRESHOLDS]
        lines.append("| " + " | ".join([name, *cells]) + " |")
    lines += ["", "By the skin's tone (individual typology angle), photographs only:", ""]
    lines += ["| | " + " | ".join(SKINS) + " |", "|---" * 7 + "|"]
    lines += ["| " + " | ".join([name, *by_skin(rows)]) + " |" for name, rows in scored.items()]
    return "\n".join(lines) + "\n"


Rows = Sequence[dict[str, str]]


def read_scores(path: Path) -> Rows:
    """The rows of one model."""
    with path.open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def values(rows: Rows, source: str, column: str = "jaccard") -> np.ndarray:
    """The scores of one source, in the rows' order."""
    if source == "darkest":
        names = tuple(f"tone {tone}" for tone in TONES[-2:])
        kept = [row for row in rows if row["source"] == "phantoms" and row["id"].endswith(names)]
    else:
        kept = [row for row in rows if row["source"] == source]
    return np.array([float(row[column]) for row in kept])


def by_source(rows: Rows, column: str) -> str:
    """The mean score of each source."""
    return " / ".join(f"{values(rows, source, column).mean():.3f}" for source in SOURCES)


def compare(rows: Rows, reference: Rows) -> str:
    """Mean over sources of the paired differences, with its 95 % interval."""
    ends = []
    for source in SOURCES:
        own, other = values(rows, source), values(reference, source)
        if len(own) != len(other):
            return "other images"
        found = bootstrap_interval(own - other, num_resamples=1999)
        ends.append((found.value, (found.high - found.low) / 2))
    mean = float(np.mean([value for value, _ in ends]))
    half = float(np.sqrt(sum(width**2 for _, width in ends))) / len(SOURCES)
    return f"{mean:+.3f} ± {half:.3f}"


def by_skin(rows: Rows) -> list[str]:
    """Mean Jaccard index of photographs in each group of skin tones."""
    found: dict[str, list[float]] = {name: [] for name in SKINS}
    for row in rows:
        tone = float(row["skin_ita"])
        if row["source"] != "phantoms" and np.isfinite(tone):
            name = next((name for name, least in SKINS.items() if tone >= least), "dark")
            found[name].append(float(row["jaccard"]))
    return [f"{np.mean(some):.3f} ({len(some)})" if some else "" for some in found.values()]


if __name__ == "__main__":
    sys.exit(main())
