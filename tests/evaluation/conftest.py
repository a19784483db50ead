"""Pairs of small masks on disk."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from dermseg.images import write_mask

# A script with dependencies of its own, which must not be imported in search of doctests.
collect_ignore = [
    "golden/make_golden.py",
    "golden/make_monai_golden.py",
    "golden_attributes/make_golden.py",
]


@pytest.fixture
def lesion() -> NDArray[np.bool_]:
    """A mask of 6 x 10 pixels with a lesion of 20."""
    mask = np.zeros((6, 10), dtype=np.bool_)
    mask[1:5, 2:7] = True
    return mask


@pytest.fixture
def make_masks(tmp_path: Path) -> Callable[..., Path]:
    """Write masks by file stem into a folder, and return the folder."""

    def make(name: str, masks: dict[str, NDArray[np.bool_]]) -> Path:
        folder = tmp_path / name
        folder.mkdir()
        for stem, mask in masks.items():
            write_mask(folder / f"{stem}.png", mask)
        return folder

    return make
