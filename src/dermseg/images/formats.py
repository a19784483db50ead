"""The image formats that can be read, one row each."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from importlib.util import find_spec
from typing import BinaryIO, Final

from PIL.AvifImagePlugin import AvifImageFile
from PIL.GifImagePlugin import GifImageFile
from PIL.ImageFile import ImageFile
from PIL.JpegImagePlugin import JpegImageFile
from PIL.PngImagePlugin import PngImageFile
from PIL.TiffImagePlugin import TiffImageFile
from PIL.WebPImagePlugin import WebPImageFile

from dermseg.images.bitmaps import BitmapFile
from dermseg.images.budgets import (
    find_bmp_excess,
    find_jpeg_excess,
    find_png_excess,
    find_tiff_excess,
)
from dermseg.images.dicom import DicomFile
from dermseg.images.integrity import (
    find_gif_defect,
    find_heif_defect,
    find_jpeg_defect,
    find_png_defect,
    find_tiff_defect,
    find_webp_defect,
)

__all__ = ["FORMATS", "HEAD", "IMAGE_SUFFIXES", "Format", "recognise"]


HEAD: Final = 132
"""Bytes at the beginning of a file that tell its format."""


@dataclass(frozen=True)
class Format:
    """One image format.

    Attributes:
        name: As messages call it.
        suffixes: Suffixes of its files, in lower case, with the dot.
        signatures: Pairs of an offset and the bytes there; a file with all pairs of one entry is
            of this format, whatever its suffix says.
        reader: Pillow's parser. Not ``Image.open``, which may hand a file to a format outside this
            table (PostScript runs a program), and has a limit on sizes for the whole process.
        find_defect: Says what is wrong with a file as far as its container can tell, without
            decoding it; None if it cannot tell anything.
        find_excess: Says whether the file asks its parser for more work than is reasonable; looked
            at before anything else.
        is_reduced_in_decoder: Whether the decoder gives a half, a quarter or an eighth of the
            size in a fraction of the time.
        extra: Library that the reader needs, and the extra that installs it.
    """

    name: str
    suffixes: frozenset[str]
    signatures: tuple[tuple[tuple[int, bytes], ...], ...]
    reader: Callable[[BinaryIO], ImageFile]
    find_defect: Callable[[BinaryIO], str | None] | None = None
    find_excess: Callable[[BinaryIO], str | None] = lambda stream: None
    is_reduced_in_decoder: bool = False
    extra: tuple[str, str] | None = None

    @property
    def missing_extra(self) -> str | None:
        """The extra to install before files of this format can be read, or None."""
        if self.extra is None or find_spec(self.extra[0]) is not None:
            return None
        return self.extra[1]

    def matches(self, head: bytes) -> bool:
        """Whether the first ``HEAD`` bytes of a file are those of this format."""
        return any(
            all(head[offset:].startswith(mark) for offset, mark in signature)
            for signature in self.signatures
        )


def _read_heif(stream: BinaryIO) -> ImageFile:
    from pillow_heif import HeifImageFile  # noqa: PLC0415 -- an optional extra

    file: ImageFile = HeifImageFile(stream)  # type: ignore[no-untyped-call]
    return file


def _starts(*marks: bytes) -> tuple[tuple[tuple[int, bytes], ...], ...]:
    return tuple(((0, mark),) for mark in marks)


FORMATS: Final[tuple[Format, ...]] = (
    # First, since what stands before its mark may be the head of another format, mostly of TIFF.
    Format(
        "DICOM",
        frozenset({".dcm", ".dicom"}),
        (((128, b"DICM"),),),
        DicomFile,
        extra=("pydicom", "dicom"),
    ),
    Format(
        "JPEG",
        frozenset({".jpg", ".jpeg", ".jpe", ".jfif"}),
        _starts(b"\xff\xd8\xff"),
        JpegImageFile,
        find_jpeg_defect,
        find_jpeg_excess,
        is_reduced_in_decoder=True,
    ),
    Format(
        "PNG",
        frozenset({".png"}),
        _starts(b"\x89PNG\r\n\x1a\n"),
        PngImageFile,
        find_png_defect,
        find_png_excess,
    ),
    Format("BMP", frozenset({".bmp"}), _starts(b"BM"), BitmapFile, find_excess=find_bmp_excess),
    Format(
        "TIFF",
        frozenset({".tif", ".tiff"}),
        _starts(b"II*\0", b"MM\0*", b"II+\0", b"MM\0+"),
        TiffImageFile,
        find_tiff_defect,
        find_tiff_excess,
    ),
    Format(
        "WebP",
        frozenset({".webp"}),
        (((0, b"RIFF"), (8, b"WEBP")),),
        WebPImageFile,
        find_webp_defect,
    ),
    Format(
        "GIF", frozenset({".gif"}), _starts(b"GIF87a", b"GIF89a"), GifImageFile, find_gif_defect
    ),
    Format(
        "HEIC",
        frozenset({".heic", ".heif"}),
        tuple(((4, b"ftyp" + brand),) for brand in (b"heic", b"heix", b"heim", b"heis", b"mif1")),
        _read_heif,
        find_heif_defect,
        extra=("pillow_heif", "heic"),
    ),
    Format(
        "AVIF",
        frozenset({".avif"}),
        (((4, b"ftypavif"),), ((4, b"ftypavis"),)),
        AvifImageFile,
        find_heif_defect,
    ),
)
"""Every format; a new one is a row here and, where Pillow does not read it, a reader."""

IMAGE_SUFFIXES: Final = frozenset(suffix for row in FORMATS for suffix in row.suffixes)
"""Suffixes that a folder scan takes as images, in lower case; files may spell them in any case."""


def recognise(head: bytes) -> Format | None:
    """The format of a file by its first ``HEAD`` bytes: suffixes are often wrong."""
    return next((row for row in FORMATS if row.matches(head)), None)
