"""Pictures that the tests of image files share."""

from __future__ import annotations

import io
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image

from dermseg.types import ImageArray


@pytest.fixture(scope="session")
def picture() -> ImageArray:
    """A smooth picture without symmetry, (24, 36, 3): JPEG keeps it within a few levels."""
    rows, columns = np.mgrid[0:24, 0:36]
    return np.stack([rows * 10, columns * 7, rows * 3 + columns * 2], axis=2).astype(np.uint8)


@pytest.fixture(scope="session")
def encode() -> Callable[..., bytes]:
    """Encode an array with Pillow, after conversion to ``mode`` if one is given."""

    def encode(
        pixels: NDArray[Any], format_name: str, *, mode: str | None = None, **options: Any
    ) -> bytes:
        image = Image.fromarray(pixels)
        buffer = io.BytesIO()
        (image.convert(mode) if mode else image).save(buffer, format_name, **options)
        return buffer.getvalue()

    return encode
