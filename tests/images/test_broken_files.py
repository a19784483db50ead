"""What cannot be read whole is an ImageError that names the file and the reason, nothing else."""

from __future__ import annotations

import contextlib
import io
import os
import struct
import subprocess
import sys
import threading
import time
import warnings
import zlib
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from dermseg.errors import ImageError
from dermseg.images import read_image, read_mask, read_mask_values, read_size
from dermseg.images.integrity import find_jpeg_defect
from dermseg.types import ImageArray

Encode = Callable[..., bytes]

NOT_ONE_OF = "not one of DICOM, JPEG, PNG, BMP, TIFF, WebP, GIF, HEIC, AVIF"


def noisy_picture() -> Image.Image:
    values = np.random.default_rng(0).integers(0, 90, (24, 36, 3))
    values += np.arange(36)[:, None] * 4
    return Image.fromarray(values.astype(np.uint8))


def encoded(format_name: str, **options: Any) -> bytes:
    buffer = io.BytesIO()
    noisy_picture().save(buffer, format_name, **options)
    return buffer.getvalue()


PNG = encoded("PNG")
JPEG = encoded("JPEG")
FILES = {
    "png": PNG,
    "baseline": JPEG,
    "progressive": encoded("JPEG", progressive=True),
    "bmp": encoded("BMP"),
    "tiff": encoded("TIFF"),
    "lzw": encoded("TIFF", compression="tiff_lzw"),
    "deflate": encoded("TIFF", compression="tiff_adobe_deflate"),
    "webp": encoded("WEBP"),
    "lossless webp": encoded("WEBP", lossless=True),
    "gif": encoded("GIF"),
    "avif": encoded("AVIF"),
}


def png_chunk(kind: bytes, data: bytes) -> bytes:
    checksum = zlib.crc32(kind + data)
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", checksum)


def png_claiming(width: int, height: int) -> bytes:
    header = png_chunk(b"IHDR", struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0))
    body = png_chunk(b"IDAT", zlib.compress(bytes(100))) + png_chunk(b"IEND", b"")
    return b"\x89PNG\r\n\x1a\n" + header + body


def image_or_image_error(data: bytes) -> ImageArray | None:
    """The picture, or None where it is refused; whatever else is raised fails the test."""
    try:
        image = read_image(data, max_megapixels=5)
    except ImageError:
        return None
    assert image.dtype == np.uint8
    assert image.ndim == 3
    assert image.shape[2] == 3
    return image


@pytest.mark.parametrize("name", FILES)
def test_no_cut_file_is_read(name: str) -> None:
    data = FILES[name]
    assert image_or_image_error(data) is not None
    # Of a JPEG with one scan, the end mark alone is not missed.
    last = len(data) - (2 if name == "baseline" else 0)
    for end in [*range(0, last - 40, 37), *range(last - 40, last)]:
        assert image_or_image_error(data[:end]) is None, f"{end} of {len(data)} bytes"


@given(position=st.integers(0, len(PNG) - 1), change=st.integers(1, 255))
@settings(deadline=None)
def test_no_png_with_a_changed_byte_is_read(position: int, change: int) -> None:
    data = bytearray(PNG)
    data[position] ^= change
    assert image_or_image_error(bytes(data)) is None


@pytest.mark.filterwarnings("ignore::dermseg.errors.ImageWarning")
@given(
    name=st.sampled_from(list(FILES)),
    position=st.floats(0, 1, exclude_max=True),
    change=st.binary(min_size=1, max_size=8),
)
@settings(deadline=None, max_examples=300)
def test_changed_bytes_give_an_image_or_an_image_error(
    name: str, position: float, change: bytes
) -> None:
    data = bytearray(FILES[name])
    start = int(position * len(data))
    data[start : start + len(change)] = change
    image_or_image_error(bytes(data))


@pytest.mark.filterwarnings("ignore::dermseg.errors.ImageWarning")
@given(
    name=st.sampled_from(list(FILES)),
    position=st.integers(0, 300),
    change=st.binary(min_size=1, max_size=8),
)
@settings(deadline=None, max_examples=300)
def test_changed_headers_give_an_image_or_an_image_error(
    name: str, position: int, change: bytes
) -> None:
    data = bytearray(FILES[name])
    data[position : position + len(change)] = change
    image_or_image_error(bytes(data))
    for read in (read_size, read_mask_values):
        with contextlib.suppress(ImageError):
            read(bytes(data))


@given(
    data=st.binary(max_size=200), start=st.sampled_from([b"", *(d[:16] for d in FILES.values())])
)
@settings(deadline=None)
def test_random_bytes_are_refused(start: bytes, data: bytes) -> None:
    assert image_or_image_error(start + data) is None


@pytest.mark.parametrize("name", ["png", "baseline", "progressive"])
def test_a_file_whose_end_was_replaced_by_zeros_is_refused(name: str) -> None:
    # What stays behind when a copy stops after its space on the disk was reserved.
    data = FILES[name]
    for end in range(len(data) // 2, len(data) - 2, 11):
        for num_zeros in (len(data) - end, 5000):
            assert image_or_image_error(data[:end] + bytes(num_zeros)) is None


def test_the_end_mark_of_a_thumbnail_does_not_hide_a_cut_jpeg() -> None:
    tags = Image.Exif()
    tags[0x9286] = JPEG  # any tag that can hold bytes
    whole = encoded("JPEG", exif=tags)
    assert whole.count(b"\xff\xd9") == 2
    assert image_or_image_error(whole) is not None
    cut = whole[:-300] + bytes(1300)
    with Image.open(io.BytesIO(cut)) as lenient:
        lenient.load()  # Pillow makes something up
    with pytest.raises(ImageError, match="the file is cut off"):
        read_image(cut)


def test_the_end_mark_of_a_jpeg_is_found_wherever_it_lies() -> None:
    start = b"\xff\xd8\xff\xda\0\2"
    for num_bytes in range((1 << 20) - 2, (1 << 20) + 2):
        scan = start + b"x" * num_bytes
        assert find_jpeg_defect(io.BytesIO(scan + b"\xff\xd9")) is None
        assert find_jpeg_defect(io.BytesIO(scan + b"\xff\0\xd9")) == "the file is cut off"


def test_a_jpeg_with_bytes_after_its_end_is_read() -> None:
    np.testing.assert_array_equal(read_image(JPEG + b"maker's data"), read_image(JPEG))


def test_a_jpeg_with_stray_bytes_between_its_segments_is_read() -> None:
    quantisation = JPEG.index(b"\xff\xdb")
    data = JPEG[:quantisation] + b"\0\0\xff\xff" + JPEG[quantisation:]
    np.testing.assert_array_equal(read_image(data), read_image(JPEG))


def test_a_tiff_without_all_its_strips_is_refused() -> None:
    # Pillow would leave the lower half black.
    plain = encoded("TIFF")
    height = struct.pack("<HHIHH", 257, 3, 1, 24, 0)
    height = height if height in plain else struct.pack("<HHII", 257, 4, 1, 24)
    assert plain.count(height) == 1
    data = plain.replace(height, height[:8] + struct.pack("<I", 48))
    with pytest.raises(ImageError, match="does not hold all rows"):
        read_image(data)


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (b"", "the file is empty"),
        (b"Not a picture, but a long enough text to hold one.\n", NOT_ONE_OF),
        (b"x", NOT_ONE_OF),
        (bytes(5000), NOT_ONE_OF),
        (b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 9 9\n", NOT_ONE_OF),
        (b"%PDF-1.7\n", NOT_ONE_OF),
        (b'<svg xmlns="http://www.w3.org/2000/svg"/>', NOT_ONE_OF),
        (JPEG[: len(JPEG) // 2], "the file is cut off"),
        (JPEG[:-5], "the file is cut off"),
        (JPEG[:15], "the file is cut off"),
        (PNG[: len(PNG) // 2], "the file is cut off"),
        (PNG[:-12], "the file is cut off"),
        (PNG[:20], "the file is cut off"),
        (PNG[:200] + b"?" + PNG[201:], "the file is damaged"),
        (FILES["bmp"][:-500], "the file is cut off"),
        (FILES["tiff"][:-500], "the file is cut off"),
        (FILES["lzw"][:-500], "the file is cut off"),
        (FILES["webp"][:-100], "the file is cut off"),
    ],
)
def test_the_message_names_the_file_and_the_reason(
    tmp_path: Path, content: bytes, reason: str
) -> None:
    path = tmp_path / "mole.jpg"
    path.write_bytes(content)
    for read in (read_image, read_mask):
        with pytest.raises(ImageError) as caught:
            read(path)
        assert str(caught.value) == f"{path}: {reason}"
        assert caught.value.source == str(path)
        assert caught.value.reason == reason


def test_nothing_is_printed_about_broken_files(tmp_path: Path) -> None:
    tiff = FILES["tiff"]
    samples = struct.pack("<HHIHH", 277, 3, 1, 3, 0)
    assert tiff.count(samples) == 1
    many_samples = tiff.replace(samples, struct.pack("<HHIHH", 277, 3, 1, 9999, 0))
    broken = [many_samples, *(data[: len(data) // 2] for data in FILES.values())]
    paths = [tmp_path / f"{index}.jpg" for index in range(len(broken))]
    for path, data in zip(paths, broken, strict=True):
        path.write_bytes(data)
    code = """if True:
        import sys
        from dermseg.errors import ImageError
        from dermseg.images import read_image
        for path in sys.argv[1:]:
            try:
                read_image(path)
            except ImageError:
                print("refused")
    """
    result = subprocess.run(
        [sys.executable, "-c", code, *map(str, paths)],
        capture_output=True,
        text=True,
        check=True,
        timeout=60,
    )
    assert result.stdout == "refused\n" * len(broken)
    assert result.stderr == ""


def test_what_is_no_file_is_refused(tmp_path: Path) -> None:
    (tmp_path / "folder.jpg").mkdir()
    (tmp_path / "link.jpg").symlink_to("gone.jpg")
    (tmp_path / "circle.jpg").symlink_to("circle.jpg")
    (tmp_path / "file").touch()
    for name, reason in {
        "folder.jpg": "this is a folder, not an image file",
        "missing.jpg": "there is no such file",
        "link.jpg": "there is no such file",
        "circle.jpg": "its links lead in a circle",
        "file/a.jpg": "there is no such file: a part of the path is not a folder",
        "n" * 300 + ".jpg": "the name is too long for this file system",
        "a\0b.jpg": "the name contains a null character",
    }.items():
        for read in (read_image, read_mask, read_size):
            with pytest.raises(ImageError) as caught:
                read(tmp_path / name)
            assert caught.value.reason == reason


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="needs named pipes")
@pytest.mark.timeout(20)
def test_a_pipe_is_refused_and_not_waited_for(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe.jpg")
    with pytest.raises(ImageError, match="a device or a pipe"):
        read_image(tmp_path / "pipe.jpg")
    with pytest.raises(ImageError, match="a device or a pipe"):
        read_image("/dev/zero")


@pytest.mark.skipif(
    not hasattr(os, "geteuid") or os.geteuid() == 0, reason="permissions do not bind root"
)
def test_a_file_without_permission_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "mole.png"
    path.write_bytes(PNG)
    path.chmod(0)
    with pytest.raises(ImageError, match="no permission to read it"):
        read_image(path)


def test_a_decompression_bomb_is_refused_from_its_header() -> None:
    bomb = png_claiming(50_000, 50_000)
    assert len(bomb) < 100
    start = time.perf_counter()
    with pytest.raises(ImageError) as caught:
        read_image(bomb)
    assert time.perf_counter() - start < 1
    assert caught.value.reason == (
        "50000 x 50000 pixels are 2500.0 megapixels, more than the limit of 200"
    )
    with pytest.raises(ImageError, match="more than the limit"):
        read_mask(bomb)
    assert read_size(png_claiming(50_000, 40_000)) == (40_000, 50_000)


def test_the_limit_can_be_set_and_is_inclusive() -> None:
    num_pixels = 24 * 36
    assert read_image(PNG, max_megapixels=num_pixels / 1e6).shape == (24, 36, 3)
    for limit in ((num_pixels - 1) / 1e6, 0, -1, float("nan")):
        with pytest.raises(ImageError, match="more than the limit"):
            read_image(PNG, max_megapixels=limit)


def test_images_beyond_pillow_s_own_limit_are_read_without_a_warning(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(Image, "MAX_IMAGE_PIXELS", 100)
    for name in ("png", "baseline", "bmp", "tiff", "lzw"):
        assert read_image(FILES[name]).shape == (24, 36, 3)
    assert Image.MAX_IMAGE_PIXELS == 100


@pytest.mark.parametrize(("width", "height"), [(0, 5), (5, 0)])
def test_images_without_pixels_are_refused(width: int, height: int) -> None:
    with pytest.raises(ImageError, match="damaged PNG file, or of a kind that is not supported"):
        read_image(png_claiming(width, height))


def test_a_palette_that_lacks_a_used_colour_is_damage() -> None:
    header = png_chunk(b"IHDR", struct.pack(">IIBBBBB", 2, 1, 8, 3, 0, 0, 0))
    body = png_chunk(b"IDAT", zlib.compress(b"\0\x00\x02")) + png_chunk(b"IEND", b"")
    for palette in (b"", png_chunk(b"PLTE", bytes(6))):
        data = b"\x89PNG\r\n\x1a\n" + header + palette + body
        with pytest.raises(ImageError, match="palette lacks colours"):
            read_image(data)
        with pytest.raises(ImageError, match="palette lacks colours"):
            read_mask(data)


def test_metadata_warnings_stay_inside_and_the_filters_as_they_were(
    encode: Encode, picture: ImageArray
) -> None:
    plain = encode(picture, "TIFF")
    # The resolution unit claims a thousand entries, which lie behind the end of the file.
    entry = plain.index(struct.pack("<HH", 277, 3))
    data = plain[:entry] + struct.pack("<HHI", 296, 3, 1000) + plain[entry + 8 :]
    results: list[ImageArray | None] = []

    def read_often() -> None:
        for _ in range(30):
            results.append(image_or_image_error(data))
            results.append(image_or_image_error(plain))

    before = list(warnings.filters)
    threads = [threading.Thread(target=read_often) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(results) == 4 * 60
    assert list(warnings.filters) == before
