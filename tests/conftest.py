"""Fixtures that several test folders share."""

from __future__ import annotations

import os
from pathlib import Path

import pytest


@pytest.fixture(scope="session")
def real_data() -> Path:
    """The folder of real dermoscopic images, or a skip where there is none."""
    folder = os.environ.get("DERMSEG_DATA")
    if not folder:
        pytest.skip("needs real images: set DERMSEG_DATA to the folder that holds them")
    return Path(folder).resolve()
