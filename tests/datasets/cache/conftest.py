"""A small dataset to change and damage."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest


@pytest.fixture
def data(tmp_path: Path, disc_dataset: Path) -> Path:
    """A copy of eight images of discs and their masks."""
    root = tmp_path / "data"
    for folder in ("images", "masks"):
        (root / folder).mkdir(parents=True)
        for path in sorted((disc_dataset / folder).iterdir())[:8]:
            shutil.copy2(path, root / folder)
    return root
