"""DICOM objects with pixels, read through pydicom (the extra ``[dicom]``).

Only elements that describe the pixels are parsed. What an object says of a person, and the texts
of pydicom's errors, which may quote it, never reach a message.

References:
    DICOM PS3.3 C.7.6.3 (image pixel module), C.7.6.1.1.1 and 10.7.1.3 (calibration of spacing).
"""

from __future__ import annotations

import contextlib
import logging
import math
import struct
import zlib
from collections.abc import Iterator
from io import BytesIO
from typing import TYPE_CHECKING, Any, BinaryIO

import numpy as np
from numpy.typing import NDArray
from PIL import Image
from PIL.ImageFile import ImageFile

if TYPE_CHECKING:
    from pydicom import Dataset

__all__ = ["DicomFile"]

_PIXEL_TAGS = (
    "BitsAllocated", "BitsStored", "Columns", "HighBit", "ImagerPixelSpacing", "NumberOfFrames",
    "PhotometricInterpretation", "PixelRepresentation", "PixelSpacing",
    "PixelSpacingCalibrationType", "PlanarConfiguration", "Rows", "SamplesPerPixel", "SOPClassUID",
    "RedPaletteColorLookupTableDescriptor", "GreenPaletteColorLookupTableDescriptor",
    "BluePaletteColorLookupTableDescriptor", "RedPaletteColorLookupTableData",
    "GreenPaletteColorLookupTableData", "BluePaletteColorLookupTableData",
    "SegmentedRedPaletteColorLookupTableData", "SegmentedGreenPaletteColorLookupTableData",
    "SegmentedBluePaletteColorLookupTableData",
)  # fmt: skip
_COLOURS = frozenset(
    {"RGB", "YBR_FULL", "YBR_FULL_422", "YBR_ICT", "YBR_RCT", "PALETTE COLOR",
     "MONOCHROME1", "MONOCHROME2"}
)  # fmt: skip
# Else GDCM, the only one for lossless JPEG; it prints its complaints, so not after another failed.
_DECODERS = ("pillow", "pyjpegls", "pylibjpeg")
_CALIBRATED = frozenset({"GEOMETRY", "FIDUCIAL"})
# Where the length of the group of elements about the file stands, after preamble and mark.
_META_LENGTH = 140
_DEFLATED = b"1.2.840.10008.1.2.1.99"
_MAX_INFLATED = 1 << 30


class DicomFile(ImageFile):
    """The first frame of a DICOM object, with its colours as RGB, or as 8-bit grey values.

    The inverted scale of MONOCHROME1 is turned; of wider values the upper 8 of the stored bits are
    kept. Colour profiles are not applied.
    """

    format = "DICOM"
    format_description = "DICOM object"

    def _open(self) -> None:
        with _concealing("its elements cannot be read"):
            self._header = _read_header(self._stream)
        if "Rows" not in self._header:
            raise ValueError("it holds no picture")
        with _concealing("its elements cannot be read"):
            rows, columns = int(self._header.Rows), int(self._header.Columns)
        photometric = str(self._header.get("PhotometricInterpretation", ""))
        if photometric not in _COLOURS:
            name = photometric if photometric.replace("_", "").isalnum() else "none"
            raise ValueError(f"its colours are of a kind that is not supported ({name[:20]})")
        self._photometric = photometric
        self._size = (columns, rows)
        self._mode = "L" if photometric.startswith("MONOCHROME") else "RGB"
        self.is_animated = _first_number(self._header.get("NumberOfFrames", 1)) > 1
        self._is_decoded = False

    @property
    def _stream(self) -> BinaryIO:
        stream = self.fp
        if stream is None:
            raise ValueError("the file was closed")
        stream.seek(0)
        return stream  # type: ignore[return-value] # Pillow calls every file IO[bytes]

    @property
    def spacing_mm(self) -> float | None:
        """Width of the square pixels in mm, if the object says how that was calibrated.

        A magnification, or the spacing at a detector, permits no measurement on the skin.
        """
        if str(self._header.get("PixelSpacingCalibrationType", "")) not in _CALIBRATED:
            return None
        with contextlib.suppress(ValueError, TypeError, AttributeError):
            down, across = (float(value) for value in self._header.PixelSpacing)
            if 0 < down < math.inf and math.isclose(down, across, rel_tol=1e-3):
                return across
        return None

    def load(self) -> Any:  # noqa: ANN401 -- Pillow's own type has no public name
        """Decode the first frame."""
        if not self._is_decoded:
            with _concealing("its pixels cannot be decoded"):
                pixels = self._decode()
            self.im = Image.fromarray(pixels).im
            self._is_decoded = True
        return Image.Image.load(self)

    def _decode(self) -> NDArray[np.uint8]:
        from pydicom import dcmread  # noqa: PLC0415 -- an extra
        from pydicom.pixels.processing import apply_color_lut  # noqa: PLC0415 -- an extra
        from pydicom.pixels.utils import pixel_array  # noqa: PLC0415 -- an extra

        tags = [*_PIXEL_TAGS, "PixelData", "ExtendedOffsetTable", "ExtendedOffsetTableLengths"]
        dataset = dcmread(_inflated(self._stream), specific_tags=tags)
        error: Exception | None = None
        for plugin in _plugins(self._header.file_meta.TransferSyntaxUID):
            try:
                values = pixel_array(dataset, index=0, decoding_plugin=plugin)
                break
            except (RuntimeError, ValueError, TypeError, LookupError, AttributeError) as failure:
                error = failure
        else:
            raise ValueError from error
        if self._photometric == "PALETTE COLOR":
            values = apply_color_lut(values, self._header)
            return self._checked(_upper_bits(values, values.dtype.itemsize * 8))
        num_bits = int(self._header.BitsStored)
        if self._header.PixelRepresentation == 1:
            values = values.astype(np.int64) + (1 << num_bits - 1)
        grey = _upper_bits(values, num_bits)
        return self._checked(~grey if self._photometric == "MONOCHROME1" else grey)

    def _checked(self, pixels: NDArray[np.uint8]) -> NDArray[np.uint8]:
        shape = self.size[::-1] if self.mode == "L" else (*self.size[::-1], 3)
        if pixels.shape != shape:
            raise ValueError
        return pixels


def _read_header(stream: BinaryIO) -> Dataset:
    from pydicom import dcmread  # noqa: PLC0415 -- an extra

    logging.getLogger("pydicom").setLevel(logging.CRITICAL)  # it quotes what it does not understand
    return dcmread(_inflated(stream), stop_before_pixels=True, specific_tags=[*_PIXEL_TAGS])


def _inflated(stream: BinaryIO) -> BinaryIO:
    """The file, after a look at how large it gets if it is deflated: pydicom inflates anything."""
    content = stream.read()
    (length,) = struct.unpack_from("<I", content, _META_LENGTH)
    start = _META_LENGTH + 4 + length
    if _DEFLATED in content[:start]:
        inflater = zlib.decompressobj(-zlib.MAX_WBITS)
        inflater.decompress(content[start:], _MAX_INFLATED)
        if inflater.unconsumed_tail:
            raise ValueError
    return BytesIO(content)


def _plugins(transfer_syntax: Any) -> list[str]:  # noqa: ANN401 -- pydicom's UID
    """Which of pydicom's decoders to try; none has a name where there is nothing to decode."""
    from pydicom.pixels.decoders.base import get_decoder  # noqa: PLC0415 -- an extra

    if not transfer_syntax.is_encapsulated:
        return [""]
    available = get_decoder(transfer_syntax).available_plugins
    if "pydicom" in available:  # run lengths, of which another decoder panics on damaged ones
        return ["pydicom"]
    return [name for name in _DECODERS if name in available] or ["gdcm"]


def _upper_bits(values: NDArray[Any], num_bits: int) -> NDArray[np.uint8]:
    if num_bits > 8:
        values = values >> (num_bits - 8)
    elif num_bits < 8:
        values = values * 255 // ((1 << num_bits) - 1)
    narrow: NDArray[np.uint8] = np.clip(values, 0, 255).astype(np.uint8)
    return narrow


def _first_number(value: object) -> int:
    try:
        return int(str(value))
    except ValueError:
        return 1


@contextlib.contextmanager
def _concealing(message: str) -> Iterator[None]:
    """Replace an error, whose text may quote the object, by one that does not."""
    try:
        yield
    except MemoryError:
        raise
    except Exception as error:  # pydicom's and its decoders' have no common base
        raise ValueError(message) from error
