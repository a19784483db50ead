"""Reading images and masks."""

from __future__ import annotations

import contextlib
import math
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Final, TypeAlias

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageOps

from dermseg.errors import ImageError
from dermseg.images.containers import OpenedImage, check_pixels, decoding, opened_image
from dermseg.images.pixels import grey_values, rgb_values
from dermseg.images.sources import ImageSource, source_name
from dermseg.types import BoolMask, ImageArray, Size

__all__ = [
    "EncodedImage",
    "ImageLike",
    "convert_pillow",
    "foreground",
    "is_whole",
    "name_of",
    "open_image",
    "read_image",
    "read_labels",
    "read_mask",
    "read_mask_values",
    "read_orientation",
    "read_size",
    "read_spacing",
]


_THRESHOLD: Final = 128
"""What is brighter is foreground, of 255: the rule of ISIC."""


ImageLike: TypeAlias = ImageSource | ImageArray | Image.Image
"""An image file's path, bytes or open file, an array (H, W, 3) uint8 RGB, or a Pillow image."""


def read_image(source: ImageSource, *, max_megapixels: float = 200) -> ImageArray:
    """Read a JPEG, PNG, BMP, TIFF, WebP, GIF, AVIF, HEIC or DICOM file, whatever its suffix says.

    - The EXIF orientation is applied: array and masks lie as a viewer shows the image. In a PNG,
      it counts if it stands before the pixels.
    - Transparent parts are laid on white. 16-bit values keep their upper 8 bits (65535 becomes
      255). Float TIFFs are taken as shares in [0, 1] or values in [0, 255]; others are refused.
    - CMYK is converted by the plain formula. Embedded colour profiles are not applied.
    - HEIC and DICOM need the extras of these names. DICOM is read in all photometric
      interpretations of photographs and all compressions of still pictures.
    - Of several pages or frames the first is read.

    Args:
        source: A path, or the encoded bytes.
        max_megapixels: Refuse images with more pixels, in millions, before decoding them.

    Returns:
        RGB image, (H, W, 3) uint8, writable.

    Raises:
        ImageError: If the file is missing, cut off, damaged, too large or of another format.
            Damage inside a file without checksums (all but PNG) may go unseen if it decodes.
    """
    with open_image(source, max_megapixels=max_megapixels) as encoded:
        return encoded.read()


@dataclass(frozen=True)
class EncodedImage:
    """An image file whose header has been read, and whose pixels have not."""

    _opened: OpenedImage

    @property
    def size(self) -> Size:
        """Native (height, width), in the orientation that a viewer shows."""
        return self._opened.size

    @property
    def spacing_mm(self) -> float | None:
        """Width of a pixel in mm, where the file states a calibration; else None.

        Only DICOM does, by PixelSpacingCalibrationType (PS3.3 10.7.1.3).
        """
        return self._opened.spacing_mm

    def reduced_size(self, least: Size) -> Size:
        """(height, width) of what ``read`` returns for the same ``least``."""
        return self._opened.reduced_size(least)

    def read(self, least: Size | None = None) -> ImageArray:
        """Decode the pixels as :func:`read_image` does, or fewer where fewer are enough.

        A JPEG is reduced to a half, a quarter or an eighth inside its decoder, which takes a
        fraction of the time. What ``read_image`` refuses is refused all the same.

        Args:
            least: (height, width) that the image keeps at least; None decodes all pixels.

        Returns:
            RGB image, (H, W, 3) uint8, writable.

        Raises:
            ImageError: As ``read_image``.
        """
        with decoding(self._opened.name):
            return rgb_values(self._opened.decode(least), self._opened.name)


@contextlib.contextmanager
def open_image(source: ImageSource, *, max_megapixels: float = 200) -> Iterator[EncodedImage]:
    """Read the header of an image file, to decide how its pixels are to be read.

    Args:
        source: A path, or the encoded bytes.
        max_megapixels: Refuse images with more pixels, in millions.

    Raises:
        ImageError: If the header cannot be read, or the image is too large.
    """
    with opened_image(source, max_megapixels=max_megapixels) as opened:
        yield EncodedImage(opened)


def convert_pillow(source: object, *, max_megapixels: float = math.inf) -> ImageArray | None:
    """Convert an image that Pillow holds, upright as a viewer shows it; None for anything else.

    Raises:
        ImageError: If it has more pixels, in millions, than ``max_megapixels``, or Pillow has
            opened a file that it cannot decode.
    """
    if not isinstance(source, Image.Image):
        return None
    name = name_of(source)
    check_pixels(name, (source.height, source.width), max_megapixels)
    with decoding(name):
        return rgb_values(ImageOps.exif_transpose(source), name)


def name_of(source: ImageLike) -> str:
    """What to call an image in messages: its path, or what it is."""
    if isinstance(source, np.ndarray):
        return "array"
    if isinstance(source, Image.Image):
        return source_name(getattr(source, "filename", "") or "<Pillow image>")
    return source_name(source)


def read_size(source: ImageSource) -> Size:
    """Read (height, width) in the orientation that a viewer shows, from the header only.

    Raises:
        ImageError: If the header cannot be read. The pixels are not looked at.
    """
    with opened_image(source, max_megapixels=math.inf) as opened:
        return opened.size


def read_orientation(source: ImageSource) -> int:
    """Read the EXIF orientation, 1 to 8: how the stored pixels are to be turned for a viewer.

    Raises:
        ImageError: If the header cannot be read.
    """
    with opened_image(source, max_megapixels=math.inf) as opened:
        return opened.stored_orientation


def read_spacing(source: ImageSource) -> float | None:
    """Read the width of a pixel in mm, where the file states a calibration; else None.

    Raises:
        ImageError: If the header cannot be read.
    """
    with opened_image(source, max_megapixels=math.inf) as opened:
        return opened.spacing_mm


def read_labels(source: ImageSource, *, max_megapixels: float = 200) -> NDArray[np.integer[Any]]:
    """Read the whole numbers of a label image, of 1 to 32 bits, as they are stored.

    Args:
        source: A path, or the encoded bytes.
        max_megapixels: Refuse images with more pixels, in millions, before decoding them.

    Returns:
        Labels, (H, W), in the orientation that a viewer shows.

    Raises:
        ImageError: If the file cannot be read (see ``read_image``), or has colours or fractions.
    """
    with (
        opened_image(source, max_megapixels=max_megapixels) as opened,
        decoding(opened.name),
    ):
        labels = np.array(opened.decode())
    if labels.ndim != 2 or labels.dtype.kind not in "biu":
        raise ImageError(opened.name, "no label image: expected one channel of whole numbers")
    return labels.astype(np.uint8) if labels.dtype == np.bool_ else labels


def is_whole(source: ImageSource) -> bool:
    """Whether a file is a whole image, as far as can be told without decoding it.

    False for what is missing, empty, cut off, or filled with zeros from somewhere on, as files may
    be after a power failure. A PNG is compared with its checksums.
    """
    try:
        with opened_image(source, max_megapixels=math.inf) as opened:
            return opened.find_defect() is None
    except ImageError:
        return False


def read_mask(source: ImageSource, *, max_megapixels: float = 200) -> BoolMask:
    """Read a mask file: foreground is what is brighter than 128 of 255, the rule of ISIC.

    A file that holds no other values than 0 and 1 is a label map, and 1 is foreground. So 0/255,
    0/1, 1-bit and black-and-white palette files are read alike, and noise around 0 and 255 (a
    mask that was stored as JPEG) does no harm.

    Args:
        source: A path, or the encoded bytes.
        max_megapixels: Refuse masks with more pixels, in millions, before decoding them.

    Returns:
        Mask, (H, W) bool, in the orientation that a viewer shows.

    Raises:
        ImageError: As ``read_mask_values``; and if the brightest value lies in 2 to 128, so that
            something is marked and none of it would count, as in masks of 0 and 128 or of 0 and 2.
    """
    values = read_mask_values(source, max_megapixels=max_megapixels)
    brightest = int(values.max())
    if 1 < brightest <= _THRESHOLD:
        reason = (
            f"its brightest value is {brightest}, and only what is above {_THRESHOLD} would count "
            "as foreground: write the mask as 0 and 255, or 0 and 1"
        )
        raise ImageError(source_name(source), reason)
    return foreground(values)


def foreground(values: NDArray[np.uint8]) -> BoolMask:
    """Apply the rule of ``read_mask`` to grey values, (H, W) uint8."""
    return values == 1 if values.max() == 1 else values > _THRESHOLD


def read_mask_values(source: ImageSource, *, max_megapixels: float = 200) -> NDArray[np.uint8]:
    """Read the grey values of a mask file, before any threshold.

    1-bit files give 0 and 255. A palette is looked up if its colours are grey; a palette that
    paints label 1 in a colour on black gives the labels 0 and 1. 16-bit values that all fit 8
    bits are taken as they are, others keep their upper 8 bits. Float values in [0, 1] are
    multiplied by 255.

    Args:
        source: A path, or the encoded bytes.
        max_megapixels: Refuse masks with more pixels, in millions, before decoding them.

    Returns:
        Grey values, (H, W) uint8, in the orientation that a viewer shows.

    Raises:
        ImageError: If the file cannot be read (see ``read_image``), or has colours or transparent
            pixels: what is foreground would be a guess.
    """
    with (
        opened_image(source, max_megapixels=max_megapixels) as opened,
        decoding(opened.name),
    ):
        return grey_values(opened.decode(), opened.name)
