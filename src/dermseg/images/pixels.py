"""From decoded pixels of any type to 8-bit colours or grey values."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from PIL import Image
from PIL.TiffImagePlugin import TiffImageFile

from dermseg.errors import ImageError
from dermseg.types import ImageArray

__all__ = ["grey_values", "rgb_values"]

_COLOUR_MODES = frozenset({"1", "L", "P", "RGB", "RGBX", "CMYK", "YCbCr"})
_ALPHA_MODES = frozenset({"LA", "La", "PA", "RGBA", "RGBa"})
_WIDE_MODES = frozenset({"I;16", "I;16L", "I;16B", "I", "F"})
_BITS_TAG = 258
_BAND = 1 << 20
_PHOTOMETRIC_TAG = 262


def rgb_values(image: Image.Image, name: str) -> ImageArray:
    """Convert to RGB, (H, W, 3) uint8.

    Raises:
        ImageError: If the values have no known range, the colours no known meaning, or all
            pixels are transparent; ``name`` is the file's.
    """
    if image.mode in _WIDE_MODES:
        grey = _narrowed(image, name, small_is_8_bit=False)
        return np.repeat(grey[..., np.newaxis], 3, axis=2)
    _check_colours(image, name)
    if image.has_transparency_data:
        image = _on_white(image, name)
    return _in_bands(image.convert("RGB") if image.mode != "RGB" else image)


def _in_bands(image: Image.Image) -> ImageArray:
    """Copy the pixels of an RGB image, a few rows at a time.

    Pillow hands pixels over as a list of strings, which would take as much memory again.
    """
    width, height = image.size
    pixels = np.empty((height, width, 3), np.uint8)
    num_rows = max(1, _BAND // width)
    for top in range(0, height, num_rows):
        bottom = min(height, top + num_rows)
        pixels[top:bottom] = np.asarray(image.crop((0, top, width, bottom)))
    return pixels


def grey_values(image: Image.Image, name: str) -> NDArray[np.uint8]:
    """Convert an image without colours to its grey values, (H, W) uint8.

    Raises:
        ImageError: If there are colours or transparent pixels, or the values have no known range;
            ``name`` is the file's.
    """
    if image.mode in _WIDE_MODES:
        return _narrowed(image, name, small_is_8_bit=True)
    _check_colours(image, name)
    if image.has_transparency_data:
        image = _as_rgba(image)
        if image.getchannel("A").getextrema() != (255, 255):
            raise ImageError(name, "a mask with transparent pixels; save it without transparency")
    elif image.mode == "P":
        return _palette_labels(image, name)
    if image.mode in ("1", "L"):
        return np.array(image.convert("L"))
    red: NDArray[np.uint8]
    red, green, blue = (np.array(band) for band in image.convert("RGB").split())
    if not (np.array_equal(red, green) and np.array_equal(red, blue)):
        raise ImageError(name, "a mask with colours; expected one channel, black and white")
    return red


def _check_colours(image: Image.Image, name: str) -> None:
    if image.mode not in _COLOUR_MODES | _ALPHA_MODES:
        raise ImageError(name, f"its pixel type ({image.mode}) is not supported; save it as RGB")
    if image.mode == "P" and _used_indices(image)[-1] >= len(_palette(image)):
        raise ImageError(name, "the file is damaged (its palette lacks colours)")


def _as_rgba(image: Image.Image) -> Image.Image:
    if image.mode == "La":  # the one alpha mode that Pillow does not convert in one step
        image = image.convert("LA")
    return image.convert("RGBA")


def _on_white(image: Image.Image, name: str) -> Image.Image:
    image = _as_rgba(image)
    if image.getchannel("A").getextrema() == (0, 0):
        raise ImageError(name, "all pixels are transparent; save it without transparency")
    page = Image.new("RGBA", image.size, "white")
    page.alpha_composite(image)
    return page


def _palette(image: Image.Image) -> NDArray[np.uint8]:
    return np.array(image.getpalette("RGB"), dtype=np.uint8).reshape(-1, 3)


def _used_indices(image: Image.Image) -> NDArray[np.intp]:
    return np.flatnonzero(image.histogram())


def _palette_labels(image: Image.Image, name: str) -> NDArray[np.uint8]:
    """Grey values of a palette image; for a label map with colours the labels 0 and 1."""
    indices, palette, used = np.array(image), _palette(image), _used_indices(image)
    if (palette[used] == palette[used, :1]).all():
        grey: NDArray[np.uint8] = palette[indices, 0]
        return grey
    # Segmentation tools paint label 1 in a colour on black.
    if used[-1] == 1 and not (used[0] == 0 and palette[0].any()):
        return indices
    raise ImageError(name, "a mask with colours; expected one channel, black and white")


def _narrowed(image: Image.Image, name: str, *, small_is_8_bit: bool) -> NDArray[np.uint8]:
    """Scale one channel of 12, 16 or 32-bit numbers to 8 bits.

    12 and 16 bits keep their upper 8, as Pillow does for 16-bit colours: 65535 becomes 255, and
    grey equals the same grey stored as RGB. With ``small_is_8_bit``, and always for 32-bit
    integers, numbers that all fit 8 bits are taken as they are. Floats are shares if they lie in
    [0, 1], and 8-bit values if they lie in [0, 255].
    """
    values = np.array(image)
    tags = image.tag_v2 if isinstance(image, TiffImageFile) else {}
    if image.mode.startswith("I;16") and tags.get(_PHOTOMETRIC_TAG) == 0:
        values = 65535 - values  # white is zero; Pillow inverts these for 8 bits only
    low, high = values.min(), values.max()
    if image.mode == "F":
        # Written so that a NaN, which no comparison holds for, is refused.
        if not (low >= 0 and high <= 255):
            raise ImageError(name, "its float values are not in the range 0 to 1 or 0 to 255")
        narrow = np.rint(values * 255 if high <= 1 else values)
    elif low >= 0 and high <= 255 and (small_is_8_bit or image.mode == "I"):
        narrow = values
    elif image.mode == "I":
        raise ImageError(name, "its 32-bit or signed values are not in the range 0 to 255")
    else:
        (num_bits, *_) = tags.get(_BITS_TAG, (16,))
        narrow = values >> (num_bits - 8)
    grey: NDArray[np.uint8] = narrow.astype(np.uint8)
    return grey
