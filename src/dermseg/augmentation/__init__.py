"""Random changes of training images and their masks. Needs the extra ``train``."""

from __future__ import annotations

import hashlib

import numpy as np
import torch
from numpy.typing import NDArray

from dermseg.augmentation.artefacts import CAMERA_ARTEFACTS, SCENE_ARTEFACTS, RandomArtefacts
from dermseg.augmentation.color import (
    RandomChannelGain,
    RandomColorTemperature,
    RandomGamma,
    RandomSkinTone,
)
from dermseg.augmentation.geometry import RandomWarp
from dermseg.recipes import Augmentation
from dermseg.torchvision_import import tv_tensors, v2
from dermseg.types import BoolMask, MaskStack

__all__ = [
    "Augmenter",
    "RandomArtefacts",
    "RandomChannelGain",
    "RandomColorTemperature",
    "RandomGamma",
    "RandomSkinTone",
    "RandomWarp",
]


class Augmenter:
    """Changes an image and its masks as a recipe says, the same way for the same key.

    Every draw depends on the key alone, never on the order of images or on worker processes,
    and torch's own random state is left as it was. Geometry comes first, then the
    skin's tone, what lies on skin and glass, colours, and what the camera adds.

    Args:
        options: Strengths, as in the recipe.
        seed: The run's seed.
    """

    def __init__(self, options: Augmentation, *, seed: int) -> None:
        self.seed = seed
        self.transform = v2.Compose(_transforms(options))

    def __call__(
        self, image: NDArray[np.float32], mask: BoolMask | MaskStack, *, epoch: int, sample_id: str
    ) -> tuple[NDArray[np.float32], BoolMask | MaskStack]:
        """Augment one pair.

        Masks of several classes lie upon each other before and after: all are moved like the
        image, and like one mask would be.

        Args:
            image: (H, W, 3) float32 in [0, 1].
            mask: (H, W) bool, or (C, H, W) for several classes.
            epoch: Counted from 0; with seed and id, the key of the draws.
            sample_id: The sample's id.

        Returns:
            The changed image, in [0, 1], and mask, both of the given size, or the window's.
        """
        image_tensor = tv_tensors.Image(torch.from_numpy(image).permute(2, 0, 1))
        mask_tensor = tv_tensors.Mask(torch.from_numpy(mask.astype(np.uint8)))
        with torch.random.fork_rng(devices=[]):
            # Not torch.manual_seed, which would also seed the GPUs.
            torch.default_generator.manual_seed(_key(self.seed, epoch, sample_id))
            image_tensor, mask_tensor = self.transform(image_tensor, mask_tensor)
        changed = image_tensor.permute(1, 2, 0).numpy()
        return np.ascontiguousarray(changed), mask_tensor.numpy().astype(np.bool_)


def _key(seed: int, epoch: int, sample_id: str) -> int:
    digest = hashlib.blake2b(f"{seed}/{epoch}/{sample_id}".encode(), digest_size=8).digest()
    return int.from_bytes(digest, "little") >> 1


def _transforms(options: Augmentation) -> list[v2.Transform]:
    transforms: list[v2.Transform] = [RandomWarp(options)]
    if options.window is not None:
        transforms.append(v2.RandomCrop(options.window))
    # What is off is left out, so that it draws no random numbers and older recipes keep theirs.
    if options.skin_tone:
        transforms.append(RandomSkinTone(options.skin_tone))
    probabilities = options.model_dump(include={*SCENE_ARTEFACTS, *CAMERA_ARTEFACTS})
    if any(probabilities[name] for name in SCENE_ARTEFACTS):
        transforms.append(RandomArtefacts(SCENE_ARTEFACTS, probabilities))
    if any((options.brightness, options.contrast, options.saturation, options.hue)):
        transforms.append(
            v2.ColorJitter(
                brightness=options.brightness,
                contrast=options.contrast,
                saturation=options.saturation,
                hue=options.hue,
            )
        )
    if options.temperature:
        transforms.append(RandomChannelGain(options.temperature))
    if options.color_temperature:
        transforms.append(RandomColorTemperature(options.color_temperature))
    if options.gamma:
        transforms.append(RandomGamma(options.gamma))
    if any(probabilities[name] for name in CAMERA_ARTEFACTS):
        transforms.append(RandomArtefacts(CAMERA_ARTEFACTS, probabilities))
    return transforms
