"""Writing images, masks and probabilities."""

from __future__ import annotations

import io
import os
import struct
import zlib
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from dermseg.errors import UsageError
from dermseg.storage import printable_path, write_bytes_atomically
from dermseg.types import BoolMask, FloatArray, ImageArray

__all__ = [
    "encode_jpeg",
    "encode_mask",
    "encode_png",
    "encode_probability",
    "write_image",
    "write_mask",
    "write_probability",
]

# Twice as fast as the next, which gives smaller files; Pillow writes PNG faster than OpenCV.
_PNG_LEVEL = 3
_MAX_JPEG_SIDE = 65500


def write_mask(path: str | os.PathLike[str], mask: BoolMask) -> None:
    """Write a mask as 8-bit PNG with the values 0 and 255.

    The file appears whole or not at all, see ``write_bytes_atomically``.

    Args:
        path: The file to write, whatever its suffix; its folder must exist.
        mask: (H, W) bool, not empty.

    Raises:
        ValueError: If ``mask`` is not a two-dimensional bool array with pixels.
        OutputError: If it cannot be written.
    """
    write_bytes_atomically(path, encode_mask(mask))


def encode_mask(mask: BoolMask) -> bytes:
    """Encode a mask as an 8-bit PNG with the values 0 and 255, as :func:`write_mask` writes it.

    Args:
        mask: (H, W) bool, not empty.

    Raises:
        ValueError: If ``mask`` is not a two-dimensional bool array with pixels.
    """
    # Not by Pillow: it tries filters on each row, which takes longer than to compress long runs of
    # two values, and zlib's search for repetitions finds no more in them than runs.
    if mask.dtype != np.bool_ or mask.ndim != 2 or mask.size == 0:
        raise ValueError(f"expected a bool mask (H, W), got {_describe(mask)}")
    height, width = mask.shape
    rows = np.zeros((height, width + 1), np.uint8)  # each begins with its filter, 0 for none
    np.multiply(mask.view(np.uint8), 255, out=rows[:, 1:])
    compressor = zlib.compressobj(1, strategy=zlib.Z_RLE)
    data = compressor.compress(rows.data) + compressor.flush()
    header = struct.pack(">IIBBBBB", width, height, 8, 0, 0, 0, 0)
    chunks = ((b"IHDR", header), (b"IDAT", data), (b"IEND", b""))
    return b"\x89PNG\r\n\x1a\n" + b"".join(
        struct.pack(">I", len(content))
        + kind
        + content
        + struct.pack(">I", zlib.crc32(kind + content))
        for kind, content in chunks
    )


def encode_probability(probability: FloatArray) -> bytes:
    """Encode probabilities as an 8-bit grey PNG, ``round(255 * probability)``.

    Args:
        probability: (H, W) float in [0, 1], not empty.

    Raises:
        ValueError: If ``probability`` has another shape or type, or values outside [0, 1].
    """
    is_float = np.issubdtype(probability.dtype, np.floating)
    if not is_float or probability.ndim != 2 or probability.size == 0:
        raise ValueError(f"expected float probabilities (H, W), got {_describe(probability)}")
    if not (probability.min() >= 0 and probability.max() <= 1):  # also holds for NaN
        raise ValueError(
            "expected probabilities in [0, 1], got values from "
            f"{probability.min():g} to {probability.max():g}"
        )
    # In float32 at least: float16 would round 255 * p before rint does.
    grey = np.rint(probability.astype(np.float32, copy=False) * 255).astype(np.uint8)
    return encode_png(grey)


def write_probability(path: str | os.PathLike[str], probability: FloatArray) -> None:
    """Write probabilities as 8-bit grey PNG, see :func:`encode_probability`.

    The file appears whole or not at all, see ``write_bytes_atomically``.

    Args:
        path: The file to write, whatever its suffix; its folder must exist.
        probability: (H, W) float in [0, 1], not empty.

    Raises:
        ValueError: As :func:`encode_probability`.
        OutputError: If it cannot be written.
    """
    write_bytes_atomically(path, encode_probability(probability))


def write_image(path: str | os.PathLike[str], image: ImageArray, *, quality: int = 90) -> None:
    """Write an RGB image as JPEG or PNG, by the suffix of ``path``.

    The file appears whole or not at all, see ``write_bytes_atomically``.

    Args:
        path: The file to write, ``.jpg``, ``.jpeg`` or ``.png``; its folder must exist.
        image: (H, W, 3) uint8 RGB, not empty.
        quality: JPEG quality, 1 to 100; PNG is lossless.

    Raises:
        UsageError: If the suffix is another, or a side is too long for JPEG.
        ValueError: If ``image`` has another shape or type, or ``quality`` is out of range.
        OutputError: If it cannot be written.
    """
    if image.dtype != np.uint8 or image.ndim != 3 or image.shape[2] != 3 or image.size == 0:
        raise ValueError(f"expected an RGB image (H, W, 3) uint8, got {_describe(image)}")
    if not 1 <= quality <= 100:
        raise ValueError(f"expected a JPEG quality from 1 to 100, got {quality}")
    suffix = Path(path).suffix.lower()
    if suffix == ".png":
        write_bytes_atomically(path, encode_png(image))
        return
    if suffix not in (".jpg", ".jpeg"):
        raise UsageError(
            f"{printable_path(path)}: images are written as .jpg or .png, not "
            f"{suffix or 'no suffix'}"
        )
    if max(image.shape) > _MAX_JPEG_SIDE:
        raise UsageError(
            f"{printable_path(path)}: {image.shape[1]} x {image.shape[0]} pixels do not fit JPEG, "
            f"whose sides have at most {_MAX_JPEG_SIDE}; write a .png"
        )
    write_bytes_atomically(path, encode_jpeg(image, quality=quality))


def encode_jpeg(image: ImageArray, *, quality: int = 90) -> bytes:
    """Encode an image, (H, W, 3) uint8 RGB, as the content of a JPEG file.

    Args:
        image: No side longer than 65,500 pixels.
        quality: 1 to 100.
    """
    buffer = io.BytesIO()
    Image.fromarray(image).save(buffer, "JPEG", quality=quality)
    return buffer.getvalue()


def encode_png(values: NDArray[np.uint8]) -> bytes:
    """Encode an image, (H, W, 3) RGB or (H, W) grey uint8, as the content of a PNG file."""
    buffer = io.BytesIO()
    Image.fromarray(values).save(buffer, "PNG", compress_level=_PNG_LEVEL)
    return buffer.getvalue()


def _describe(array: np.ndarray) -> str:
    return f"{array.dtype} of shape {array.shape}"
