"""Files whose pixels are whole, and which decoders refuse for something else."""

from __future__ import annotations

import io
import struct
import zlib
from collections.abc import Callable, Iterator
from typing import BinaryIO, Final

from PIL import ImageChops
from PIL.ImageFile import ImageFile
from PIL.JpegImagePlugin import JpegImageFile

__all__ = ["read_jpeg_without_end", "without_large_metadata"]

_METADATA: Final = frozenset({b"iCCP", b"tEXt", b"zTXt", b"iTXt"})
# Pillow refuses a file for one chunk that unpacks to more than 1 MB, or for 64 MB of them.
_MOST_PACKED: Final = 1 << 16
_MOST_UNPACKED: Final = 1 << 20
_MOST_TOGETHER: Final = 1 << 24

_SCAN: Final = b"\xff\xda"
_END: Final = b"\xff\xd9"
# Whatever they are decoded to, it is not the same.
_PADDINGS: Final = (b"\x55" * 512, b"\xa6" * 512)


def read_jpeg_without_end(
    stream: BinaryIO, prepare: Callable[[ImageFile], object]
) -> ImageFile | None:
    """Decode a JPEG that lacks its end mark; None if pixels are missing, too.

    A decoder fills in what is missing. So the file is decoded with different bytes at its end: if
    none of them comes to light, none was needed. Where there are several scans, whole ones may be
    missing, and nothing says so.

    Args:
        stream: The file.
        prepare: Called with each copy before it is decoded.
    """
    stream.seek(0)
    # Nor is it whole where its end was replaced by zeros, which would decode to something.
    content = stream.read().rstrip(b"\xff\0")
    num_in_scan = content[content.rfind(_SCAN) + 4 :][:1]
    first: ImageFile | None = None
    for padding in (b"", *_PADDINGS):
        image = JpegImageFile(io.BytesIO(content + padding + _END))
        if "progressive" in image.info or num_in_scan != bytes([image.layers]):
            return None
        prepare(image)
        try:
            image.load()
        except OSError:
            return None
        if first is None:
            first = image
        elif ImageChops.difference(first, image).getbbox() is not None:
            return None
    return first


def without_large_metadata(stream: BinaryIO) -> BinaryIO:
    """A PNG without the text and colour profiles that are too large for Pillow to pass over.

    Returns:
        The file itself, or a view of it that reads through to it.
    """
    kept: list[tuple[int, int]] = []
    start = total = 0
    for kind, place, length in _chunks(stream):
        if kind not in _METADATA:
            continue
        stream.seek(place + 8)
        size = _unpacked_size(stream.read(length)) if length <= _MOST_PACKED else _MOST_UNPACKED + 1
        total += size
        if size > _MOST_UNPACKED or total > _MOST_TOGETHER:
            kept.append((start, place))
            start = place + 12 + length
    if not kept:
        stream.seek(0)
        return stream
    kept.append((start, stream.seek(0, io.SEEK_END)))
    return io.BufferedReader(_Spliced(stream, kept))


def _chunks(stream: BinaryIO) -> Iterator[tuple[bytes, int, int]]:
    """Kind, place and length of the content of each chunk of a PNG."""
    place, kind = 8, b""
    while kind != b"IEND":
        stream.seek(place)
        head = stream.read(8)
        if len(head) < 8:
            return
        length, kind = struct.unpack(">I4s", head)
        yield kind, place, length
        place += 12 + length


def _unpacked_size(content: bytes) -> int:
    """Bytes of a chunk's packed part, or of the chunk; no more than just too many."""
    name, _, rest = content.partition(b"\0")
    for start in range(min(len(rest), 80)):
        if rest[start : start + 1] == b"\x78":  # as zlib's streams begin
            try:
                unpacked = zlib.decompressobj().decompress(rest[start:], _MOST_UNPACKED + 1)
            except zlib.error:
                continue
            return len(unpacked)
    return len(name) + len(rest)


class _Spliced(io.RawIOBase):
    """Parts of a file, one after the other, as one file."""

    def __init__(self, file: BinaryIO, parts: list[tuple[int, int]]) -> None:
        self._file, self._parts = file, parts
        self._size = sum(stop - start for start, stop in parts)
        self._place = 0

    def readable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return True

    def seek(self, offset: int, whence: int = io.SEEK_SET) -> int:
        base = {io.SEEK_SET: 0, io.SEEK_CUR: self._place, io.SEEK_END: self._size}[whence]
        self._place = max(0, base + offset)
        return self._place

    def readinto(self, buffer: bytearray | memoryview) -> int:  # type: ignore[override]
        skipped = 0
        for start, stop in self._parts:
            inside = self._place - skipped
            if 0 <= inside < stop - start:
                self._file.seek(start + inside)
                data = self._file.read(min(len(buffer), stop - start - inside))
                buffer[: len(data)] = data
                self._place += len(data)
                return len(data)
            skipped += stop - start
        return 0
