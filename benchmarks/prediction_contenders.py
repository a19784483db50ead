"""What `benchmarks/prediction.py` measures, each in a process of its own."""

from __future__ import annotations

import os
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from collections import defaultdict
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

from dermseg.datasets import open_dataset, trainable
from dermseg.images import encode_mask, open_image, read_mask
from dermseg.metrics import jaccard
from dermseg.package import Runtime, load_package
from dermseg.phantom import create_phantom
from dermseg.prediction import (
    OutputOptions,
    Predictor,
    load_model,
    measure,
    open_output,
    plan_jobs,
    predict_jobs,
    share_heap,
)
from dermseg.prediction.features import describe
from dermseg.prediction.postprocessing import postprocess
from dermseg.preprocessing import (
    least_size,
    preprocess,
    resize_image,
    resize_probability,
    to_unit_range,
)
from dermseg.storage import write_bytes_atomically
from dermseg.types import FloatArray, Size

RUNTIMES = ("onnx", *(("openvino",) if find_spec("openvino") else ()))
MODELS = {"": "fast", "-int8": "fast-int8"}
OURS = tuple(runtime + kind for runtime in RUNTIMES for kind in MODELS)
BASELINES = ("resnet34", "mobilenet", "unet512")
SMP_ENCODERS = {"resnet34": "resnet34", "mobilenet": "mobilenet_v2"}
Network = Callable[[Any], Any]


def package_and_runtime(ours: str) -> tuple[str, str]:
    """The shipped model and the runtime of a name in ``OURS``."""
    runtime, dash, kind = ours.partition("-")
    return MODELS[dash + kind], runtime


def load(ours: str) -> Predictor:
    """The model as the command line loads it."""
    model, runtime = package_and_runtime(ours)
    return load_model(model, runtime=runtime, precision="auto")  # type: ignore[arg-type]


def measure_speed(contender: str, images: Path) -> dict[str, Any]:
    """Images per second of one contender; for ``limit:...``, of all cores at most."""
    with tempfile.TemporaryDirectory(dir=images.parent) as folder:
        out = Path(folder) / "out"
        is_limit = contender.startswith("limit:")
        if is_limit:
            run = run_limit(contender.removeprefix("limit:"), images)
        elif contender in OURS:
            run = run_dermseg(contender, images, out)
        else:
            run = run_baseline(contender, images, out)
        wall, cpu = time.perf_counter(), time.process_time()
        num_images = run()
        wall, cpu = time.perf_counter() - wall, time.process_time() - cpu
    per_second = num_images * (os.cpu_count() or 1) / cpu if is_limit else num_images / wall
    return {"per_second": per_second, "cpu_ms": 1000 * cpu / num_images}


def run_dermseg(ours: str, images: Path, out: Path) -> Callable[[], int]:
    """Predict as the command line does."""
    share_heap()
    predictor = load(ours)
    predictor.predict(create_phantom(0).image)
    options = OutputOptions(overlay=False)
    jobs = plan_jobs([images], recursive=False)
    open_output(out, jobs, predictor, options, existing="refuse")
    return lambda: sum(1 for _ in predict_jobs(predictor, jobs, out, options))


def run_baseline(name: str, images: Path, out: Path) -> Callable[[], int]:
    """The loop of most examples: one image after the other, all libraries by their defaults."""
    predict = baseline_steps(name)
    out.mkdir()
    seconds: defaultdict[str, float] = defaultdict(float)
    predict(min(images.iterdir()), out, seconds)

    def run() -> int:
        paths = sorted(images.iterdir())
        if name == "unet512":  # seconds an image
            paths = paths[: max(2, len(paths) // 20)]
        for path in paths:
            predict(path, out, seconds)
        return len(paths)

    return run


def baseline_steps(name: str) -> Callable[[Path, Path, dict[str, float]], None]:
    """Predict one image as most examples do, and add the CPU seconds of each step."""
    import torch  # noqa: PLC0415 -- ours must not be slowed by it
    from torch.nn import functional  # noqa: PLC0415

    from dermseg import torchvision_import  # noqa: PLC0415, F401 -- the libraries below need it

    size: Size = (512, 512) if name == "unet512" else load_package().spec.input_size
    network = _baseline_network(name)
    rows, columns = np.mgrid[: size[0], : size[1]]
    radius = np.hypot(rows - size[0] / 2, columns - size[1] / 2)
    disc = torch.from_numpy((min(size) / 4 - radius).astype(np.float32))[None, None]

    def predict(path: Path, out: Path, seconds: dict[str, float]) -> None:
        with timed(seconds, "decode"):
            image = Image.open(path).convert("RGB")
        with timed(seconds, "resize"):
            small = image.resize(size[::-1])
            tensor = torch.from_numpy(np.array(small)).permute(2, 0, 1)[None].float() / 255
        with timed(seconds, "network"), torch.no_grad():
            logits = network(tensor)
            logits = (logits[0] if isinstance(logits, list) else logits) * 0 + disc
        with timed(seconds, "mask"):
            native = functional.interpolate(logits, image.size[::-1], mode="bilinear")
            mask = (native.sigmoid() > 0.5).numpy()[0, 0]
        with timed(seconds, "write"):
            Image.fromarray(mask.astype(np.uint8) * 255).save(out / f"{path.stem}.png")

    return predict


def _baseline_network(name: str) -> Network:
    if name == "unet512":
        from dermseg.networks import create_network  # noqa: PLC0415

        return create_network("unet", parameters={"width": 64}).eval()
    import segmentation_models_pytorch as smp  # noqa: PLC0415

    network: Network = smp.Unet(SMP_ENCODERS[name], encoder_weights=None).eval()
    return network


def run_limit(ours: str, images: Path) -> Callable[[], int]:
    """The three steps that cannot be left out, in one thread."""
    model, runtime = package_and_runtime(ours)
    package = load_package(model)
    spec = package.spec
    network = Runtime(package, runtime=runtime, precision="auto", num_threads=1)  # type: ignore[arg-type]
    tensor = preprocess(create_phantom(0).image, spec.input_size, spec.normalization)[None]
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


def measure_steps(contender: str, images: Path) -> dict[str, Any]:
    """CPU milliseconds per image of each step, in one thread and one after the other."""
    paths = sorted(images.iterdir())[:12]
    seconds: defaultdict[str, float] = defaultdict(float)
    with tempfile.TemporaryDirectory(dir=images.parent) as folder:
        out = Path(folder)
        if contender in OURS:
            predict = our_steps(contender)
        else:
            import torch  # noqa: PLC0415

            torch.set_num_threads(1)
            predict = baseline_steps(contender)
            paths = paths[:3]
        predict(paths[0], out, defaultdict(float))
        for path in paths:
            predict(path, out, seconds)
    return {"cpu_ms": {step: 1000 * value / len(paths) for step, value in seconds.items()}}


def our_steps(ours: str) -> Callable[[Path, Path, dict[str, float]], None]:
    """Predict one image as dermseg does, and add the CPU seconds of each step."""
    model, runtime = package_and_runtime(ours)
    package = load_package(model)
    spec = package.spec
    network = Runtime(package, runtime=runtime, precision="auto", num_threads=1)  # type: ignore[arg-type]

    def predict(path: Path, out: Path, seconds: dict[str, float]) -> None:
        with timed(seconds, "decode"), open_image(path) as encoded:
            native = encoded.size
            image = encoded.read(least_size(native, spec.input_size, spec.preprocessing))
        with timed(seconds, "resize"):
            seen = resize_image(image, spec.input_size)
            tensor = spec.normalization.apply(to_unit_range(seen))[None]
        with timed(seconds, "network"):
            small: FloatArray = network(tensor)[0, 0]
        with timed(seconds, "doubt"):
            describe(small, seen, threshold=spec.postprocessing.threshold_of("lesion"))
        with timed(seconds, "mask"):
            probability = resize_probability(small, native)
            mask = postprocess(probability, spec.postprocessing)
        with timed(seconds, "measure"):
            measure(mask, probability)
        with timed(seconds, "write"):
            write_bytes_atomically(out / f"{path.stem}.png", encode_mask(mask))

    return predict


@contextmanager
def timed(seconds: dict[str, float], step: str) -> Iterator[None]:
    """Add the CPU seconds of the body to a step."""
    started = time.process_time()
    yield
    seconds[step] += time.process_time() - started


def measure_memory(num_images: int, images: Path) -> dict[str, Any]:
    """Peak memory of `dermseg predict`, with overlays, as the system counts it."""
    with tempfile.TemporaryDirectory(dir=images.parent) as folder:
        photos = Path(folder) / "photos"
        photos.mkdir()
        sources = sorted(images.iterdir())
        for number in range(num_images):
            os.link(sources[number % len(sources)], photos / f"{number:06d}.jpg")
        code = (
            "import resource, subprocess, sys; subprocess.run(sys.argv[1:], check=True, "
            "stdout=subprocess.DEVNULL); "
            "print(resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss)"
        )
        call = [*dermseg_call(), "predict", str(photos), "-o", f"{folder}/out", "--runtime", "onnx"]
        wall = time.perf_counter()
        peak = int(_output(sys.executable, "-c", code, *call))
        wall = time.perf_counter() - wall
        shutil.rmtree(photos)
    return {"peak_mb": peak / 1024, "seconds": wall}


def measure_agreement(ours: str, data: Path) -> dict[str, Any]:
    """Jaccard index of fast and slow masks against truth, and of one against the other.

    Slow is the whole image, float32 in ONNX Runtime, one image at a time.
    """
    samples = trainable([open_dataset(data)])
    paths = [sample.image for sample in samples]
    fast = load(ours)
    slow = load_model(runtime="onnx", precision="float32")
    side = max(fast.spec.input_size)
    pairs = zip(
        fast.predict_many(paths, image_side=side, force=True),
        slow.predict_many(paths, batch_size=1, workers=1, force=True),
        strict=True,
    )
    rows = []
    for sample, (one, other) in zip(samples, pairs, strict=True):
        truth = read_mask(sample.mask)  # type: ignore[arg-type]
        masks = (one.mask, truth), (other.mask, truth), (one.mask, other.mask)
        rows.append([jaccard(*two) for two in masks])
    fast_mean, slow_mean, mutual = np.mean(rows, axis=0).tolist()
    return {"num_images": len(rows), "fast": fast_mean, "slow": slow_mean, "mutual": mutual}


def measure_startup(what: str, images: Path) -> dict[str, Any]:
    """Seconds of one call of the command line, or of loading a model; the median of five."""
    image = min(images.iterdir())
    if what.startswith("load "):
        code = (
            "import sys, time; from dermseg.prediction import load_model; s = time.perf_counter(); "
            "load_model(runtime=sys.argv[1], precision='auto'); print(time.perf_counter() - s)"
        )
        runtime = what.removeprefix("load ")
        values = [float(_output(sys.executable, "-c", code, runtime)) for _ in range(5)]
        return {"seconds": statistics.median(values)}
    with tempfile.TemporaryDirectory(dir=images.parent) as out:
        options = ("--overwrite", "--runtime", what.removeprefix("predict "))
        arguments = ["predict", str(image), "-o", out, *options]
        values = []
        for _ in range(5):
            started = time.perf_counter()
            _output(*dermseg_call(), *(["--help"] if what == "--help" else arguments))
            values.append(time.perf_counter() - started)
    return {"seconds": statistics.median(values)}


def dermseg_call() -> list[str]:
    """The command line, without depending on where its script is installed."""
    return [sys.executable, "-c", "from dermseg.cli import main; main()"]


def _output(*call: str) -> str:
    return subprocess.run(call, check=True, stdout=subprocess.PIPE, text=True).stdout  # noqa: S603


MEASURES: dict[str, Callable[..., dict[str, Any]]] = {
    "speed": measure_speed,
    "native": measure_speed,
    "sizes": measure_speed,
    "steps": measure_steps,
    "memory": lambda what, images: measure_memory(int(what), images),
    "agreement": measure_agreement,
    "startup": measure_startup,
}
