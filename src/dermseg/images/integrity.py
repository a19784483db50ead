"""Whether a file is whole, found without decoding it.

Decoders are lenient: Pillow fills in what is missing from a PNG whose end was replaced by zeros
(a copy that stopped after its space was reserved), and other readers do so for any cut JPEG.
Every function takes a seekable file with the format's signature, whose position is lost, and
returns ``CUT_OFF``, ``DAMAGED``, or None if nothing is found.
"""

from __future__ import annotations

import os
import struct
import zlib
from typing import Any, BinaryIO

__all__ = [
    "CUT_OFF",
    "DAMAGED",
    "find_gif_defect",
    "find_heif_defect",
    "find_jpeg_defect",
    "find_png_defect",
    "find_tiff_defect",
    "find_webp_defect",
]

CUT_OFF = "the file is cut off"
DAMAGED = "the file is damaged"

_BLOCK = 1 << 20
# JPEG: stray zeros, which decoders skip as well, TEM, RST0-7, SOI and EOI; a length follows others.
_BARE_MARKERS = frozenset({0x00, 0x01, *range(0xD0, 0xDA)})


def find_png_defect(stream: BinaryIO) -> str | None:
    """Say whether a chunk disagrees with its checksum, or the end mark is missing."""
    stream.seek(8)
    kind = b""
    try:
        while kind != b"IEND":
            length, kind = _unpack_next(stream, ">I4s")
            checksum = _checksum(stream, length, zlib.crc32(kind))
            (stored,) = _unpack_next(stream, ">I")
            if stored != checksum:
                return DAMAGED
    except struct.error:  # the file ends inside a field
        return CUT_OFF
    return None


def find_jpeg_defect(stream: BinaryIO) -> str | None:
    """Say whether the end mark is missing after the first scan.

    The format has no checksums, so damage inside that still decodes cannot be seen.
    """
    try:
        return None if _jpeg_ends(stream) else CUT_OFF
    except struct.error:
        return CUT_OFF


def find_webp_defect(stream: BinaryIO) -> str | None:
    """Say whether the file is shorter than it says."""
    size = stream.seek(0, os.SEEK_END)
    stream.seek(4)
    try:
        (length,) = _unpack_next(stream, "<I")
    except struct.error:
        return CUT_OFF
    return CUT_OFF if length + 8 > size else None


def find_tiff_defect(stream: BinaryIO) -> str | None:
    """Say whether the first directory lies outside the file."""
    size = stream.seek(0, os.SEEK_END)
    try:
        return CUT_OFF if _tiff_directory(stream) + 2 > size else None
    except struct.error:
        return CUT_OFF


def find_gif_defect(stream: BinaryIO) -> str | None:
    """Say whether the file ends before its trailer."""
    try:
        return None if _gif_ends(stream) else DAMAGED
    except struct.error:
        return CUT_OFF


def find_heif_defect(stream: BinaryIO) -> str | None:
    """Say whether a box of a HEIC or AVIF file reaches beyond its end."""
    size = stream.seek(0, os.SEEK_END)
    offset = stream.seek(0)
    try:
        while offset < size:
            length, _ = _unpack_next(stream, ">I4s")
            if length == 1:
                (length,) = _unpack_next(stream, ">Q")
            elif length == 0:  # up to the end
                return None
            if length < 8:
                return DAMAGED
            offset = stream.seek(offset + length)
    except struct.error:
        return CUT_OFF
    return CUT_OFF if offset > size else None


def _gif_ends(stream: BinaryIO) -> bool:
    stream.seek(10)
    (flags, _) = _unpack_next(stream, "<BH")
    _skip_colours(stream, flags)
    while (kind := _unpack_next(stream, "B")[0]) != 0x3B:
        if kind == 0x2C:  # a frame
            (*_, flags) = _unpack_next(stream, "<4HB")
            _skip_colours(stream, flags)
        elif kind != 0x21:  # an extension
            return False
        stream.seek(1, os.SEEK_CUR)
        while (length := _unpack_next(stream, "B")[0]) > 0:
            stream.seek(length, os.SEEK_CUR)
    return True


def _skip_colours(stream: BinaryIO, flags: int) -> None:
    if flags & 0x80:
        stream.seek(3 << (flags & 7) + 1, os.SEEK_CUR)


def _unpack_next(stream: BinaryIO, layout: str) -> tuple[Any, ...]:
    return struct.unpack(layout, stream.read(struct.calcsize(layout)))


def _checksum(stream: BinaryIO, length: int, checksum: int) -> int:
    while length > 0 and (block := stream.read(min(length, _BLOCK))):
        checksum = zlib.crc32(block, checksum)
        length -= len(block)
    return checksum


def _jpeg_ends(stream: BinaryIO) -> bool:
    """Whether the end mark follows the first scan; an embedded thumbnail has its own, before."""
    stream.seek(2)
    marker = 0
    while marker != 0xDA:
        byte = stream.read(1)
        while byte == b"\xff":
            byte = stream.read(1)
        if not byte:
            return False
        marker = byte[0]
        if marker not in _BARE_MARKERS:
            (length,) = _unpack_next(stream, ">H")
            stream.seek(length - 2, os.SEEK_CUR)
    last = b""
    while block := stream.read(_BLOCK):
        # Inside a scan each 0xFF of the data is followed by 0, so this pair can only be the mark.
        if b"\xff\xd9" in last + block:
            return True
        last = block[-1:]
    return False


def _tiff_directory(stream: BinaryIO) -> int:
    """The offset of the first directory of a TIFF or BigTIFF file."""
    stream.seek(0)
    signature = stream.read(4)
    order = "<" if signature[:2] == b"II" else ">"
    is_big = b"\x2b" in signature
    stream.seek(8 if is_big else 4)
    (offset,) = _unpack_next(stream, order + ("Q" if is_big else "I"))
    return int(offset)
