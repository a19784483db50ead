"""Opening an encoded image: which format it is, how large, which way up, and is it safe."""

from __future__ import annotations

import contextlib
import logging
import math
import struct
import threading
import warnings
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from typing import BinaryIO

from PIL import ExifTags, Image
from PIL.ImageFile import ImageFile
from PIL.TiffImagePlugin import TiffImageFile

from dermseg.errors import ImageError, ImageWarning, MissingExtraError
from dermseg.images.budgets import LONGEST_SIDE, count_pages, find_scan_excess
from dermseg.images.formats import FORMATS, HEAD, Format, recognise
from dermseg.images.integrity import CUT_OFF, DAMAGED
from dermseg.images.repairs import read_jpeg_without_end, without_large_metadata
from dermseg.images.sources import ImageSource, open_source, source_name
from dermseg.types import Size

__all__ = ["OpenedImage", "check_pixels", "decoding", "opened_image"]

# What Pillow's parsers and codecs raise, or may raise, on damaged files; there is no common base.
_UNREADABLE = (
    OSError,
    SyntaxError,
    ValueError,
    TypeError,
    AttributeError,
    AssertionError,
    LookupError,
    ArithmeticError,
    EOFError,
    MemoryError,
    RuntimeError,
    struct.error,
    zlib.error,
    Image.DecompressionBombError,
)

_TRANSPOSITIONS = {
    2: Image.Transpose.FLIP_LEFT_RIGHT,
    3: Image.Transpose.ROTATE_180,
    4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE,
    6: Image.Transpose.ROTATE_270,
    7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_90,
}

# Else what Pillow logs about broken TIFF files appears on the terminal of programs without logging.
logging.getLogger("PIL").addHandler(logging.NullHandler())

# Warning filters and Pillow's limit belong to the whole process, so threads must take turns.
_process_lock = threading.RLock()


@dataclass(frozen=True)
class OpenedImage:
    """An image file whose header has been read.

    Attributes:
        name: What to call the file in messages.
        format: Its row in the table of formats.
        size: (height, width) in the orientation that a viewer shows.
        stream: The open file.
        encoded: Pillow's view of it, not decoded.
        orientation: EXIF orientation that is still to be applied, 1 to 8.
        stored_orientation: EXIF orientation of the file, 1 to 8.
    """

    name: str
    format: Format
    size: Size
    stream: BinaryIO
    encoded: ImageFile
    orientation: int
    stored_orientation: int

    @property
    def spacing_mm(self) -> float | None:
        """Width of a pixel in mm where the file says how that was calibrated, else None."""
        spacing: float | None = getattr(self.encoded, "spacing_mm", None)
        return spacing

    def reduced_size(self, least: Size) -> Size:
        """The size that ``decode`` gives: a half, a quarter or an eighth of a JPEG, rounded up.

        Args:
            least: (height, width) that the result has at least; a smaller image stays as it is.
        """
        if not self.format.is_reduced_in_decoder:
            return self.size
        height, width = self.size
        room = min(height // least[0], width // least[1])
        scale = max(scale for scale in (1, 2, 4, 8) if scale <= max(1, room))
        return -(-height // scale), -(-width // scale)

    def find_defect(self) -> str | None:
        """Return the damage that the container reveals, or None."""
        return _find_defect(self.stream, self.format)

    def decode(self, least: Size | None = None) -> Image.Image:
        """Decode the pixels, in the orientation that a viewer shows.

        Only inside ``decoding``, which turns the decoders' errors into ``ImageError``.

        Args:
            least: (height, width) that are enough, see ``reduced_size``; None decodes all pixels.

        Raises:
            ImageError: If the file is cut off or damaged.
        """
        if self.format.name == "JPEG":
            excess = find_scan_excess(self.stream, self.size[0] * self.size[1])
            if excess is not None:
                raise ImageError(self.name, excess)
        defect = self.find_defect()
        image = self._load(least, defect)
        for oddity in self._find_oddities(defect):
            # Filters belong to the whole process: in other threads, they may be off just now.
            with _process_lock:
                warnings.warn(f"{self.name}: {oddity}", ImageWarning, stacklevel=2)
        if self.format.name == "BMP" and image.mode == "RGBA":
            image = image.convert("RGB")  # viewers ignore the fourth byte; many files leave it 0
        if self.orientation != 1:
            image = image.transpose(_TRANSPOSITIONS[self.orientation])
        return image

    def _load(self, least: Size | None, defect: str | None) -> Image.Image:
        def reduce(encoded: ImageFile) -> None:
            if least is not None and self.reduced_size(least) != self.size:
                height, width = least
                # The decoder still reads every bit, so it refuses the same files at every scale.
                encoded.draft(None, (height, width) if self.orientation >= 5 else (width, height))

        if defect is not None:
            has_pixels = self.format.name == "JPEG" and defect == CUT_OFF
            image = read_jpeg_without_end(self.stream, reduce) if has_pixels else None
            if image is None:
                raise ImageError(self.name, defect)
            return image
        reduce(self.encoded)
        if self.format.name == "TIFF" and _covered_pixels(self.encoded) < math.prod(self.size):
            raise ImageError(self.name, "the file does not hold all rows of the image")
        if self.format.name in ("TIFF", "DICOM"):
            # Only these decoders look at metadata, and warn about them, and at Pillow's own limit.
            with _without_warnings(), _without_pillow_limit():
                self.encoded.load()
        else:
            self.encoded.load()
        return self.encoded

    def _find_oddities(self, defect: str | None) -> Iterator[str]:
        """What a person should know of a file that was read all the same."""
        if defect is not None:
            yield "its end mark is missing, all of its pixels are there; it may have been cut off"
        num_pages = count_pages(self.stream) if self.format.name == "TIFF" else 1
        if num_pages > 1:
            yield f"it has {num_pages} pages; the first was taken"
        if getattr(self.encoded, "is_animated", False) and self.format.name != "TIFF":
            yield "it is animated; the first frame was taken"


@contextlib.contextmanager
def opened_image(source: ImageSource, *, max_megapixels: float) -> Iterator[OpenedImage]:
    """Open an image file and read its header.

    Args:
        source: A path, or the encoded bytes.
        max_megapixels: Refuse images with more pixels, in millions, before decoding.

    Raises:
        ImageError: If the file cannot be opened, is of another format, broken or too large.
    """
    name = source_name(source)
    with open_source(source) as stream:
        with decoding(name):
            format = recognise(stream.read(HEAD))
            if format is None:
                raise ImageError(name, f"not one of {', '.join(row.name for row in FORMATS)}")
            if excess := format.find_excess(stream):
                raise ImageError(name, excess)
            opened = _read_header(name, stream, format)
        check_pixels(name, opened.size, max_megapixels)
        if max(opened.size) > LONGEST_SIDE:
            height, width = opened.size
            raise ImageError(
                name, f"{width} x {height} pixels: no side may have more than {LONGEST_SIDE}"
            )
        yield opened


def check_pixels(name: str, size: Size, max_megapixels: float) -> None:
    """Refuse an image with more pixels than a limit, in millions.

    Args:
        name: What to call it in messages.
        size: (height, width).
        max_megapixels: The limit.

    Raises:
        ImageError: If it has more, or none.
    """
    height, width = size
    num_pixels = height * width
    if not num_pixels:
        raise ImageError(name, "it has no pixels")
    if not num_pixels <= max_megapixels * 1e6:
        raise ImageError(
            name,
            f"{width} x {height} pixels are {num_pixels / 1e6:.1f} megapixels, more than "
            f"the limit of {max_megapixels:g}",
        )


@contextlib.contextmanager
def decoding(name: str) -> Iterator[None]:
    """Turn what Pillow raises on damaged files into ``ImageError``.

    Around decoding and conversion only: these are errors that any other code may raise as well.

    Args:
        name: What to call the file in messages.
    """
    try:
        yield
    except _UNREADABLE as error:
        raise ImageError(name, _reason(error)) from error


def _find_defect(stream: BinaryIO, format: Format) -> str | None:
    return None if format.find_defect is None else format.find_defect(stream)


def _read_header(name: str, stream: BinaryIO, format: Format) -> OpenedImage:
    if format.missing_extra is not None:
        extra = MissingExtraError(f"reading {format.name}", format.missing_extra)
        raise ImageError(name, str(extra))
    stream.seek(0)
    with _without_warnings():
        try:
            encoded = format.reader(
                without_large_metadata(stream) if format.name == "PNG" else stream
            )
        except _UNREADABLE as error:
            reason = _find_defect(stream, format) or (
                f"a damaged {format.name} file, or of a kind that is not supported ({error})"
            )
            raise ImageError(name, reason) from error
        stored_orientation = orientation = _orientation(encoded)
    width, height = encoded.size
    turned = orientation >= 5
    if isinstance(encoded, TiffImageFile):
        if encoded.tag_v2.get(_NEW_SUBFILE_TYPE, 0) & 1:
            raise ImageError(
                name,
                "its first page is only a thumbnail, as in raw camera files; convert it to JPEG",
            )
        # Pillow turns these itself when it decodes, and tells the turned size if the tag is there.
        turned = turned and ExifTags.Base.Orientation not in encoded.tag_v2
        orientation = 1
    size = (width, height) if turned else (height, width)
    return OpenedImage(name, format, size, stream, encoded, orientation, stored_orientation)


_NEW_SUBFILE_TYPE = 254


def _orientation(encoded: ImageFile) -> int:
    # Viewers turn images by EXIF only; Pillow would also by what an editor wrote beside it.
    for key in ("xmp", "XML:com.adobe.xmp"):
        encoded.info.pop(key, None)
    try:
        # The method of the base class: the one for PNG decodes the pixels to see what is behind.
        value = Image.Image.getexif(encoded).get(ExifTags.Base.Orientation, 1)
    except _UNREADABLE:
        return 1  # a photo is worth more than its broken metadata
    return value if isinstance(value, int) and 1 <= value <= 8 else 1


def _covered_pixels(encoded: ImageFile) -> int:
    """Pixels that the strips or tiles of a TIFF fill; Pillow leaves the others black."""
    extents = [tile.extents or (0, 0, *encoded.size) for tile in encoded.tile]
    return sum((right - left) * (bottom - top) for left, top, right, bottom in extents)


@contextlib.contextmanager
def _without_warnings() -> Iterator[None]:
    with _process_lock, warnings.catch_warnings(action="ignore"):
        yield


@contextlib.contextmanager
def _without_pillow_limit() -> Iterator[None]:
    """To be entered with the lock that ``_without_warnings`` holds."""
    limit, Image.MAX_IMAGE_PIXELS = Image.MAX_IMAGE_PIXELS, None
    try:
        yield
    finally:
        Image.MAX_IMAGE_PIXELS = limit


def _reason(error: BaseException) -> str:
    if isinstance(error, MemoryError):
        return "there is not enough memory to decode it"
    if isinstance(error, OSError) and error.errno is not None:
        return f"it could not be read ({error.strerror})"
    return CUT_OFF if "truncated" in str(error) else f"{DAMAGED} ({error})"
