"""Measure how well and how fast ``dermseg data audit`` finds copies; docs/audit.md has the figures.

    python benchmarks/audit.py years --isic2017 DIR --isic2018 DIR
    python benchmarks/audit.py planted --isic2017 DIR [--num 500]
    python benchmarks/audit.py speed [--num 10000]

Thresholds were chosen on the half of the images whose id has an even hash; the tables are of the
other half.
"""

from __future__ import annotations

import argparse
import hashlib
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from functools import partial
from pathlib import Path

import cv2
import numpy as np

from dermseg.audit import (
    SAME_IMAGE,
    SAME_LESION,
    Candidate,
    align,
    audit_datasets,
    find_candidates,
)
from dermseg.datasets import official_split, open_dataset
from dermseg.images import read_image
from dermseg.phantom import create_phantom
from dermseg.preprocessing import Fingerprint, create_fingerprint
from dermseg.threads import map_in_order
from dermseg.types import ImageArray

Change = Callable[[ImageArray, np.random.Generator], ImageArray]


def is_reported(id: str) -> bool:
    """Whether an image is in the half that nothing was chosen on."""
    return hashlib.sha256(id.encode()).digest()[0] % 2 == 1


def jpeg(image: ImageArray, quality: int) -> ImageArray:
    """Encode and decode."""
    _, encoded = cv2.imencode(
        ".jpg", np.ascontiguousarray(image), [cv2.IMWRITE_JPEG_QUALITY, quality]
    )
    return np.asarray(cv2.imdecode(encoded, cv2.IMREAD_COLOR), np.uint8)


def resized(image: ImageArray, random: np.random.Generator) -> ImageArray:
    """Half to twice the size."""
    factor = random.uniform(0.5, 2)
    method = cv2.INTER_AREA if factor < 1 else cv2.INTER_CUBIC
    return np.asarray(cv2.resize(image, None, fx=factor, fy=factor, interpolation=method), np.uint8)


def symmetric(image: ImageArray, random: np.random.Generator) -> ImageArray:
    """One of the seven turns and reflections of a square."""
    choice = int(random.integers(1, 8))
    image = np.rot90(image, choice % 4)
    return np.ascontiguousarray(image[:, ::-1] if choice > 3 else image)


def cropped(image: ImageArray, random: np.random.Generator, *, kept: float) -> ImageArray:
    """A part of both sides, anywhere."""
    height, width = (round(side * kept) for side in image.shape[:2])
    top = int(random.integers(0, image.shape[0] - height + 1))
    left = int(random.integers(0, image.shape[1] - width + 1))
    return np.ascontiguousarray(image[top : top + height, left : left + width])


def turned(image: ImageArray, random: np.random.Generator) -> ImageArray:
    """Any angle on the same canvas, black outside."""
    height, width = image.shape[:2]
    middle = (width / 2 - 0.5, height / 2 - 0.5)
    matrix = cv2.getRotationMatrix2D(middle, float(random.uniform(0, 360)), 1)
    return np.asarray(cv2.warpAffine(image, matrix, (width, height)), np.uint8)


def turned_and_cut(image: ImageArray, random: np.random.Generator) -> ImageArray:
    """Up to 30 degrees, and the largest rectangle of the same proportions without black."""
    height, width = image.shape[:2]
    angle = float(random.uniform(-30, 30))
    matrix = cv2.getRotationMatrix2D((width / 2 - 0.5, height / 2 - 0.5), angle, 1)
    whole = cv2.warpAffine(image, matrix, (width, height))
    cosine, sine = np.cos(np.radians(abs(angle))), np.sin(np.radians(abs(angle)))
    kept = min(width / (width * cosine + height * sine), height / (width * sine + height * cosine))
    rows, columns = int(height * kept), int(width * kept)
    top, left = (height - rows) // 2, (width - columns) // 2
    return np.ascontiguousarray(whole[top : top + rows, left : left + columns], np.uint8)


def relit(image: ImageArray, random: np.random.Generator) -> ImageArray:
    """Another contrast, brightness and colour."""
    factors = random.uniform(0.75, 1.25) * random.uniform(0.9, 1.1, 3)
    return np.clip(image * factors + random.uniform(-15, 15), 0, 255).astype(np.uint8)


CHANGES: dict[str, Change] = {
    "JPEG quality 50 to 95": lambda image, random: jpeg(image, int(random.integers(50, 96))),
    "resized by 0.5 to 2": resized,
    "turned by 90, 180 or 270, or mirrored": symmetric,
    "other light and colour": relit,
    "a tenth of both sides cut off": partial(cropped, kept=0.9),
    "a twentieth of both sides cut off": partial(cropped, kept=0.95),
    "all of these": lambda image, random: resized(
        cropped(symmetric(relit(image, random), random), random, kept=0.9), random
    ),
    "a fifth of both sides cut off": partial(cropped, kept=0.8),
    "turned by any angle, black corners": turned,
    "turned by up to 30, cut to a rectangle": turned_and_cut,
}


def compare(
    fingerprints: Sequence[Fingerprint], candidates: Sequence[Candidate]
) -> dict[tuple[int, int], float]:
    """Similarity of each pair of candidates that can be laid over each other."""

    def similarity(candidate: Candidate) -> float:
        alignment = align(fingerprints[candidate.first], fingerprints[candidate.second], candidate)
        return 0.0 if alignment is None else alignment.similarity

    results = map_in_order(similarity, candidates, num_threads=2)
    return {
        (min(one.first, one.second), max(one.first, one.second)): value
        for one, value in zip(candidates, results, strict=True)
    }


def measure_years(isic2017: Path, isic2018: Path) -> None:
    """Recall and precision for the images that two years share, with their ids hidden."""
    datasets = [open_dataset(folder) for folder in (isic2017, isic2018)]
    start = time.perf_counter()
    result = audit_datasets(datasets, [official_split(dataset) for dataset in datasets])
    print(f"{len(result.items)} images in {time.perf_counter() - start:.0f} s")
    for name, half in (("chosen on", False), ("reported", True)):
        across = [
            pair
            for pair in result.leaks
            if result.items[pair.first].place.folder != result.items[pair.second].place.folder
            and is_reported(result.items[pair.second].id) == half
        ]
        shared = [pair for pair in across if "id" in pair.evidence]
        found = [pair for pair in across if pair.kind == "same_image"]
        right = sum("id" in pair.evidence for pair in found)
        others = [pair for pair in found if "id" not in pair.evidence]
        print(
            f"{name}: {len(shared)} shared; recall {right / len(shared):.4f}; "
            f"precision by ids {right / len(found):.4f}; pairs of two ids:"
        )
        print(" ", *(f"{result.items[p.first].id}={result.items[p.second].id}" for p in others))


def measure_planted(isic2017: Path, num: int) -> None:
    """Recall for copies of training images among all training images."""
    samples = open_dataset(isic2017).part("train")
    reported = [index for index, sample in enumerate(samples) if is_reported(sample.id)]
    step = max(1, len(reported) // num)
    chosen = reported[::step][:num]
    originals = [create_fingerprint(read_image(sample.image)) for sample in samples]
    print("| copy | recall as `same_image` | or as `same_lesion` |\n|---|---|---|")
    for name, change in CHANGES.items():
        random = np.random.default_rng(0)
        copies = [
            create_fingerprint(jpeg(change(read_image(samples[index].image), random), 85))
            for index in chosen
        ]
        fingerprints = [*originals, *copies]
        wanted = {(index, len(samples) + position) for position, index in enumerate(chosen)}
        candidates = [
            candidate
            for candidate in find_candidates(fingerprints, num_workers=2)
            if tuple(sorted((candidate.first, candidate.second))) in wanted
        ]
        values = np.array(list(compare(fingerprints, candidates).values()))
        shares = [(values >= limit).sum() / len(chosen) for limit in (SAME_IMAGE, SAME_LESION)]
        print(f"| {name} | {shares[0]:.3f} | {shares[1]:.3f} |", flush=True)


@contextmanager
def timed(what: str) -> Iterator[None]:
    """Print how long a step took, by the clock and in processor time of all threads."""
    start, used = time.perf_counter(), time.process_time()
    yield
    wall, processor = time.perf_counter() - start, time.process_time() - used
    print(f"{what}: {wall:.0f} s, {processor:.0f} s of processor time", flush=True)


def measure_speed(num: int) -> None:
    """Time for generated images against as many, half of which are copies of the first."""

    def images() -> Iterator[ImageArray]:
        random = np.random.default_rng(0)
        for seed in range(num):
            yield create_phantom(seed, size=(96, 128)).image
        for seed in range(num // 2):
            image = create_phantom(seed, size=(96, 128)).image
            yield jpeg(symmetric(image, random), 80)
        for seed in range(num, num + num - num // 2):
            yield create_phantom(seed, size=(96, 128)).image

    fingerprints, seconds = [], 0.0
    for image in images():
        start = time.process_time()
        fingerprints.append(create_fingerprint(image))
        seconds += time.process_time() - start
    print(f"fingerprints: {seconds:.0f} s of processor time", flush=True)
    with timed("search"):
        candidates = find_candidates(fingerprints, num_workers=2)
    print(f"{len(candidates)} candidates")
    with timed("comparison"):
        values = compare(fingerprints, candidates)
    found = {pair for pair, value in values.items() if value >= SAME_IMAGE}
    right = sum(second == first + num for first, second in found)
    print(f"copies found: {right} of {num // 2}; other pairs: {len(found) - right}")


def main() -> None:
    """Parse and measure."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("what", choices=("years", "planted", "speed"))
    parser.add_argument("--isic2017", type=Path)
    parser.add_argument("--isic2018", type=Path)
    parser.add_argument("--num", type=int)
    options = parser.parse_args()
    if options.what == "years":
        measure_years(options.isic2017, options.isic2018)
    elif options.what == "planted":
        measure_planted(options.isic2017, options.num or 500)
    else:
        measure_speed(options.num or 10000)


if __name__ == "__main__":
    main()
