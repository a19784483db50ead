"""Field of view, hair and colour of the light, each alone."""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np
import pytest

from dermseg.images import read_image, read_mask
from dermseg.phantom import ARTEFACTS, create_phantom
from dermseg.preprocessing import prepare_image
from dermseg.preprocessing.color_constancy import correct_color, estimate_light
from dermseg.preprocessing.field_of_view import Box, fill_background, find_background, find_field
from dermseg.preprocessing.hair import find_hair, remove_hair
from dermseg.recipes import Cleaning

SKIN = (225, 190, 170)


def skin(size: tuple[int, int] = (120, 160)) -> np.ndarray:
    return np.full((*size, 3), SKIN, np.uint8)


def round_field(size: tuple[int, int] = (120, 160), radius: int = 50) -> np.ndarray:
    y, x = np.mgrid[: size[0], : size[1]]
    inside = (x - size[1] / 2) ** 2 + (y - size[0] / 2) ** 2 < radius**2
    return np.where(inside[..., None], skin(size), 5).astype(np.uint8)


def test_field_is_the_circles_bounding_box() -> None:
    box = find_field(round_field((240, 320), 100))
    assert abs(box.top - 20) <= 2
    assert abs(box.left - 60) <= 2
    assert abs(box.height - 200) <= 4
    assert abs(box.width - 200) <= 4


def test_field_scales_with_the_image() -> None:
    enlarged = np.asarray(cv2.resize(round_field(), (1600, 1200)), np.uint8)
    box = find_field(enlarged)
    assert abs(box.left - 300) <= 1600 / 256 + 5
    assert abs(box.width - 1000) <= 2 * 1600 / 256 + 10


@pytest.mark.parametrize(
    "image",
    [skin(), np.zeros((40, 60, 3), np.uint8), np.full((40, 60, 3), 255, np.uint8),
     skin((1, 1)), skin((3, 200))],
    ids=["skin", "black", "white", "one pixel", "thin"],
)  # fmt: skip
def test_images_without_a_dark_rim_are_left_whole(image: np.ndarray) -> None:
    assert find_field(image) == Box(0, 0, *image.shape[:2])
    assert not find_background(image).any()
    assert fill_background(image) is image


def test_a_dark_lesion_at_an_edge_is_no_background() -> None:
    image = skin()
    image[40:80, :50] = 30
    assert not find_background(image).any()
    assert find_field(image) == Box(0, 0, 120, 160)


def test_background_is_painted_in_the_colour_of_the_skin_and_the_field_is_kept() -> None:
    image = round_field()
    filled = fill_background(image)
    assert np.abs(filled.astype(int) - SKIN).max() <= 1
    lesion = round_field()
    lesion[50:70, 70:90] = 40
    assert (fill_background(lesion)[50:70, 70:90] == 40).all()


def draw_hairs_on(image: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    hairs = np.zeros(image.shape[:2], np.uint8)
    for start, end in (((10, 5), (150, 100)), ((5, 90), (120, 20)), ((80, 0), (60, 119))):
        cv2.line(hairs, start, end, 1, 2)
    return np.where(hairs[..., None] == 1, 40, image).astype(np.uint8), hairs.astype(bool)


def test_hair_is_found_and_painted_over() -> None:
    image, hairs = draw_hairs_on(skin())
    found = find_hair(image)
    assert found[hairs].mean() > 0.9
    assert (found & ~hairs).mean() < 0.02
    # Where hairs cross, they are wider than hairs, and some of them stays.
    before, after = (np.abs(each.astype(int) - SKIN).mean() for each in (image, remove_hair(image)))
    assert after < 0.25 * before


def test_skin_without_hair_and_a_lesion_are_left_as_they_are() -> None:
    image = skin()
    cv2.circle(image, (80, 60), 30, (90, 60, 50), -1)
    assert not find_hair(image).any()
    assert remove_hair(image) is image


def test_removing_drawn_hair_brings_a_phantom_nearer_to_what_it_was() -> None:
    gains = []
    for seed in range(5):
        clean = create_phantom(seed, size=(192, 256)).image
        hairy = ARTEFACTS["hairs"](clean, np.random.default_rng(seed), strength=0.6)
        error = np.abs(hairy.astype(int) - clean).mean()
        gains.append(error - np.abs(remove_hair(hairy).astype(int) - clean).mean())
    assert np.mean(gains) > 0
    assert min(gains) > -0.3


def test_grey_light_by_hand() -> None:
    assert estimate_light(np.full((2, 2, 3), 128, np.uint8)) == pytest.approx([1, 1, 1])
    assert estimate_light(np.zeros((2, 2, 3), np.uint8)) == pytest.approx([1, 1, 1])
    # One pixel: its colour, scaled to length sqrt(3).
    colour = np.array([200.0, 100.0, 50.0])
    expected = colour * np.sqrt(3) / np.linalg.norm(colour)
    assert estimate_light(colour.astype(np.uint8).reshape(1, 1, 3)) == pytest.approx(expected)


def test_light_is_the_sixth_norm_of_all_pixels() -> None:
    image = create_phantom(1, size=(48, 64)).image
    norm = ((image / 255) ** 6).mean(axis=(0, 1)) ** (1 / 6)
    assert estimate_light(image) == pytest.approx(norm * np.sqrt(3) / np.linalg.norm(norm))


def test_correction_takes_a_cast_out() -> None:
    image = (create_phantom(2, size=(96, 128)).image * 0.6).astype(np.uint8)
    gains = np.array([1.0, 0.8, 0.6])
    cast = np.clip(image * gains, 0, 255).astype(np.uint8)
    plain, corrected = (correct_color(each).astype(float) for each in (image, cast))
    # Up to the brightness, which the light's length decides.
    ratio = corrected.mean(axis=(0, 1)) / plain.mean(axis=(0, 1))
    assert ratio == pytest.approx(np.full(3, ratio.mean()), rel=0.01)
    light = estimate_light(correct_color(cast))
    assert light == pytest.approx([1, 1, 1], abs=0.02)


@pytest.mark.parametrize("size", [(1, 1), (3, 200), (64, 48)])
def test_all_steps_work_on_images_of_any_size(size: tuple[int, int]) -> None:
    every = Cleaning(**dict.fromkeys(Cleaning.model_fields, True))
    box = find_field(skin(size))
    assert prepare_image(skin(size), box, (32, 48), every).shape == (32, 48, 3)


@pytest.mark.data
def test_cleaning_real_images_leaves_their_lesions(real_data: Path) -> None:
    root = real_data / "isic2017_256x192"
    lost = []
    for path in sorted((root / "ISIC-2017_Training_Data").glob("*.jpg"))[:100]:
        mask = read_mask(
            root / "ISIC-2017_Training_Part1_GroundTruth" / f"{path.stem}_segmentation.png"
        )
        background = find_background(read_image(path))
        lost.append((background & mask).sum() / max(1, mask.sum()))
    assert np.mean(lost) < 0.01
    assert np.mean(np.array(lost) > 0.2) <= 0.02


def read_real_pairs(real_data: Path, step: int) -> list[tuple[np.ndarray, np.ndarray]]:
    root = real_data / "isic2017_256x192"
    masks = root / "ISIC-2017_Training_Part1_GroundTruth"
    paths = sorted((root / "ISIC-2017_Training_Data").glob("*.jpg"))[::step]
    return [
        (read_image(path), read_mask(masks / f"{path.stem}_segmentation.png")) for path in paths
    ]


@pytest.mark.data
def test_hair_removal_leaves_most_real_lesions_nearly_as_they_are(real_data: Path) -> None:
    pairs = read_real_pairs(real_data, 20)
    changed = [(remove_hair(image) != image).any(axis=2)[mask].mean() for image, mask in pairs]
    assert np.median(changed) == 0
    assert np.quantile(changed, 0.9) < 0.05
    assert max(changed) < 0.5


@pytest.mark.data
def test_hairs_drawn_on_real_images_are_found(real_data: Path) -> None:
    found = []
    for seed, (image, _) in enumerate(read_real_pairs(real_data, 40)):
        hairy = ARTEFACTS["hairs"](image, np.random.default_rng(seed), strength=0.25)
        drawn = image.max(axis=2).astype(int) - hairy.max(axis=2) > 40
        if drawn.sum() > 50:  # not so where the hairs are bright
            found.append(find_hair(hairy)[drawn].mean())
    assert len(found) > 30
    assert np.mean(found) > 0.9


@pytest.mark.data
def test_crop_keeps_real_lesions_whole(real_data: Path) -> None:
    for image, mask in read_real_pairs(real_data, 20):
        assert mask[find_field(image).slices].sum() > 0.98 * mask.sum()
