"""Recipes that train in a second, and folders of empty files to divide."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from pathlib import Path

import pytest

from dermseg.recipes import Recipe, parse_recipe

RECIPE = """
name = "tiny"
description = "A tiny residual U-Net on discs"
seed = 1

[preprocessing]
size = [24, 32]

[network]
name = "residual_unet"
parameters = { widths = [4, 8] }

[[loss]]
name = "bce"

[[loss]]
name = "jaccard"

[augmentation]
horizontal_flip = 0.5
rotation_degrees = 180
brightness = 0.2

[training]
epochs = 2
batch_size = 4
lr = 2e-2
precision = "float32"
"""


@pytest.fixture(scope="session")
def make_recipe() -> Callable[..., Recipe]:
    """Make a recipe with overrides, as --set takes them."""
    return lambda *overrides: parse_recipe(RECIPE, overrides)


@pytest.fixture
def make_folder(tmp_path: Path) -> Callable[..., Path]:
    """Make a folder dataset of empty files."""

    def make(name: str, ids: Iterable[str], *, masks: bool = True) -> Path:
        root = tmp_path / name
        (root / "images").mkdir(parents=True)
        for id in ids:
            (root / "images" / f"{id}.png").touch()
        if masks:
            (root / "masks").mkdir()
            for id in ids:
                (root / "masks" / f"{id}.png").touch()
        return root

    return make


@pytest.fixture
def make_isic2017(tmp_path: Path) -> Callable[..., Path]:
    """Make an ISIC 2017 download of empty files, by part and number."""

    def make(**parts: Iterable[int]) -> Path:
        root = tmp_path / "isic2017"
        for part, numbers in parts.items():
            images = root / f"ISIC-2017_{part}_Data"
            masks = root / f"ISIC-2017_{part}_Part1_GroundTruth"
            images.mkdir(parents=True)
            masks.mkdir()
            for number in numbers:
                (images / f"ISIC_{number:07}.jpg").touch()
                (masks / f"ISIC_{number:07}_segmentation.png").touch()
        return root

    return make
