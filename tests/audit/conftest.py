"""Folders of generated images, and copies of them as people make them."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import cv2
import numpy as np
import pytest

from dermseg.images import write_image
from dermseg.phantom import create_phantom
from dermseg.types import ImageArray

MakeFolder = Callable[..., Path]


@pytest.fixture(scope="session")
def phantoms() -> list[ImageArray]:
    """Generated images that have nothing in common."""
    return [create_phantom(seed).image for seed in range(24)]


@pytest.fixture
def make_folder(tmp_path: Path) -> MakeFolder:
    """Writes images by name into a dataset of the kind ``folder``, as JPEG of a quality."""

    def make(name: str, images: dict[str, ImageArray], *, quality: int = 90) -> Path:
        folder = tmp_path / name / "images"
        folder.mkdir(parents=True)
        for id, image in images.items():
            write_image(folder / f"{id}.jpg", image, quality=quality)
        return folder.parent

    return make


def scaled(image: ImageArray, factor: float) -> ImageArray:
    method = cv2.INTER_AREA if factor < 1 else cv2.INTER_CUBIC
    resized = cv2.resize(image, None, fx=factor, fy=factor, interpolation=method)
    return np.asarray(resized, np.uint8)


def brightened(image: ImageArray, factor: float) -> ImageArray:
    return np.asarray(np.clip(image * factor, 0, 255), np.uint8)


COPIES: dict[str, Callable[[ImageArray], ImageArray]] = {
    "the same": lambda image: image,
    "half the size": lambda image: scaled(image, 0.5),
    "twice the size": lambda image: scaled(image, 2),
    "turned by 90": lambda image: np.rot90(image, -1),
    "turned by 180": lambda image: np.rot90(image, 2),
    "turned by 270": lambda image: np.rot90(image, 1),
    "mirrored": lambda image: image[:, ::-1],
    "mirrored and turned by 90": lambda image: np.rot90(image[:, ::-1], -1),
    "mirrored and turned by 180": lambda image: np.rot90(image[:, ::-1], 2),
    "mirrored and turned by 270": lambda image: np.rot90(image[:, ::-1], 1),
    "a tenth cut off at the top left": lambda image: image[19:, 26:],
    "a tenth cut off at the bottom right": lambda image: image[:-19, :-26],
    "a tenth cut off around": lambda image: image[10:-10, 13:-13],
    "the middle square": lambda image: image[:, 32:-32],
    "darker": lambda image: brightened(image, 0.7),
    "brighter": lambda image: brightened(image, 1.15),
}


@pytest.fixture(params=COPIES)
def copied(request: pytest.FixtureRequest) -> Callable[[ImageArray], ImageArray]:
    """One way after another to copy an image."""
    return lambda image: np.ascontiguousarray(COPIES[request.param](image))
