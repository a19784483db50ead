"""A small valid recipe as TOML."""

from __future__ import annotations

import pytest


@pytest.fixture
def text() -> str:
    """The fewest keys that make a recipe."""
    return """
name = "small"
description = "As little as a recipe can say"

[preprocessing]
size = [48, 64]

[network]
name = "unet"

[[loss]]
name = "bce"

[training]
epochs = 6
batch_size = 2
lr = 1e-3
"""
