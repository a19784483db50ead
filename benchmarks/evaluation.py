"""Measure what an evaluation costs: seconds and memory for many pairs of masks.

    python benchmarks/evaluation.py [--num-pairs 1000] [--size 768 1024]

Masks are lesion-shaped and of the size of the ISIC 2016 challenge. Every evaluation runs in a
process of its own, so that the memory is its own.
"""

from __future__ import annotations

import argparse
import json
import resource
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import cv2
import numpy as np

from dermseg.evaluation import Measures, evaluate_masks
from dermseg.images import write_mask, write_probability


def main() -> None:
    """Print the table, or do one evaluation of it."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--num-pairs", type=int, default=1000)
    parser.add_argument("--size", type=int, nargs=2, default=(768, 1024))
    parser.add_argument("--score", nargs=2, help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.score:
        score(Path(arguments.score[0]), arguments.score[1])
        return
    print(f"{'pairs':>6} {'measures':<12} {'seconds':>8} {'CPU s':>8} {'peak MB':>8}")
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        for num_pairs in (arguments.num_pairs // 4, arguments.num_pairs):
            make_masks(folder, num_pairs, tuple(arguments.size))
            for what in ("overlap", "boundary", "everything"):
                call = [sys.executable, __file__, "--score", name, what]
                answer = subprocess.run(call, check=True, capture_output=True, text=True)  # noqa: S603
                measured = json.loads(answer.stdout)
                print(
                    f"{num_pairs:>6} {what:<12} {measured['s']:>8.1f} {measured['cpu']:>8.1f} "
                    f"{measured['mb']:>8.0f}",
                    flush=True,
                )


def make_masks(folder: Path, num_pairs: int, size: tuple[int, int]) -> None:
    """Write truths, predictions that are a little off, and probabilities."""
    for part in ("truth", "predictions"):
        (folder / part).mkdir(exist_ok=True)
    for number in range(num_pairs):
        generator = np.random.default_rng(number)
        path = folder / "truth" / f"{number:05}_segmentation.png"
        if path.exists():
            continue
        noise = cv2.GaussianBlur(generator.standard_normal(size).astype(np.float32), (0, 0), 24)
        noise *= 0.15 / noise.std()
        rows, columns = np.mgrid[: size[0], : size[1]].astype(np.float32)
        centre, radii = generator.uniform(0.35, 0.65, 2), generator.uniform(0.15, 0.4, 2)
        distance = np.hypot(
            (rows / size[0] - centre[0]) / radii[0], (columns / size[1] - centre[1]) / radii[1]
        )
        write_mask(path, distance + noise < 1)
        predicted = distance + 0.8 * noise + generator.normal(0, 0.05)
        write_mask(folder / "predictions" / path.name, predicted < 1)
        probability = 1 / (1 + np.exp(np.clip(8 * (predicted - 1), -30, 30)))
        write_probability(folder / "predictions" / f"{number:05}_probability.png", probability)


def score(folder: Path, what: str) -> None:
    """Evaluate once, and print what it took: seconds, seconds of CPU time, memory."""
    measures = Measures(boundary=what != "overlap", probability=what == "everything")
    started, cpu_started = time.perf_counter(), time.process_time()
    evaluate_masks(folder / "truth", folder / "predictions", measures=measures)
    seconds, cpu = time.perf_counter() - started, time.process_time() - cpu_started
    megabytes = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    print(json.dumps({"s": seconds, "cpu": cpu, "mb": megabytes}))


if __name__ == "__main__":
    main()
