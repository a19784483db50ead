"""Small files that ask for much work are refused at once, and odd ones are read with a warning."""

from __future__ import annotations

import io
import struct
import time
import warnings
import zlib
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from PIL import Image

from dermseg.errors import ImageError, ImageWarning
from dermseg.images import read_image, read_size
from dermseg.types import ImageArray

Encode = Callable[..., bytes]

PNG_HEAD = b"\x89PNG\r\n\x1a\n"


def chunk(kind: bytes, data: bytes) -> bytes:
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))


def png(width: int, height: int, *extra: bytes) -> bytes:
    header = chunk(b"IHDR", struct.pack(">IIBBBBB", width, height, 8, 0, 0, 0, 0))
    rows = zlib.compress(bytes(height * (width + 1)) if width * height < 10**6 else bytes(100))
    return PNG_HEAD + header + b"".join(extra) + chunk(b"IDAT", rows) + chunk(b"IEND", b"")


def with_scans(encode: Encode, picture: ImageArray, num: int) -> bytes:
    """A progressive JPEG whose last scan is repeated."""
    whole = encode(picture, "JPEG", progressive=True)
    last = whole[whole.rindex(b"\xff\xda") : -2]
    return whole[:-2] + last * num + whole[-2:]


def tiff_of_strips(num: int) -> bytes:
    """A header that claims so many strips of one row."""
    entries = [(256, 3, 1, 1), (257, 4, 1, num), (273, 4, num, 8), (278, 3, 1, 1)]
    packed = b"".join(struct.pack("<HHII", *entry) for entry in entries)
    return b"II*\0" + struct.pack("<IH", 8, len(entries)) + packed + bytes(4)


@pytest.mark.timeout(60)
@pytest.mark.parametrize(
    ("make", "reason"),
    [
        (lambda: b"\xff\xd8" + b"\xff" * 40_000_000, "more segments or fill bytes"),
        (lambda: b"\xff\xd8\xff" + b"\xff\xe0\0\2" * 5_000_000, "more segments or fill bytes"),
        (lambda: PNG_HEAD + chunk(b"tIME", b"") * 3_000_000, "more than 200,000 chunks"),
        (lambda: png(1, 199_000_000), "no side may have more than 65535"),
        (lambda: png(65_536, 1), "no side may have more than 65535"),
        (lambda: tiff_of_strips(90_000_000), "a list of 90,000,000 entries"),
        (lambda: b"BM" + bytes(28) + b"\1" + bytes(30_000_000), "run lengths take 30,000,031"),
    ],
    ids=["fill bytes", "segments", "chunks", "tall", "wide", "strips", "runs"],
)
def test_work_without_end_is_refused_at_once(make: Callable[[], bytes], reason: str) -> None:
    data = make()
    started = time.process_time()
    with pytest.raises(ImageError, match=reason):
        read_image(data)
    assert time.process_time() - started < 2


def test_a_jpeg_of_many_scans_is_refused_and_a_usual_one_is_read(
    encode: Encode, picture: ImageArray
) -> None:
    assert read_image(with_scans(encode, picture, 50)).shape == picture.shape
    with pytest.raises(ImageError, match=r"in 5\d\d scans; a progressive JPEG has about 10"):
        read_image(with_scans(encode, picture, 500))


def test_fewer_scans_are_allowed_of_more_pixels(encode: Encode) -> None:
    large = np.zeros((5000, 6000, 3), np.uint8)
    with pytest.raises(ImageError, match="scans"):
        read_image(with_scans(encode, large, 340))


def test_a_jpeg_that_lacks_its_end_mark_alone_is_read(encode: Encode, picture: ImageArray) -> None:
    for options in ({}, {"quality": 95, "subsampling": 0}):
        whole = encode(picture, "JPEG", **options)
        with pytest.warns(ImageWarning, match="its end mark is missing, all of its pixels are"):
            image = read_image(whole[:-2])
        assert np.array_equal(image, read_image(whole))
        for cut in range(4, 30):
            with pytest.raises(ImageError, match="cut off"):
                read_image(whole[:-cut])
    whole = encode(picture, "JPEG", progressive=True)
    for cut in range(2, 400):
        with pytest.raises(ImageError, match="cut off"):
            read_image(whole[:-cut])


@pytest.mark.parametrize("kind", [b"iCCP", b"zTXt", b"iTXt", b"tEXt"])
def test_large_metadata_of_a_png_are_passed_over(kind: bytes) -> None:
    packed = {
        b"iCCP": b"name\0\0" + zlib.compress(bytes(3_000_000)),
        b"zTXt": b"name\0\0" + zlib.compress(bytes(3_000_000)),
        b"iTXt": b"name\0\1\0\0\0" + zlib.compress(bytes(3_000_000)),
        b"tEXt": b"name\0" + b"x" * 3_000_000,
    }[kind]
    gamma = chunk(b"gAMA", struct.pack(">I", 45455))
    for number in (1, 40):
        assert read_image(png(30, 20, *[chunk(kind, packed)] * number, gamma)).shape == (20, 30, 3)
    assert read_image(png(30, 20, *[chunk(b"tEXt", b"name\0" + b"x" * 60_000)] * 1500)).any() == 0


def save_pages(*pages: ImageArray, **options: Any) -> bytes:
    stream = io.BytesIO()
    first, *others = map(Image.fromarray, pages)
    first.save(stream, save_all=True, append_images=others, **options)
    return stream.getvalue()


@pytest.mark.parametrize("big_tiff", [False, True])
def test_of_several_pages_the_first_is_taken_and_that_is_said(
    picture: ImageArray, *, big_tiff: bool
) -> None:
    data = save_pages(picture, picture // 2, picture // 3, format="TIFF", big_tiff=big_tiff)
    with pytest.warns(ImageWarning, match="it has 3 pages; the first was taken"):
        assert np.array_equal(read_image(data), picture)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        read_image(save_pages(picture, format="TIFF", big_tiff=big_tiff))


@pytest.mark.parametrize("format_name", ["PNG", "WEBP"])
def test_of_an_animation_the_first_frame_is_taken_and_that_is_said(
    picture: ImageArray, format_name: str
) -> None:
    with pytest.warns(ImageWarning, match="it is animated; the first frame was taken"):
        read_image(save_pages(picture, picture // 2, format=format_name))


def test_only_exif_turns_an_image(encode: Encode, picture: ImageArray) -> None:
    xmp = b'<x:xmpmeta xmlns:x="adobe:ns:meta/"><rdf tiff:Orientation="6"/></x:xmpmeta>'
    data = encode(picture, "JPEG", xmp=xmp)
    assert read_size(data) == read_image(data).shape[:2] == picture.shape[:2]
