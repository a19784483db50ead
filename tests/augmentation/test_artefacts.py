"""Artefacts of dermoscopy in training images: they change images, never masks."""

from __future__ import annotations

import io

import numpy as np
import pytest
import torch
from PIL import Image

from dermseg.augmentation import Augmenter
from dermseg.augmentation.artefacts import CAMERA_ARTEFACTS, SCENE_ARTEFACTS, compress_jpeg
from dermseg.phantom import create_phantom
from dermseg.recipes import PRESETS, Augmentation

NAMES = [*SCENE_ARTEFACTS, *CAMERA_ARTEFACTS]
PHANTOM = create_phantom(3, size=(96, 128))
IMAGE = PHANTOM.image.astype(np.float32) / np.float32(255)


def augment(epoch: int = 0, **options: object) -> tuple[np.ndarray, np.ndarray]:
    augmenter = Augmenter(Augmentation.model_validate(options), seed=0)
    return augmenter(IMAGE, PHANTOM.mask, epoch=epoch, sample_id="a")


@pytest.mark.parametrize("name", NAMES)
def test_artefact_changes_the_image_and_leaves_the_mask(name: str) -> None:
    changed = 0
    for epoch in range(5):
        image, mask = augment(epoch, **{name: 1.0})
        assert np.array_equal(mask, PHANTOM.mask)
        assert image.dtype == np.float32
        assert image.min() >= 0
        assert image.max() <= 1
        changed += not np.allclose(image, IMAGE, atol=1 / 255)
    assert changed == 5


@pytest.mark.parametrize("name", NAMES)
def test_artefact_occurs_as_often_as_its_probability_says(name: str) -> None:
    occurred = sum(
        not np.allclose(augment(epoch, **{name: 0.25})[0], IMAGE, atol=0.6 / 255)
        for epoch in range(120)
    )
    # 30 expected; 19 is four standard deviations.
    assert 11 <= occurred <= 49


@pytest.mark.parametrize("name", NAMES)
def test_artefacts_are_drawn_by_the_key_alone(name: str) -> None:
    first = augment(1, **{name: 1.0})[0]
    torch.manual_seed(99)
    np.random.seed(99)  # noqa: NPY002 -- nothing may depend on it
    assert np.array_equal(augment(1, **{name: 1.0})[0], first)
    assert not np.array_equal(augment(2, **{name: 1.0})[0], first)


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("size", [(16, 16), (7, 33), (1, 1)])
def test_artefacts_are_drawn_on_images_of_any_size(name: str, size: tuple[int, int]) -> None:
    image = np.full((*size, 3), 0.6, np.float32)
    augmenter = Augmenter(Augmentation.model_validate({name: 1.0}), seed=0)
    changed, mask = augmenter(image, np.ones(size, bool), epoch=0, sample_id="a")
    assert changed.shape == image.shape
    assert mask.all()


def test_jpeg_has_the_quality_of_its_strength() -> None:
    rng = np.random.default_rng(0)
    for strength, quality in ((0.0, 95), (0.5, 55), (1.0, 15)):
        found = compress_jpeg(PHANTOM.image, rng, strength=strength)
        stream = io.BytesIO()
        Image.fromarray(PHANTOM.image).save(stream, "JPEG", quality=quality)
        expected = np.asarray(Image.open(stream).convert("RGB"))
        # Two programs that read and write JPEG round differently.
        assert np.abs(found.astype(int) - expected).mean() < 1.5


def test_artefacts_that_are_off_do_not_change_the_draws_of_the_rest() -> None:
    before = augment(horizontal_flip=0.5, rotation_degrees=90, brightness=0.2)
    after = augment(horizontal_flip=0.5, rotation_degrees=90, brightness=0.2, hairs=0.0, jpeg=0.0)
    assert np.array_equal(before[0], after[0])


def test_a_preset_is_its_values_and_keys_beside_it_override_it() -> None:
    assert set(PRESETS) == {"none", "flips", "standard", "dermoscopy", "strong"}
    dermoscopy = Augmentation.model_validate({"preset": "dermoscopy", "hairs": 0.9})
    assert dermoscopy.hairs == 0.9
    assert dermoscopy.ruler == PRESETS["dermoscopy"]["ruler"] > 0
    assert Augmentation.model_validate({"preset": "flips"}).rotation_degrees == 0
    written_out = dermoscopy.model_dump(exclude={"preset"})
    assert Augmentation.model_validate(written_out).model_dump(exclude={"preset"}) == written_out


@pytest.mark.parametrize("preset", PRESETS)
def test_image_and_mask_stay_together_under_every_preset(preset: str) -> None:
    mask = PHANTOM.mask
    # The mask is painted into the image, far apart in all channels.
    painted = np.repeat(np.where(mask[..., None], 0.1, 0.9), 3, axis=2).astype(np.float32)
    augmenter = Augmenter(Augmentation.model_validate({"preset": preset, "hairs": 0}), seed=0)
    agreement = []
    for epoch in range(10):
        image, moved = augmenter(painted, mask, epoch=epoch, sample_id="a")
        dark = image.mean(axis=2) < (image.max() + image.min()) / 2
        agreement.append((dark == moved).mean())
    assert np.median(agreement) > 0.98


def test_crop_enlarges_a_part_of_the_image() -> None:
    areas = []
    for epoch in range(50):
        image, mask = augment(epoch, crop=0.5)
        assert image.shape == IMAGE.shape
        areas.append(mask.sum() / PHANTOM.mask.sum())
    # Half of each side is a quarter of the area, so what is left grows up to four times.
    assert max(areas) > 1.5
    assert max(areas) < 4.3
