"""Damage real files at random, thousands of times, and see that dermseg refuses or reads them.

    python tests/fuzzing/fuzz.py --mutations 10000

Every mutation follows from its number. One fails if something else than an error of dermseg is
raised, if it takes more than 10 seconds, or more than 2 GB beyond what the program holds, or if a
file under its final name is not whole. The exit code is the number of those, at most 99.
"""

from __future__ import annotations

import argparse
import contextlib
import faulthandler
import hashlib
import io
import json
import resource
import shutil
import subprocess
import sys
import tempfile
import warnings
import zipfile
from collections.abc import Callable
from pathlib import Path

import numpy as np
from PIL import Image

from dermseg.datasets import read_groups, read_split
from dermseg.datasets.presence import read_presence
from dermseg.datasets.superpixels import read_features
from dermseg.datasets.unpacking import unpack
from dermseg.errors import DermsegError
from dermseg.evaluation.comparison.reading import read_evaluation
from dermseg.evaluation.leaks import read_pairs
from dermseg.evaluation.masks import list_masks
from dermseg.evaluation.matching import match_folders, read_files
from dermseg.images import is_whole, read_image, read_mask, read_mask_values
from dermseg.package import Runtime, load_package
from dermseg.phantom import create_phantom
from dermseg.prediction import (
    OutputOptions,
    Predictor,
    load_model,
    open_output,
    plan_jobs,
    predict_jobs,
)
from dermseg.prediction.table import columns_of
from dermseg.recipes import parse_recipe, recipe_text

SECONDS = 10
BYTES = 2 << 30
CHUNK = 250

Read = Callable[[Path], object]
Seed = tuple[str, str, bytes, Read]
"""Kind, name of the file, its content, and what reads it."""

INTERESTING = [b"\0", b"\xff", b"\x7f\xff\xff\xff", b"\xff" * 8, b"\0" * 8, b"-1", b"NaN", b"1e999",
               b'"', b"\n", b"[" * 2000, b"\x1b[2J", b"../", b"\\", b"9" * 400]  # fmt: skip


def mutate(content: bytes, other: bytes, random: np.random.Generator) -> bytes:
    """Change a file in one to four places."""
    data = bytearray(content)
    for _ in range(random.integers(1, 5)):
        place = int(random.integers(0, len(data) + 1))
        length = int(random.choice([1, 2, 4, 16, 200, 5000]))
        match random.integers(0, 7):
            case 0:
                data[place : place + 1] = random.bytes(1)
            case 1:
                del data[place : place + length]
            case 2:
                data[place:place] = data[place : place + length] * int(random.integers(1, 30))
            case 3:
                value = INTERESTING[random.integers(0, len(INTERESTING))]
                data[place : place + len(value)] = value
            case 4:
                data[place:place] = random.bytes(length)
            case 5:
                del data[place:]
            case 6:
                start = int(random.integers(0, len(other) + 1))
                data[place : place + length] = other[start : start + length]
    return bytes(data)


def make_seeds(package: Path) -> list[Seed]:
    """Whole files of every kind.

    Args:
        package: A model package.
    """
    phantom = create_phantom(0, size=(48, 64))
    seeds: list[Seed] = []
    for format_name, options in (
        ("JPEG", {}), ("JPEG", {"progressive": True}), ("PNG", {}), ("BMP", {}), ("WEBP", {}),
        ("TIFF", {}), ("TIFF", {"compression": "tiff_lzw"}),
    ):  # fmt: skip
        encoded = encode(phantom.image, format_name, **options)
        seeds.append(("image", f"a.{format_name.lower()}", encoded, read_image))
        seeds.append(("predict", f"a.{format_name.lower()}", encoded, predict_with(package)))
    mask = phantom.mask * np.uint8(255)
    seeds += [
        ("mask", f"m.{name.lower()}", encode(mask, name), read_mask)
        for name in ("PNG", "BMP", "TIFF")
    ]
    for method in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED, zipfile.ZIP_BZIP2, zipfile.ZIP_LZMA):
        stream = io.BytesIO()
        with zipfile.ZipFile(stream, "w", method) as archive:
            for name in ("a_segmentation.png", "sub/b.png"):
                archive.writestr(name, encode(mask, "PNG"))
        seeds.append(("masks.zip", "masks.zip", stream.getvalue(), read_archive))
        seeds.append(("archive.zip", "archive.zip", stream.getvalue(), unpack_archive))
    split = json.dumps({"parts": {"train": ["a", "b"]}, "seed": 1, "source": "seeded"})
    features = json.dumps({"streaks": [0, 1, 0.5], "globules": [1, 0, 0]})
    row = {"file": "a.jpg", "mask": "a_segmentation.png", "expected_jaccard": "0.5"}
    columns = columns_of(())
    table = ",".join(columns) + "\n" + ",".join(row.get(name, "") for name in columns) + "\n"
    texts: list[tuple[str, str, Read]] = [
        ("groups.csv", "id,group\na,1\nb,2\n", read_groups),
        ("presence.csv", "id,streaks\na,1\nb,0\n", lambda path: read_presence(path, ["streaks"])),
        ("pairs.csv", "id,id2,folder,folder2\na,b,x,y\n", read_pairs),
        ("split.json", split, lambda path: read_split(path, [])),
        ("features.json", features, read_features),
        ("files.csv", "id,image,truth,prediction\na,a.jpg,m.zip!a.png,\n",
         lambda path: read_files(path.parent)),
        ("per_image.csv", "id,tp,fp,fn,tn,jaccard\na,1,2,3,4,0.1\n", read_stored_evaluation),
        ("predictions.csv", table, read_predicted_folder),
        ("recipe.toml", recipe_text("unet-isic2017"),
         lambda path: parse_recipe(path.read_bytes().decode("utf-8", "replace"))),
    ]  # fmt: skip
    seeds += [(name, name, text.encode(), read) for name, text, read in texts]
    for name in ("model.json", "model.onnx"):
        seeds.append((name, name, (package / name).read_bytes(), load_with(package)))
    return seeds


def say(line: str) -> None:
    """Print a line at once."""
    sys.stdout.write(f"{line}\n")
    sys.stdout.flush()


def encode(pixels: np.ndarray, format_name: str, **options: object) -> bytes:
    """Encode an array with Pillow."""
    stream = io.BytesIO()
    Image.fromarray(pixels).save(stream, format_name, **options)
    return stream.getvalue()


def read_archive(path: Path) -> None:
    """Read all masks of a ZIP archive."""
    for member in list_masks(path, "masks"):
        read_mask_values(member)


def unpack_archive(path: Path) -> None:
    """Unpack an archive: nothing of it may be outside its folder."""
    before = {*path.parent.iterdir()}
    unpack(path, path.parent / "unpacked")
    assert {*path.parent.iterdir()} - before == {path.parent / "unpacked"}


def read_stored_evaluation(path: Path) -> None:
    """Read an evaluation's folder."""
    (path.parent / "summary.json").write_text('{"protocol": "isic", "num_skipped": 0}')
    read_evaluation(path.parent)


def read_predicted_folder(path: Path) -> None:
    """Match the masks of a prediction with themselves."""
    (path.parent / "a_segmentation.png").write_bytes(encode(np.zeros((4, 4), np.uint8), "PNG"))
    match_folders(path.parent, path.parent)


def load_with(package: Path) -> Read:
    """Load a copy of a package in which one file was changed, its checksum mended."""

    def load(path: Path) -> None:
        folder = path.parent / "package"
        shutil.copytree(package, folder)
        (folder / path.name).write_bytes(path.read_bytes())
        if path.name == "model.onnx":
            spec = json.loads((folder / "model.json").read_text())
            digest = sha256_of(path)
            (folder / "model.json").write_text(json.dumps(spec | {"onnx_sha256": digest}))
        Runtime(load_package(folder), runtime="onnx", num_threads=1)

    return load


def sha256_of(path: Path) -> str:
    """The SHA-256 of a file."""
    return hashlib.sha256(path.read_bytes()).hexdigest()


def predict_with(package: Path) -> Read:
    """Predict an image, and look whether all that was written is whole."""
    predictors: list[Predictor] = []

    def predict(path: Path) -> None:
        if not predictors:
            predictors.append(load_model(package, runtime="onnx", max_megapixels=30))
        out = path.parent / "out"
        jobs = plan_jobs([path], recursive=False)
        todo, _ = open_output(out, jobs, predictors[0], OutputOptions(), existing="refuse")
        rows = [row for _, row in predict_jobs(predictors[0], todo, out, OutputOptions())]
        assert len(rows) == 1
        for written in out.rglob("*.[pj][np]g"):
            assert is_whole(written), written

    return predict


def run(numbers: range, package: Path) -> list[str]:
    """Make some mutations and read them; what failed, a line each."""
    seeds, failures = make_seeds(package), list[str]()
    warnings.simplefilter("ignore")
    for _, name, content, read in seeds:  # which also loads whatever they need
        with tempfile.TemporaryDirectory(prefix="dermseg-fuzz-") as folder:
            (path := Path(folder, name)).write_bytes(content)
            with contextlib.suppress(DermsegError):
                read(path)
    soft = resource.getrlimit(resource.RLIMIT_AS)[1]
    held = int(Path("/proc/self/statm").read_text().split()[0]) * resource.getpagesize()
    resource.setrlimit(resource.RLIMIT_AS, (held + BYTES, soft))
    for number in numbers:
        random = np.random.default_rng(number)
        kind, name, content, read = seeds[number % len(seeds)]
        other = seeds[int(random.integers(0, len(seeds)))][2]
        say(f"{number} {kind}")
        with tempfile.TemporaryDirectory(prefix="dermseg-fuzz-") as folder:
            path = Path(folder, name)
            path.write_bytes(mutate(content, other, random))
            faulthandler.dump_traceback_later(SECONDS, exit=True)
            try:
                read(path)
            except DermsegError as error:
                if "\n" in str(error) or "\x1b" in str(error):
                    failures.append(f"{number} {kind}: {error!r}")
            except BaseException as error:  # noqa: BLE001 -- that is what is looked for
                failures.append(f"{number} {kind}: {type(error).__name__}: {error}")
            finally:
                faulthandler.cancel_dump_traceback_later()
    return failures


def main() -> int:
    """Run the mutations in processes of a few hundred, so that one that hangs ends alone."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawTextHelpFormatter
    )
    parser.add_argument("--mutations", type=int, default=10_000)
    parser.add_argument("--start", type=int, default=0, help="number of the first")
    parser.add_argument("--package", type=Path, default=None, help="by default the packaged model")
    parser.add_argument("--child", action="store_true", help=argparse.SUPPRESS)
    options = parser.parse_args()
    package = options.package or load_package("fast").folder
    stop = options.start + options.mutations
    if options.child:
        failures = run(range(options.start, stop), package)
        say("FAILED " + json.dumps(failures))
        return 0
    failures, start = list[str](), options.start
    while start < stop:
        count = min(CHUNK, stop - start)
        call = [sys.executable, __file__, "--child", "--start", str(start), "--mutations",
                str(count), "--package", str(package)]  # fmt: skip
        result = subprocess.run(call, capture_output=True, text=True, check=False)
        lines = result.stdout.splitlines()
        if lines and lines[-1].startswith("FAILED "):
            failures += json.loads(lines[-1].removeprefix("FAILED "))
            start += count
        else:  # it hung, or was killed
            last = lines[-1] if lines else f"{start} nothing"
            failures.append(f"{last}: ended with {result.returncode}: {result.stderr[-600:]}")
            start = int(last.split()[0]) + 1
        say(f"{start - options.start} of {options.mutations}, {len(failures)} failed")
    say("\n".join(failures))
    return min(len(failures), 99)


if __name__ == "__main__":
    sys.exit(main())
