"""Set `dermseg predict` against what one would otherwise run, and against the machine's limit.

    python benchmarks/prediction.py [--images DIR] [--size 1536x2048] [--num-images 100]

Contenders read the same JPEGs and write masks at native size as 8-bit PNG:

- ``onnx``, ``openvino``: the packaged model, by ``predict_jobs`` as the command line calls it,
  without overlays; the table of measurements is written as well;
- ``resnet34``, ``mobilenet``: a U-Net of segmentation-models-pytorch at the size of the packaged
  model, one image after the other: Pillow, resize, eager torch, Pillow; all by their defaults;
- ``unet512``: the same loop with the classic U-Net, 64 channels wide, at 512 x 512, on a
  twentieth of the images;
- ``limit``: the CPU seconds of decoding at a reduced scale, of inference in one thread and of
  PNG encoding, each alone; the cores divided by their sum is what a machine could give at most.

Each measurement is a process of its own, timed after the model is loaded and has run once. All
contenders run in turns, in each round in another order, so that whatever else the machine does
meets them alike. Ratios are formed within a round; the median and the range are printed.

The baselines' networks have random weights, whose masks would be noise that compresses badly;
their logits are replaced by those of a disc before they are upsampled.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from importlib.util import find_spec
from itertools import cycle, islice
from pathlib import Path

import numpy as np
from PIL import Image

from dermseg.images import open_image, write_image
from dermseg.images.writing import encode_mask
from dermseg.package import Runtime, load_package
from dermseg.phantom import create_phantom
from dermseg.prediction import (
    OutputOptions,
    load_model,
    open_output,
    plan_jobs,
    predict_jobs,
    share_heap,
)
from dermseg.preprocessing import least_size, preprocess
from dermseg.types import Size

OURS = ("onnx", *(("openvino",) if find_spec("openvino") else ()))
BASELINES = ("resnet34", "mobilenet", "unet512")
SMP_ENCODERS = {"resnet34": "resnet34", "mobilenet": "mobilenet_v2"}


def run_dermseg(runtime: str, images: Path, out: Path) -> Callable[[], int]:
    """Predict as the command line does."""
    share_heap()
    predictor = load_model(runtime=runtime)  # type: ignore[arg-type]
    predictor.predict(create_phantom(0).image)
    options = OutputOptions(overlay=False)
    jobs = plan_jobs([images], recursive=False)
    open_output(out, jobs, predictor, options, existing="refuse")
    return lambda: sum(1 for _ in predict_jobs(predictor, jobs, out, options))


def run_baseline(name: str, images: Path, out: Path) -> Callable[[], int]:
    """The loop of most examples: one image after the other, all libraries by their defaults."""
    import torch  # noqa: PLC0415 -- ours must not be slowed by it
    from torch.nn import functional  # noqa: PLC0415

    from dermseg import torchvision_import  # noqa: PLC0415, F401 -- the libraries below need it
    from dermseg.networks import create_network  # noqa: PLC0415

    size: Size = (512, 512) if name == "unet512" else load_package().spec.input_size
    if name == "unet512":
        network: torch.nn.Module = create_network("unet", parameters={"width": 64})
    else:
        import segmentation_models_pytorch as smp  # noqa: PLC0415

        network = smp.Unet(SMP_ENCODERS[name], encoder_weights=None)
    network.eval()
    rows, columns = np.mgrid[: size[0], : size[1]]
    radius = np.hypot(rows - size[0] / 2, columns - size[1] / 2)
    disc = torch.from_numpy((min(size) / 4 - radius).astype(np.float32))[None, None]

    def predict(path: Path) -> None:
        image = Image.open(path).convert("RGB")
        small = image.resize(size[::-1])
        tensor = torch.from_numpy(np.array(small)).permute(2, 0, 1)[None].float() / 255
        with torch.no_grad():
            logits = network(tensor)
            logits = (logits[0] if isinstance(logits, list) else logits) * 0 + disc
            native = functional.interpolate(logits, image.size[::-1], mode="bilinear")
        mask = (native.sigmoid() > 0.5).numpy()[0, 0]
        Image.fromarray(mask.astype(np.uint8) * 255).save(out / f"{path.stem}.png")

    def run() -> int:
        paths = sorted(images.iterdir())
        if name == "unet512":  # seconds an image
            paths = paths[: max(2, len(paths) // 20)]
        for path in paths:
            predict(path)
        return len(paths)

    out.mkdir()
    predict(min(images.iterdir()))
    return run


def run_limit(runtime: str, images: Path, out: Path) -> Callable[[], int]:
    """The three steps that cannot be left out, in one thread."""
    del out
    package = load_package()
    spec = package.spec
    network = Runtime(package, runtime=runtime, num_threads=1)  # type: ignore[arg-type]
    phantom = create_phantom(0)
    tensor = preprocess(phantom.image, spec.input_size, spec.normalization)[None]
    network(tensor)

    def run() -> int:
        paths = sorted(images.iterdir())
        for path in paths:
            with open_image(path) as encoded:
                native = encoded.size
                encoded.read(least_size(native, spec.input_size, spec.preprocessing))
            network(tensor)
            mask = np.zeros(native, np.bool_)
            height, width = native
            mask[height // 4 : -height // 4, width // 4 : -width // 4] = True
            encode_mask(mask)
        return len(paths)

    return run


def measure(contender: str, images: Path) -> dict[str, float]:
    """Images per second of one contender; for the limit, of all cores."""
    with tempfile.TemporaryDirectory() as folder:
        out = Path(folder) / "out"
        name, _, runtime = contender.partition(":")
        if name == "limit":
            run = run_limit(runtime, images, out)
        elif name in OURS:
            run = run_dermseg(name, images, out)
        else:
            run = run_baseline(name, images, out)
        wall, cpu = time.perf_counter(), time.process_time()
        num_images = run()
        wall, cpu = time.perf_counter() - wall, time.process_time() - cpu
    per_second = num_images * (os.cpu_count() or 1) / cpu if name == "limit" else num_images / wall
    return {"per_second": per_second, "cpu_ms": 1000 * cpu / num_images}


def measure_apart(contender: str, images: Path) -> dict[str, float]:
    """:func:`measure` in a process of its own."""
    call = [sys.executable, __file__, "--only", contender, "--images", str(images)]
    output = subprocess.run(call, check=True, stdout=subprocess.PIPE, text=True).stdout  # noqa: S603
    result: dict[str, float] = json.loads(output)
    return result


def prepare_images(folder: Path, source: Path | None, size: Size, num_images: int) -> None:
    """Fill a folder with hard links, or copies, of a few images."""
    if source is None:
        originals = [folder.parent / f"phantom_{seed}.jpg" for seed in range(6)]
        for seed, path in enumerate(originals):
            write_image(path, create_phantom(seed, size=size).image)
    else:
        originals = sorted(path for path in source.iterdir() if path.suffix.lower() == ".jpg")
    folder.mkdir()
    for number, path in enumerate(islice(cycle(originals), num_images)):
        (folder / f"{number:05d}.jpg").write_bytes(path.read_bytes())


def show_ratios(results: Sequence[dict[str, dict[str, float]]]) -> None:
    """Print what each contender gives, and ours against each."""
    print("| contender | images /s | CPU ms per image |\n|---|---|---|")
    for name in sorted(results[0]):
        speed, cpu = (
            statistics.median(result[name][key] for result in results)
            for key in ("per_second", "cpu_ms")
        )
        print(f"| {name} | {speed:.1f} | {cpu:.1f} |")
    print("\n| ours | against | ratio | range | CPU ratio |\n|---|---|---|---|---|")
    for ours in OURS:
        for other in (*BASELINES, f"limit:{ours}"):
            pairs = [(result[ours], result[other]) for result in results]
            ratios = [one["per_second"] / two["per_second"] for one, two in pairs]
            saved = statistics.median(two["cpu_ms"] / one["cpu_ms"] for one, two in pairs)
            spread = f"{min(ratios):.2f} to {max(ratios):.2f}"
            print(
                f"| {ours} | {other} | {statistics.median(ratios):.2f} | {spread} | {saved:.2f} |"
            )


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n", maxsplit=1)[0])
    parser.add_argument("--images", type=Path, help="folder of JPEGs; generated ones by default")
    parser.add_argument("--size", default="1536x2048", help="height x width of generated images")
    parser.add_argument("--num-images", type=int, default=100)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--only", help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.only:
        print(json.dumps(measure(options.only, options.images)))
        return
    height, width = map(int, options.size.split("x"))
    contenders = [*OURS, *BASELINES, *(f"limit:{ours}" for ours in OURS)]
    results = []
    with tempfile.TemporaryDirectory() as folder:
        images = Path(folder) / "images"
        prepare_images(images, options.images, (height, width), options.num_images)
        for number in range(options.rounds):
            shift = number % len(contenders)
            order = contenders[shift:] + contenders[:shift]
            results.append({name: measure_apart(name, images) for name in order})
    what = f"from {options.images.name}" if options.images else f"of {options.size}"
    print(f"{options.num_images} images {what}, {options.rounds} rounds")
    print(
        f"{platform.machine()}, {os.cpu_count()} cores, load {os.getloadavg()[0]:.1f} at the end\n"
    )
    show_ratios(results)


if __name__ == "__main__":
    main()
