"""Bounds on the work that a file can ask for, found before a parser or decoder begins.

A limit on pixels is not enough: a small file can hold millions of chunks, or thousands of passes
over the same pixels. Every function takes a seekable file with the format's signature, whose
position is lost, and says what is beyond the bounds, or None.
"""

from __future__ import annotations

import os
import struct
from collections.abc import Iterator
from itertools import islice
from typing import BinaryIO, Final

__all__ = [
    "LONGEST_SIDE",
    "count_jpeg_scans",
    "count_pages",
    "find_bmp_excess",
    "find_jpeg_excess",
    "find_png_excess",
    "find_scan_excess",
    "find_tiff_excess",
]

LONGEST_SIDE: Final = 65_535
"""Pixels of the longer side at most, as in JPEG: decoders hold a pointer, or more, for each row."""

_BLOCK: Final = 1 << 20
_MOST_SEGMENTS: Final = 20_000
_MOST_FILL_BYTES: Final = 1 << 16
_MOST_CHUNKS: Final = 200_000
_MOST_STRIPS: Final = 1_000_000
# The kinds of TIFF entries that are read as one string: bytes, text and whatever.
_AS_BYTES: Final = frozenset({1, 2, 6, 7})
_SHORT: Final = 3
_NEW_SUBFILE_TYPE: Final = 254
_MOST_SCANS: Final = 500
# A progressive file has about ten scans; each takes some 100 ms on this many pixels.
_MOST_SCANNED_PIXELS: Final = 10_000_000_000
# These are decoded in Python, a few million runs a second.
_MOST_RUN_BYTES: Final = 20_000_000


def find_jpeg_excess(stream: BinaryIO) -> str | None:
    """Say whether there are more segments, or bytes between them, before the first scan."""
    stream.seek(2)
    num_fill, num_segments = 0, 0
    while num_segments <= _MOST_SEGMENTS and num_fill <= _MOST_FILL_BYTES:
        byte = stream.read(1)
        if not byte:
            return None
        if byte in b"\xff\x00" or 0xD0 <= byte[0] <= 0xD9 or byte == b"\x01":
            num_fill += 1
            continue
        if byte == b"\xda":
            return None
        length = stream.read(2)
        if len(length) < 2:
            return None
        stream.seek(max(0, struct.unpack(">H", length)[0] - 2), os.SEEK_CUR)
        num_segments += 1
    return "its header has more segments or fill bytes than any camera or program writes"


def count_jpeg_scans(stream: BinaryIO) -> int:
    """How often the pixels of a JPEG are gone through; about, where a thumbnail is inside."""
    stream.seek(0)
    num_scans, last = 0, b""
    while block := stream.read(_BLOCK):
        # Inside a scan each 0xFF of the data is followed by 0, so this pair begins another one.
        num_scans += (last + block).count(b"\xff\xda")
        last = block[-1:]
    return num_scans


def find_scan_excess(stream: BinaryIO, num_pixels: int) -> str | None:
    """Say whether a JPEG goes through its pixels more often than is reasonable for so many."""
    num_scans = count_jpeg_scans(stream)
    if num_scans <= min(_MOST_SCANS, max(20, _MOST_SCANNED_PIXELS // max(1, num_pixels))):
        return None
    return f"it goes through its pixels in {num_scans} scans; a progressive JPEG has about 10"


def find_png_excess(stream: BinaryIO) -> str | None:
    """Say whether there are more chunks than any program writes."""
    stream.seek(8)
    for _ in range(_MOST_CHUNKS):
        head = stream.read(8)
        if len(head) < 8 or head[4:] == b"IEND":
            return None
        stream.seek(struct.unpack(">I", head[:4])[0] + 4, os.SEEK_CUR)
    return f"it has more than {_MOST_CHUNKS:,} chunks"


def find_tiff_excess(stream: BinaryIO) -> str | None:
    """Say whether the first page is in more strips or tiles than any program writes."""
    for _, kind, number, _ in next(_tiff_pages(stream), ()):
        if number > _MOST_STRIPS and kind not in _AS_BYTES:
            return f"it has a list of {number:,} entries, more than {_MOST_STRIPS:,}"
    return None


def count_pages(stream: BinaryIO) -> int:
    """The pages of a TIFF, without reduced copies of others and masks; at most a hundred."""
    return sum(
        not any(tag == _NEW_SUBFILE_TYPE and value & 5 for tag, _, _, value in entries)
        for entries in islice(_tiff_pages(stream), 100)
    )


def _tiff_pages(stream: BinaryIO) -> Iterator[list[tuple[int, int, int, int]]]:
    """Of each page of a TIFF or BigTIFF its entries: tag, kind, number of values, first value.

    Ends where the file is cut off, or comes back to a page.
    """
    stream.seek(0)
    head = stream.read(16)
    order = "<" if head[:2] == b"II" else ">"
    is_big = b"\x2b" in head[:4]
    entry, number, pointer = ("HHQQ", "Q", "Q") if is_big else ("HHII", "H", "I")
    place, seen = struct.calcsize(order + "HH" + ("HH" if is_big else "")), set[int]()
    try:
        (offset,) = struct.unpack_from(order + pointer, head, place)
        while offset and offset not in seen:
            seen.add(offset)
            stream.seek(offset)
            (count,) = _unpack(stream, order + number)
            size = struct.calcsize(order + entry)
            entries = stream.read(min(count, _MOST_SEGMENTS) * size)
            yield [
                _with_value(order, found)
                for found in struct.iter_unpack(
                    order + entry, entries[: len(entries) // size * size]
                )
            ]
            stream.seek(offset + struct.calcsize(order + number) + count * size)
            (offset,) = _unpack(stream, order + pointer)
    except (struct.error, OverflowError, OSError, ValueError):
        return


def _unpack(stream: BinaryIO, layout: str) -> tuple[int, ...]:
    return struct.unpack(layout, stream.read(struct.calcsize(layout)))


def _with_value(order: str, entry: tuple[int, int, int, int]) -> tuple[int, int, int, int]:
    """An entry whose value is short stands at the start of a longer field."""
    tag, kind, number, value = entry
    if kind == _SHORT and order == ">":
        value >>= 16
    return tag, kind, number, value & 0xFFFF if kind == _SHORT else value


def find_bmp_excess(stream: BinaryIO) -> str | None:
    """Say whether there are more runs of equal pixels than can be unpacked in reasonable time."""
    size = stream.seek(0, os.SEEK_END)
    stream.seek(30)
    compression = stream.read(1)
    if size <= _MOST_RUN_BYTES or compression not in (b"\x01", b"\x02"):
        return None
    return f"its run lengths take {size:,} bytes, more than {_MOST_RUN_BYTES:,}"
