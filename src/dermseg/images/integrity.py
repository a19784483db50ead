"""Whether a file is whole, found without decoding it.

Decoders are lenient: Pillow fills in what is missing from a PNG whose end was replaced by zeros
(a copy that stopped after its space was reserved), and other readers do so for any cut JPEG.
"""

from __future__ import annotations

import os
import struct
import zlib
from typing import BinaryIO

__all__ = ["CUT_OFF", "DAMAGED", "find_defect"]

CUT_OFF = "the file is cut off"
DAMAGED = "the file is damaged"

_BLOCK = 1 << 20
# JPEG: stray zeros, which decoders skip as well, TEM, RST0-7, SOI and EOI; a length follows others.
_BARE_MARKERS = frozenset({0x00, 0x01, *range(0xD0, 0xDA)})


def find_defect(stream: BinaryIO, format_name: str) -> str | None:
    """Say what is wrong with a file as far as its container can tell.

    PNG: every chunk agrees with its checksum, and the end mark is there. JPEG: the end mark
    follows the first scan; the format has no checksums, so damage inside that still decodes
    cannot be seen. WebP: no shorter than it says. TIFF: the first directory lies inside the file.
    BMP: nothing to tell by.

    Args:
        stream: A seekable file with the signature of ``format_name``; its position is lost.
        format_name: ``"JPEG"``, ``"PNG"``, ``"BMP"``, ``"TIFF"`` or ``"WebP"``.

    Returns:
        ``CUT_OFF``, ``DAMAGED``, or None if nothing is found.
    """
    size = stream.seek(0, os.SEEK_END)
    try:
        if format_name == "PNG":
            return _png_defect(stream)
        if format_name == "JPEG":
            return None if _jpeg_ends(stream) else CUT_OFF
        if format_name == "WebP":
            (length,) = _unpack(stream, 4, "<I")
            return CUT_OFF if length + 8 > size else None
        if format_name == "TIFF":
            return CUT_OFF if _tiff_directory(stream) + 2 > size else None
    except struct.error:  # the file ends inside a field
        return CUT_OFF
    return None


def _unpack(stream: BinaryIO, offset: int, layout: str) -> tuple[int, ...]:
    stream.seek(offset)
    return struct.unpack(layout, stream.read(struct.calcsize(layout)))


def _png_defect(stream: BinaryIO) -> str | None:
    stream.seek(8)
    kind = b""
    while kind != b"IEND":
        length, kind = struct.unpack(">I4s", stream.read(8))
        checksum = _checksum(stream, length, zlib.crc32(kind))
        (stored,) = struct.unpack(">I", stream.read(4))
        if stored != checksum:
            return DAMAGED
    return None


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
            (length,) = struct.unpack(">H", stream.read(2))
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
    if b"\x2b" in signature:
        return _unpack(stream, 8, order + "Q")[0]
    return _unpack(stream, 4, order + "I")[0]
