"""Set `dermseg predict` against what one would otherwise run, and against the machine's limit.

    python benchmarks/prediction.py --data DIR -o RESULTS

`DIR` is a dataset of native images, such as ISIC 2017; without it, what needs it is left out. Each
measurement is a process of its own, and a line of `RESULTS/measurements.jsonl` when it is done: the
same command goes on where it was interrupted. At the end `RESULTS` holds `tables.md` and
`prediction.png`, for docs/performance.md.

Contenders read the same JPEGs and write masks at native size as 8-bit PNG:

- ``onnx``, ``openvino``, and with ``-int8`` the int8 package: by ``predict_jobs`` as the command
  line calls it, without overlays; the table of measurements is written as well;
- ``resnet34``, ``mobilenet``: a U-Net of segmentation-models-pytorch at the size of the packaged
  model, one image after the other: Pillow, resize, eager torch, Pillow; all by their defaults;
- ``unet512``: the same loop with the classic U-Net, 64 channels wide, at 512 x 512, on a
  twentieth of the images;
- ``limit:...``: the CPU seconds of decoding at a reduced scale, of inference in one thread and of
  PNG encoding, each alone; the cores divided by their sum is what a machine could give at most.

Speed is timed after the model is loaded and has run once. All contenders run in turns, in each
round in another order, so that whatever else the machine does meets them alike. Ratios are formed
within a round. The baselines' networks have random weights, whose masks would be noise that
compresses badly; their logits are replaced by those of a disc before they are upsampled.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from itertools import cycle, islice
from pathlib import Path
from typing import Any

from prediction_contenders import BASELINES, MEASURES, OURS, RUNTIMES
from prediction_report import write_report

from dermseg.datasets import open_dataset
from dermseg.images import write_image
from dermseg.phantom import create_phantom

SIZES = ((480, 640), (768, 1024), (1536, 2048), (2448, 3264), (3456, 4608), (4000, 6000))
COMPARED = (1536, 2048)
Call = tuple[str, str, Path, int]


def plan(images: Path, data: Path | None, num_images: int, rounds: int) -> Iterator[Call]:
    """All measurements in their order: suite, contender, images, round."""
    compared = images / "{}x{}".format(*COMPARED)
    yield "startup", "--help", compared, 0
    for runtime in RUNTIMES:
        yield "startup", f"load {runtime}", compared, 0
        yield "startup", f"predict {runtime}", compared, 0
    for contender in (*OURS, "resnet34", "mobilenet"):
        yield "steps", contender, compared, 0
    if data is not None:
        for contender in OURS:
            yield "agreement", contender, data, 0
    contenders = [*OURS, *BASELINES, *(f"limit:{ours}" for ours in OURS)]
    suites = [("speed", compared)] + ([("native", images / "native")] if data else [])
    for number in range(rounds):
        shift = number % len(contenders)
        for suite, folder in suites:
            for contender in contenders[shift:] + contenders[:shift]:
                yield suite, contender, folder, number
        for height, width in SIZES:
            for contender in RUNTIMES:
                yield "sizes", contender, images / f"{height}x{width}", number
    for many in (num_images, 100 * num_images):
        yield "memory", str(many), compared, 0


def prepare_images(folder: Path, data: Path | None, num_images: int) -> None:
    """Fill folders with hard links to a few images: generated ones of each size, native ones."""
    for size in SIZES:
        name = f"{size[0]}x{size[1]}"
        originals = [folder / "originals" / f"{name}_{seed}.jpg" for seed in range(3)]
        for seed, path in enumerate(originals):
            if not path.exists():
                path.parent.mkdir(parents=True, exist_ok=True)
                write_image(path, create_phantom(seed, size=size).image)
        megapixels = size[0] * size[1] / 1e6
        many = num_images if size == COMPARED else max(6, round(num_images / (1 + megapixels / 2)))
        _link(originals, folder / name, many)
    if data is not None:
        originals = []
        for sample in open_dataset(data).samples:
            path = folder / "originals" / sample.image.name
            if not path.exists():
                path.write_bytes(sample.image.read_bytes())
            originals.append(path)
        _link(originals, folder / "native", 2 * num_images)


def _link(originals: Sequence[Path], folder: Path, num_images: int) -> None:
    folder.mkdir(exist_ok=True)
    for number, path in enumerate(islice(cycle(originals), num_images)):
        link = folder / f"{number:05d}{path.suffix.lower()}"
        if not link.exists():
            os.link(path, link)


def measure_apart(suite: str, contender: str, images: Path) -> dict[str, Any]:
    """One measurement in a process of its own."""
    call = [sys.executable, __file__, "--only", suite, contender, str(images)]
    output = subprocess.run(call, check=True, stdout=subprocess.PIPE, text=True).stdout  # noqa: S603
    result: dict[str, Any] = json.loads(output.splitlines()[-1])
    return result


def read_measurements(path: Path) -> list[dict[str, Any]]:
    """The whole lines of an earlier run."""
    text = path.read_text() if path.exists() else ""
    return [json.loads(line) for line in text.splitlines(keepends=True) if line.endswith("\n")]


def main() -> None:
    """Measure what is missing, and write the report."""
    if sys.argv[1:2] == ["--only"]:
        suite, contender, folder = sys.argv[2:]
        print(json.dumps(MEASURES[suite](contender, Path(folder))))
        return
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n", maxsplit=1)[0])
    parser.add_argument("-o", "--output", type=Path, required=True, help="folder of the results")
    parser.add_argument("--data", type=Path, help="dataset of native images")
    parser.add_argument("--num-images", type=int, default=100)
    parser.add_argument("--rounds", type=int, default=5)
    options = parser.parse_args()
    lines = options.output / "measurements.jsonl"
    prepare_images(options.output / "images", options.data, options.num_images)
    done = read_measurements(lines)
    there = {(one["suite"], one["contender"], one["images"], one["round"]) for one in done}
    calls = plan(options.output / "images", options.data, options.num_images, options.rounds)
    missing = [call for call in calls if (*call[:2], call[2].name, call[3]) not in there]
    started = time.perf_counter()
    for place, (suite, contender, images, number) in enumerate(missing, 1):
        seconds = time.perf_counter() - started
        print(f"{seconds:6.0f} s  {place}/{len(missing)}  {suite} {contender} {images.name}")
        key = {"suite": suite, "contender": contender, "images": images.name, "round": number}
        result = measure_apart(suite, contender, images)
        done.append(key | {"load": os.getloadavg()[0]} | result)
        with lines.open("a") as file:
            file.write(json.dumps(done[-1]) + "\n")
    write_report(options.output, done)


if __name__ == "__main__":
    main()
