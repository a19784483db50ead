"""Copies of images are found, and images that are no copies are not."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import cv2
import numpy as np
import pytest

from dermseg.audit import SAME_IMAGE, SAME_LESION, Alignment, align, find_candidates
from dermseg.phantom import create_phantom
from dermseg.preprocessing import Fingerprint, create_fingerprint
from dermseg.types import ImageArray

Copied = Callable[[ImageArray], ImageArray]


def as_jpeg(image: ImageArray, quality: int) -> ImageArray:
    _, encoded = cv2.imencode(".jpg", image, [cv2.IMWRITE_JPEG_QUALITY, quality])
    return np.asarray(cv2.imdecode(encoded, cv2.IMREAD_COLOR), np.uint8)


def compare(
    fingerprints: list[Fingerprint], *, at_least: float = SAME_LESION
) -> dict[tuple[int, int], Alignment]:
    """Alignments of the pairs that are found, from the smaller index to the larger."""
    found = {}
    for candidate in find_candidates(fingerprints, num_workers=1):
        first, second = candidate.first, candidate.second
        alignment = align(fingerprints[first], fingerprints[second], candidate)
        if alignment is not None and alignment.similarity >= at_least:
            pair = (min(first, second), max(first, second))
            found[pair] = alignment if first < second else alignment.inverse()
    return found


def test_every_kind_of_copy_is_found_and_nothing_else(
    phantoms: list[ImageArray], copied: Copied
) -> None:
    copies = [as_jpeg(copied(image), 80) for image in phantoms]
    fingerprints = [create_fingerprint(image) for image in [*phantoms, *copies]]
    num = len(phantoms)
    found = compare(fingerprints)
    wanted = {(index, num + index) for index in range(num)}
    assert found.keys() <= wanted
    assert len(found) >= 0.9 * num


def test_most_copies_turned_by_any_angle_are_found(phantoms: list[ImageArray]) -> None:
    copies = []
    for index, image in enumerate(phantoms):
        matrix = cv2.getRotationMatrix2D((127.5, 95.5), 15 + 14 * index, 1)
        copies.append(np.asarray(cv2.warpAffine(image, matrix, (256, 192)), np.uint8))
    found = compare([create_fingerprint(image) for image in [*phantoms, *copies]])
    num = len(phantoms)
    assert found.keys() <= {(index, num + index) for index in range(num)}
    assert len(found) >= 0.7 * num


@pytest.mark.parametrize("quality", [50, 75, 95])
def test_copies_of_any_jpeg_quality_are_found(phantoms: list[ImageArray], quality: int) -> None:
    copies = [as_jpeg(image, quality) for image in phantoms]
    found = compare(
        [create_fingerprint(image) for image in [*phantoms, *copies]], at_least=SAME_IMAGE
    )
    assert found.keys() == {(index, len(phantoms) + index) for index in range(len(phantoms))}


@pytest.mark.slow
def test_two_hundred_different_images_give_no_pair() -> None:
    fingerprints = [
        create_fingerprint(create_phantom(seed, size=(96, 128)).image) for seed in range(200)
    ]
    assert not compare(fingerprints)


def test_the_map_takes_pixels_of_the_second_image_to_the_first(phantoms: list[ImageArray]) -> None:
    image = phantoms[0]
    # Turned clockwise by 90: (x, y) of the original goes to (191 - y, x); then halved.
    turned = np.rot90(image, -1)
    half = np.asarray(cv2.resize(turned, (96, 128), interpolation=cv2.INTER_AREA), np.uint8)
    (alignment,) = compare([create_fingerprint(image), create_fingerprint(half)]).values()
    assert alignment.similarity > 0.95
    assert alignment.overlap > 0.95
    # The middle of pixel (10, 20) of the half image lies at (20.5, 40.5) of the turned one.
    assert alignment.matrix @ [10, 20, 1] == pytest.approx([40.5, 191 - 20.5], abs=1)


def test_images_without_structure_are_not_taken_for_copies() -> None:
    flat = [np.full((60, 80, 3), value, np.uint8) for value in (0, 90, 200, 255)]
    assert not compare([create_fingerprint(image) for image in flat])


def test_round_fields_of_view_alone_do_not_make_a_pair(phantoms: list[ImageArray]) -> None:
    y, x = np.mgrid[:192, :256]
    dark = (x - 127.5) ** 2 + (y - 95.5) ** 2 > 95**2
    vignetted = [np.where(dark[..., None], 0, image).astype(np.uint8) for image in phantoms]
    assert not compare([create_fingerprint(image) for image in vignetted])


@pytest.mark.parametrize("num", [0, 1])
def test_nothing_is_compared_with_itself(phantoms: list[ImageArray], num: int) -> None:
    fingerprints = [create_fingerprint(image) for image in phantoms[:num]]
    assert find_candidates(fingerprints, num_workers=1) == []


def test_each_image_has_few_candidates(phantoms: list[ImageArray]) -> None:
    similar = [create_fingerprint(as_jpeg(phantoms[0], quality)) for quality in range(30, 90)]
    candidates = find_candidates(similar, num_workers=1)
    assert len(candidates) <= 8 * len(similar)


@pytest.mark.data
@pytest.mark.slow
def test_copies_of_real_images_are_found(real_data: Path, copied: Copied) -> None:
    from dermseg.datasets import open_dataset  # noqa: PLC0415
    from dermseg.images import read_image  # noqa: PLC0415

    samples = open_dataset(real_data / "isic2017_256x192").part("train")[::40]
    images = [read_image(sample.image) for sample in samples]
    copies = [as_jpeg(copied(image), 80) for image in images]
    found = compare([create_fingerprint(image) for image in [*images, *copies]])
    wanted = {(index, len(images) + index) for index in range(len(images))}
    # Real images have copies among themselves.
    assert {pair for pair in found if pair[1] - pair[0] == len(images)} <= wanted
    assert len(wanted & found.keys()) >= 0.9 * len(images)
