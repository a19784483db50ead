"""How many images that a model was not made for it refuses, and how many real ones by mistake.

    python benchmarks/out_of_distribution.py MODEL [MODEL ...] [--data DIR ...] \
        [--pictures PICTURES] -o OUT

MODEL is a shipped model's name or a package's folder. The images are generated skin without a
lesion (other seeds than calibration uses), the pictures that come with scikit-image, and of each
DIR the official validation part or, without one, all images; PICTURES is a folder of any other
pictures. Only images are looked at, no mask.
OUT gets ``out_of_distribution.csv`` with a row for each image, and the table is printed.
"""

from __future__ import annotations

import argparse
import csv
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path

import numpy as np
import skimage.data

from dermseg.datasets import open_source
from dermseg.errors import ImageError
from dermseg.phantom import create_plain_skin
from dermseg.prediction import load_model
from dermseg.types import ImageArray

_FIRST_SEED = 50_000
# What scikit-image would download is not in it.
_BUNDLED = Path(skimage.data.__file__).parent
_PICTURES = {".png", ".jpg", ".tif", ".gif"}

Images = Mapping[str, ImageArray | Path]


def main() -> int:
    """Predict all, then write what was refused."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("models", nargs="+", help="shipped models' names, or packages' folders")
    parser.add_argument("--data", type=Path, action="append", default=[], help="may be repeated")
    parser.add_argument("--pictures", type=Path, help="folder of pictures of anything else")
    parser.add_argument("--num-plain", type=int, default=200, help="images of plain skin")
    parser.add_argument("-o", "--output", type=Path, required=True)
    options = parser.parse_args()
    options.output.mkdir(parents=True, exist_ok=True)
    plain = {
        f"seed {seed}": create_plain_skin(seed)
        for seed in range(_FIRST_SEED, _FIRST_SEED + options.num_plain)
    }
    kinds: dict[str, Images] = {"plain skin": plain, "scikit-image": dict(pictures(_BUNDLED))}
    if options.pictures:
        kinds["pictures"] = dict(pictures(options.pictures))
    kinds |= {folder.name: dict(photographs(folder)) for folder in options.data}
    rows = [
        (model, kind, name, reason)
        for model in options.models
        for kind, images in kinds.items()
        for name, reason in refusals(model, images)
    ]
    with (options.output / "out_of_distribution.csv").open(
        "w", encoding="utf-8", newline=""
    ) as file:
        writer = csv.writer(file)
        writer.writerows([("model", "images", "image", "refusal"), *rows])
    print(table(rows, list(kinds)), end="")
    return 0


def pictures(folder: Path) -> Iterator[tuple[str, Path]]:
    """The pictures in a folder, by name."""
    for path in sorted(folder.iterdir()):
        if path.suffix in _PICTURES:
            yield path.name, path


def photographs(folder: Path) -> Iterator[tuple[str, Path]]:
    """The validation part of a dataset; all images where it has none."""
    samples = open_source(folder).samples
    validation = [sample for sample in samples if sample.part == "validation"]
    yield from ((sample.id, sample.image) for sample in validation or samples)


def refusals(model: str, images: Images) -> Iterator[tuple[str, str]]:
    """Each readable image's name, and why the model refuses it; empty where it does not."""
    predictor = load_model(model)
    results = predictor.predict_many(images.values(), image_side=512, on_error="return")
    for name, result in zip(images, results, strict=True):
        if not isinstance(result, ImageError):
            yield name, result.refusal or ""


def table(rows: list[tuple[str, str, str, str]], kinds: list[str]) -> str:
    """A Markdown table of how many images of each kind each model refuses."""
    lines = [f"| refused | {' | '.join(kinds)} |", "|---" * (len(kinds) + 1) + "|"]
    for model in dict.fromkeys(row[0] for row in rows):
        cells = []
        for kind in kinds:
            refused = [bool(row[3]) for row in rows if row[:2] == (model, kind)]
            cells.append(f"{sum(refused)} of {len(refused)} ({np.mean(refused):.1%})")
        lines.append(f"| `{Path(model).name}` | {' | '.join(cells)} |")
    return "\n".join(lines) + "\n"


if __name__ == "__main__":
    sys.exit(main())
