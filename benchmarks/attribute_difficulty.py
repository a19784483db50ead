"""How far colour and local contrast alone find the drawn structures: not far, by design.

A logistic regression per structure sees of each pixel its colour (RGB and CIELAB) and the mean and
standard deviation of the colour around it at three scales. It is fitted on half of the images and
scored on the other half as micro Jaccard over the five structures, with those thresholds that suit
the scored images best. Networks learn more than that only from shapes.

    python benchmarks/attribute_difficulty.py --images 120
    python benchmarks/attribute_difficulty.py --images 120 --folder ISIC2018_512 --excluded LISTED
    python benchmarks/attribute_difficulty.py --images 120 --first-seed 5000

FOLDER holds ``ISIC2018_Task1-2_Training_Input`` and ``ISIC2018_Task1_Training_GroundTruth``; images
whose id occurs in a file name of the folder ``--excluded`` are left out.
"""

from __future__ import annotations

import argparse
import warnings
from collections.abc import Iterator
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray
from sklearn.linear_model import LogisticRegression
from sklearn.preprocessing import StandardScaler

from dermseg.images import read_image, read_mask
from dermseg.phantom import PhantomOptions
from dermseg.phantom.attributes import (
    ATTRIBUTES,
    OBSERVED_FREQUENCIES,
    TRAINING_FREQUENCIES,
    AttributeOptions,
    AttributePhantom,
    create_attribute_phantom,
    draw_attributes,
)
from dermseg.types import ImageArray

_SIZE = (192, 256)
_SCALES = (2.0, 5.0, 12.0)  # pixels
_FITTED_PIXELS, _SCORED_PIXELS = 1500, 4000  # of each image


def main() -> None:
    """Print the micro Jaccard at both frequencies."""
    parser = argparse.ArgumentParser(description="score a per-pixel logistic regression")
    parser.add_argument("--images", type=int, default=120)
    parser.add_argument("--contrast", type=float, default=1.0, help="of what is drawn")
    parser.add_argument("--first-seed", type=int, default=0, help="the others follow it")
    parser.add_argument("--folder", type=Path, help="real lesions instead of generated ones")
    parser.add_argument("--excluded", type=Path, help="folder of images that are not used")
    arguments = parser.parse_args()
    for name, frequencies in (
        ("observed", OBSERVED_FREQUENCIES),
        ("training", TRAINING_FREQUENCIES),
    ):
        options = AttributeOptions(frequencies, contrast=arguments.contrast)
        if arguments.folder is None:
            phantoms = generated(arguments.images, options, first_seed=arguments.first_seed)
        else:
            phantoms = blended(
                arguments.images,
                options,
                arguments.folder,
                arguments.excluded,
                first_seed=arguments.first_seed,
            )
        micro, single = pixel_regression(phantoms)
        listed = "  ".join(f"{key} {value:.3f}" for key, value in single.items())
        print(f"{name} frequencies: micro Jaccard {micro:.3f}  ({listed})")


def generated(
    number: int, options: AttributeOptions, *, first_seed: int = 0
) -> Iterator[AttributePhantom]:
    """Structures on generated lesions, artefacts included."""
    for seed in range(first_seed, first_seed + number):
        yield create_attribute_phantom(
            seed, size=_SIZE, options=PhantomOptions(), attributes=options
        )


def blended(
    number: int,
    options: AttributeOptions,
    folder: Path,
    excluded: Path | None,
    *,
    first_seed: int = 0,
) -> Iterator[AttributePhantom]:
    """Structures blended into real lesions, evenly over the folder's images."""
    left_out = {path.name[:12] for path in excluded.iterdir()} if excluded else set()
    images = sorted((folder / "ISIC2018_Task1-2_Training_Input").glob("*.jpg"))
    images = [path for path in images if path.stem not in left_out]
    masks = folder / "ISIC2018_Task1_Training_GroundTruth"
    places = np.linspace(0, len(images) - 1, number).astype(int)
    for seed, index in enumerate(places, first_seed):
        path = images[index]
        image = read_image(path)
        lesion = read_mask(masks / f"{path.stem}_segmentation.png")
        side = min(_SIZE)
        image = np.asarray(cv2.resize(image, (side, side), interpolation=cv2.INTER_AREA), np.uint8)
        lesion = cv2.resize(lesion.astype(np.float32), (side, side)) > 0.5
        yield draw_attributes(image, lesion, seed=seed, options=options)


def pixel_regression(phantoms: Iterator[AttributePhantom]) -> tuple[float, dict[str, float]]:
    """Micro Jaccard over the structures, and the best Jaccard of each, on every second image."""
    rng = np.random.default_rng(0)
    features: tuple[list[NDArray[np.float32]], ...] = ([], [])
    labels: tuple[list[NDArray[np.bool_]], ...] = ([], [])
    for index, phantom in enumerate(phantoms):
        part = index % 2
        number = (_FITTED_PIXELS, _SCORED_PIXELS)[part]
        chosen = rng.choice(phantom.lesion.size, number, replace=False)
        features[part].append(_features(phantom.image)[chosen])
        truth = np.stack([phantom.masks[name].ravel() for name in ATTRIBUTES], axis=1)
        labels[part].append(truth[chosen])
    scaler = StandardScaler().fit(np.concatenate(features[0]))
    fitted, scored = (scaler.transform(np.concatenate(part)) for part in features)
    truths, targets = (np.concatenate(part) for part in labels)
    curves = []
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        for column in range(len(ATTRIBUTES)):
            model = LogisticRegression(max_iter=300).fit(fitted, truths[:, column])
            curves.append(_curve(model.decision_function(scored), targets[:, column]))
    best = [float((hits / np.maximum(union, 1)).max()) for hits, union in curves]
    return _best_micro(curves), dict(zip(ATTRIBUTES, best, strict=True))


def _features(image: ImageArray) -> NDArray[np.float32]:
    """Colour of each pixel, and mean and standard deviation around it, (H * W, 24)."""
    rgb = np.asarray(image, np.float32) / 255
    planes = [rgb, cv2.cvtColor(rgb, cv2.COLOR_RGB2Lab) / 100]
    for sigma in _SCALES:
        mean = cv2.GaussianBlur(rgb, (0, 0), sigma)
        square = cv2.GaussianBlur(rgb * rgb, (0, 0), sigma)
        planes += [mean, np.log(np.sqrt(np.maximum(square - mean * mean, 0)) + 0.005)]
    return np.concatenate(planes, axis=2).reshape(rgb.shape[0] * rgb.shape[1], -1)


def _curve(
    scores: NDArray[np.float64], target: NDArray[np.bool_]
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Pixels hit and pixels in the union, for every threshold from none to all marked."""
    order = np.argsort(-scores)
    hits = np.concatenate([[0], np.cumsum(target[order])])
    union = int(target.sum()) + np.arange(len(target) + 1) - hits
    return hits, union


def _best_micro(curves: list[tuple[NDArray[np.int64], NDArray[np.int64]]]) -> float:
    """Greatest ratio of summed hits to summed unions over all choices of thresholds."""
    micro = 0.0
    for _ in range(30):  # Dinkelbach: each round is exact for the last ratio
        places = [int(np.argmax(hits - micro * union)) for hits, union in curves]
        hit = sum(int(hits[place]) for (hits, _), place in zip(curves, places, strict=True))
        total = sum(int(union[place]) for (_, union), place in zip(curves, places, strict=True))
        if hit <= micro * total + 1e-9:
            break
        micro = hit / total
    return micro


if __name__ == "__main__":
    main()
