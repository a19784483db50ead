"""Each kind of image file gives the RGB picture that a viewer shows."""

from __future__ import annotations

import io
import os
import struct
import zlib
from collections.abc import Callable
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import PIL
import pytest
from numpy.typing import NDArray
from PIL import Image, ImageOps

from dermseg.errors import ImageError, ImageWarning
from dermseg.images import read_image, read_size
from dermseg.types import ImageArray

Encode = Callable[..., bytes]


def png_chunk(kind: bytes, data: bytes) -> bytes:
    checksum = zlib.crc32(kind + data)
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", checksum)


def grey_tiff(
    data: bytes, *, size: tuple[int, int], bits: int, photometric: int = 1, sample_format: int = 1
) -> bytes:
    """A one-strip little-endian grey TIFF, byte by byte from the specification."""
    height, width = size
    entries = [
        *((256, width), (257, height), (258, bits), (259, 1), (262, photometric)),
        *((273, 8 + 2 + 10 * 12 + 4), (277, 1), (278, height), (279, len(data))),
        (339, sample_format),
    ]
    directory = b"".join(struct.pack("<HHII", tag, 4, 1, value) for tag, value in entries)
    return b"II*\0" + struct.pack("<IH", 8, len(entries)) + directory + bytes(4) + data


@pytest.mark.parametrize(
    ("format_name", "mode", "options"),
    [
        ("PNG", None, {}),
        ("BMP", None, {}),
        ("TIFF", None, {}),
        ("TIFF", None, {"compression": "tiff_lzw"}),
        ("TIFF", None, {"compression": "tiff_adobe_deflate"}),
        ("TIFF", None, {"big_tiff": True}),
        ("WEBP", None, {"lossless": True}),
        ("PNG", "RGBA", {}),
        ("WEBP", "RGBA", {"lossless": True}),
    ],
)
def test_a_lossless_file_gives_its_pixels(
    picture: ImageArray,
    encode: Encode,
    format_name: str,
    mode: str | None,
    options: dict[str, Any],
) -> None:
    image = read_image(encode(picture, format_name, mode=mode, **options))
    assert image.dtype == np.uint8
    assert image.flags.writeable
    assert image.flags.c_contiguous
    np.testing.assert_array_equal(image, picture)


@pytest.mark.parametrize("mode", [None, "CMYK", "YCbCr"])
@pytest.mark.parametrize("progressive", [False, True])
def test_a_jpeg_is_close_to_its_pixels(
    picture: ImageArray, encode: Encode, mode: str | None, *, progressive: bool
) -> None:
    data = encode(picture, "JPEG", mode=mode, quality=95, subsampling=0, progressive=progressive)
    np.testing.assert_allclose(read_image(data).astype(int), picture, atol=8)


def test_an_adobe_ycck_jpeg_is_not_inverted() -> None:
    # Pillow writes CMYK, each value inverted as Adobe does. Behind the name in the Adobe marker
    # stand six bytes, then the transform: 2 says that Y, Cb, Cr and inverted K are stored.
    stored = np.full((8, 8, 4), (100, 128, 128, 255), np.uint8)
    buffer = io.BytesIO()
    Image.frombytes("CMYK", (8, 8), (255 - stored).tobytes()).save(buffer, "JPEG", quality=100)
    data = bytearray(buffer.getvalue())
    transform = data.index(b"Adobe") + 11
    assert data[transform] == 0
    data[transform] = 2
    # Y = 100 without chroma is ink of 100 in C, M and Y; no black: 255 - 100 of light.
    np.testing.assert_allclose(read_image(bytes(data)).astype(int), 155, atol=2)
    opencv = cv2.imdecode(np.frombuffer(data, np.uint8), cv2.IMREAD_COLOR)
    assert opencv is not None
    np.testing.assert_allclose(opencv.astype(int), 155, atol=2)


def test_one_bit_and_grey_files_become_rgb(encode: Encode) -> None:
    bits = np.array([[True, False, True]])
    for format_name in ("PNG", "BMP", "TIFF"):
        np.testing.assert_array_equal(
            read_image(encode(bits, format_name)), bits[..., None].repeat(3, 2) * np.uint8(255)
        )
    grey = np.array([[0, 7, 255]], np.uint8)
    np.testing.assert_array_equal(
        read_image(encode(grey, "PNG")), grey[..., None].repeat(3, axis=2)
    )


def test_a_palette_gives_its_colours() -> None:
    image = Image.new("P", (2, 1))
    image.putpalette([10, 20, 30, 40, 50, 60])
    image.putdata([1, 0])
    for format_name in ("PNG", "BMP", "TIFF"):
        buffer = io.BytesIO()
        image.save(buffer, format_name)
        assert read_image(buffer.getvalue()).tolist() == [[[40, 50, 60], [10, 20, 30]]]


@pytest.mark.parametrize("transparency", [1, bytes([255, 0])])
def test_a_transparent_palette_colour_becomes_white(transparency: int | bytes) -> None:
    image = Image.new("P", (2, 1))
    image.putpalette([10, 20, 30, 40, 50, 60])
    image.putdata([1, 0])
    buffer = io.BytesIO()
    image.save(buffer, "PNG", transparency=transparency)
    assert read_image(buffer.getvalue()).tolist() == [[[255, 255, 255], [10, 20, 30]]]


@pytest.mark.parametrize("format_name", ["PNG", "TIFF", "WEBP"])
def test_transparent_parts_are_laid_on_white(encode: Encode, format_name: str) -> None:
    pixels = np.array([[[100, 0, 50, 255], [100, 0, 50, 0], [100, 0, 50, 51]]], np.uint8)
    options = {"lossless": True, "exact": True} if format_name == "WEBP" else {}
    image = read_image(encode(pixels, format_name, **options))
    # 51 / 255 = 0.2: 0.2 * (100, 0, 50) + 0.8 * 255.
    np.testing.assert_allclose(image[0], [[100, 0, 50], [255, 255, 255], [224, 204, 214]], atol=1)


def test_grey_with_alpha_is_laid_on_white(encode: Encode) -> None:
    pixels = np.array([[[100, 255], [100, 0]]], np.uint8)
    for format_name in ("PNG", "TIFF"):
        image = read_image(encode(pixels, format_name))
        assert image.tolist() == [[[100] * 3, [255] * 3]]


@pytest.mark.skipif(
    int(PIL.__version__.split(".")[0]) < 13, reason="older versions of Pillow refuse such files"
)
def test_premultiplied_grey_alpha_is_laid_on_white() -> None:
    data = grey_tiff(bytes([100, 255, 0, 0]), size=(1, 2), bits=8)
    # Two samples of 8 bits; the second is alpha that the first was multiplied with (tag 338).
    for old, new in [
        (struct.pack("<HHII", 258, 4, 1, 8), struct.pack("<HHIHH", 258, 3, 2, 8, 8)),
        (struct.pack("<HHII", 277, 4, 1, 1), struct.pack("<HHII", 277, 4, 1, 2)),
        (struct.pack("<HHII", 339, 4, 1, 1), struct.pack("<HHII", 338, 4, 1, 1)),
    ]:
        assert data.count(old) == 1
        data = data.replace(old, new)
    assert read_image(data).tolist() == [[[100] * 3, [255] * 3]]


def test_an_image_of_only_transparent_pixels_is_refused(encode: Encode) -> None:
    with pytest.raises(ImageError, match="all pixels are transparent"):
        read_image(encode(np.zeros((2, 2, 4), np.uint8), "PNG"))


def test_the_fourth_byte_of_a_bitmap_is_no_transparency() -> None:
    data = cv2.imencode(".bmp", np.array([[[30, 20, 10, 0]]], np.uint8))[1].tobytes()
    assert read_image(data).tolist() == [[[10, 20, 30]]]


@pytest.mark.parametrize("suffix", [".png", ".tiff"])
def test_sixteen_bits_are_scaled_not_clipped(suffix: str) -> None:
    values = np.array([[0, 255, 256, 32768, 65280, 65535]], np.uint16)
    expected = [0, 0, 1, 128, 255, 255]
    grey = cv2.imencode(suffix, values)[1].tobytes()
    assert read_image(grey)[0].tolist() == [[value] * 3 for value in expected]
    colours = np.stack([values, values // 2, values // 4], axis=2)
    image = read_image(cv2.imencode(suffix, colours[..., ::-1])[1].tobytes())
    np.testing.assert_array_equal(image, colours >> 8)


def test_eight_bits_stored_in_sixteen_come_back() -> None:
    values = np.arange(256, dtype=np.uint16).reshape(16, 16)
    data = cv2.imencode(".png", values * 257)[1].tobytes()
    np.testing.assert_array_equal(read_image(data)[..., 0], values)


def test_a_big_endian_16_bit_tiff_is_read() -> None:
    buffer = io.BytesIO()
    Image.frombytes("I;16B", (2, 1), b"\x80\x00\xff\xff").save(buffer, "TIFF")
    assert read_image(buffer.getvalue())[0, :, 0].tolist() == [128, 255]


def test_a_12_bit_tiff_is_scaled_by_its_own_range() -> None:
    # Two samples of 12 bits, 0xABC and 0x123, in three bytes.
    data = grey_tiff(b"\xab\xc1\x23", size=(1, 2), bits=12)
    assert read_image(data)[0, :, 0].tolist() == [0xAB, 0x12]


@pytest.mark.parametrize(
    ("bits", "values", "expected"), [(8, b"\x00\x05\xff", [255, 250, 0]), (1, b"\x80", [0, 255])]
)
def test_white_is_zero_tiffs_are_inverted(bits: int, values: bytes, expected: list[int]) -> None:
    data = grey_tiff(values, size=(1, len(expected)), bits=bits, photometric=0)
    assert read_image(data)[0, :, 0].tolist() == expected


def test_a_white_is_zero_16_bit_tiff_is_inverted() -> None:
    data = grey_tiff(struct.pack("<3H", 0, 0x0500, 65535), size=(1, 3), bits=16, photometric=0)
    assert read_image(data)[0, :, 0].tolist() == [255, 250, 0]


def test_float_tiffs_are_shares_or_8_bit_values(encode: Encode) -> None:
    shares = np.array([[0.0, 0.5, 1.0]], np.float32)
    assert read_image(encode(shares, "TIFF"))[0, :, 0].tolist() == [0, 128, 255]
    values = np.array([[0.0, 0.6, 254.6]], np.float32)
    assert read_image(encode(values, "TIFF"))[0, :, 0].tolist() == [0, 1, 255]


@pytest.mark.parametrize("bad", [np.nan, np.inf, -0.1, 255.5])
def test_float_tiffs_with_other_values_are_refused(encode: Encode, bad: float) -> None:
    values = np.array([[0.5, bad, 0.5]], np.float32)
    with pytest.raises(ImageError, match="float values are not in the range"):
        read_image(encode(values, "TIFF"))


def test_signed_tiffs_are_read_if_they_fit_8_bits() -> None:
    small = grey_tiff(struct.pack("<2h", 3, 200), size=(1, 2), bits=16, sample_format=2)
    assert read_image(small)[0, :, 0].tolist() == [3, 200]
    for bad in (-1, 300):
        data = grey_tiff(struct.pack("<2h", 3, bad), size=(1, 2), bits=16, sample_format=2)
        with pytest.raises(ImageError, match="signed values are not in the range 0 to 255"):
            read_image(data)


def test_lab_colours_are_refused(picture: ImageArray, encode: Encode) -> None:
    with pytest.raises(ImageError, match=r"pixel type \(LAB\) is not supported"):
        read_image(encode(picture, "TIFF", mode="LAB"))


def test_only_the_first_page_or_frame_is_read(picture: ImageArray) -> None:
    first, second = Image.fromarray(picture), Image.fromarray(255 - picture)
    for format_name in ("TIFF", "PNG", "WEBP"):
        buffer = io.BytesIO()
        options = {"lossless": True} if format_name == "WEBP" else {}
        first.save(buffer, format_name, save_all=True, append_images=[second], **options)
        with pytest.warns(ImageWarning, match="the first .*was taken"):
            np.testing.assert_array_equal(read_image(buffer.getvalue()), picture)


def test_the_first_picture_of_a_phone_s_multi_picture_file_is_read(picture: ImageArray) -> None:
    buffer = io.BytesIO()
    first, second = Image.fromarray(picture), Image.fromarray(255 - picture)
    first.save(buffer, "MPO", save_all=True, append_images=[second], quality=95, subsampling=0)
    np.testing.assert_allclose(read_image(buffer.getvalue()).astype(int), picture, atol=8)


def test_the_thumbnail_of_a_raw_camera_file_is_refused(picture: ImageArray, encode: Encode) -> None:
    with pytest.raises(ImageError, match="only a thumbnail, as in raw camera files"):
        read_image(encode(picture, "TIFF", tiffinfo={254: 1}))


def exif(orientation: int) -> Image.Exif:
    tags = Image.Exif()
    tags[0x0112] = orientation
    return tags


@pytest.mark.parametrize("orientation", range(1, 9))
@pytest.mark.parametrize("format_name", ["JPEG", "PNG", "TIFF", "WEBP"])
def test_the_orientation_is_applied_as_pillow_does(
    picture: ImageArray, encode: Encode, format_name: str, orientation: int
) -> None:
    options: dict[str, Any] = {"exif": exif(orientation)}
    if format_name == "WEBP":
        options["lossless"] = True
    data = encode(picture, format_name, **options)
    with Image.open(io.BytesIO(data)) as file:
        expected = np.asarray(ImageOps.exif_transpose(file))
    image = read_image(data)
    np.testing.assert_array_equal(image, expected)
    assert image.flags.c_contiguous
    assert read_size(data) == image.shape[:2]


#     stored    shown, per orientation, as the EXIF standard defines them by "the 0th row is ..."
SHOWN: dict[int, list[list[int]]] = {
    1: [[1, 2, 3], [4, 5, 6]],
    2: [[3, 2, 1], [6, 5, 4]],
    3: [[6, 5, 4], [3, 2, 1]],
    4: [[4, 5, 6], [1, 2, 3]],
    5: [[1, 4], [2, 5], [3, 6]],
    6: [[4, 1], [5, 2], [6, 3]],
    7: [[6, 3], [5, 2], [4, 1]],
    8: [[3, 6], [2, 5], [1, 4]],
}


@pytest.mark.parametrize("orientation", SHOWN)
@pytest.mark.parametrize("format_name", ["PNG", "TIFF"])
def test_the_orientation_is_applied_as_the_standard_says(
    encode: Encode, format_name: str, orientation: int
) -> None:
    stored = np.array([[1, 2, 3], [4, 5, 6]], np.uint8)
    for pixels in (stored, stored.astype(np.uint16) * 257):
        data = encode(pixels, format_name, exif=exif(orientation))
        assert read_image(data)[..., 0].tolist() == SHOWN[orientation]
        assert read_size(data) == ((2, 3) if orientation < 5 else (3, 2))


XMP_ORIENTATION_6 = (
    b'<x:xmpmeta xmlns:x="adobe:ns:meta/"><rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-'
    b'syntax-ns#"><rdf:Description rdf:about="" xmlns:tiff="http://ns.adobe.com/tiff/1.0/" '
    b'tiff:Orientation="6"/></rdf:RDF></x:xmpmeta>'
)


@pytest.mark.parametrize(
    ("format_name", "options"),
    [
        ("JPEG", {"xmp": XMP_ORIENTATION_6}),
        ("TIFF", {"tiffinfo": {700: XMP_ORIENTATION_6}}),
        ("TIFF", {"tiffinfo": {700: XMP_ORIENTATION_6, 274: 3}}),
        ("PNG", {"exif": b"Exif\0\0II*\0\x08\0\0\0broken"}),
        ("JPEG", {"exif": b"Exif\0\0II*\0\xff\xff\xff\xff"}),
        ("JPEG", {"exif": exif(77)}),
    ],
)
def test_size_and_image_agree_on_odd_metadata(
    picture: ImageArray, encode: Encode, format_name: str, options: dict[str, Any]
) -> None:
    data = encode(picture, format_name, **options)
    assert read_image(data).shape[:2] == read_size(data)


def test_an_orientation_behind_the_pixels_of_a_png_does_not_count(
    picture: ImageArray, encode: Encode
) -> None:
    plain = encode(picture, "PNG")
    tags = png_chunk(b"eXIf", exif(6).tobytes()[6:])
    data = plain[:-12] + tags + plain[-12:]
    np.testing.assert_array_equal(read_image(data), picture)
    assert read_size(data) == picture.shape[:2]


def test_the_size_is_read_without_the_pixels(picture: ImageArray, encode: Encode) -> None:
    data = encode(picture, "PNG")
    assert read_size(data[:60]) == (24, 36)


def test_a_suffix_does_not_matter(picture: ImageArray, encode: Encode, tmp_path: Path) -> None:
    path = tmp_path / "picture.jpg"
    path.write_bytes(encode(picture, "PNG"))
    np.testing.assert_array_equal(read_image(path), picture)
    np.testing.assert_array_equal(read_image(str(path)), picture)


@pytest.mark.parametrize(
    "name",
    ["Muttermal größer, 痣 🔬.png", "n" * 251 + ".png", "痣" * 83 + ".png", " .png", "a\nb.png"],
)
def test_unicode_and_long_names_are_read(
    picture: ImageArray, encode: Encode, tmp_path: Path, name: str
) -> None:
    path = tmp_path / name
    path.write_bytes(encode(picture, "PNG"))
    np.testing.assert_array_equal(read_image(path), picture)


@pytest.mark.skipif(os.name == "nt", reason="names on Windows are always text")
def test_a_name_that_is_no_text_is_read_and_shown_with_escapes(
    picture: ImageArray, encode: Encode, tmp_path: Path
) -> None:
    path = Path(os.fsdecode(os.fsencode(tmp_path) + b"/m\xe4l.png"))
    path.write_bytes(encode(picture, "PNG"))
    np.testing.assert_array_equal(read_image(path), picture)
    path.write_bytes(b"no image")
    with pytest.raises(ImageError) as caught:
        read_image(path)
    assert str(caught.value).encode().decode("ascii").startswith(str(tmp_path))


def assert_close_to_opencv(image: NDArray[np.uint8], path: Path) -> None:
    expected = cv2.imread(str(path), cv2.IMREAD_COLOR_RGB)
    assert expected is not None
    np.testing.assert_allclose(image.astype(int), expected, atol=3)


@pytest.mark.data
def test_real_photos_equal_what_opencv_reads(real_data: Path) -> None:
    paths = sorted((real_data / "isic2017_native").rglob("*.jpg"))[:3]
    assert paths
    for path in paths:
        image = read_image(path)
        assert_close_to_opencv(image, path)
        assert read_size(path) == image.shape[:2]
