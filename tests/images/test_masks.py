"""Foreground is what is brighter than 128, or 1 in a file of zeros and ones."""

from __future__ import annotations

import io
import struct
from collections.abc import Callable
from pathlib import Path

import cv2
import numpy as np
import pytest
from PIL import Image

from dermseg.errors import ImageError
from dermseg.images import foreground, read_image, read_mask, read_mask_values, read_size
from dermseg.types import BoolMask, ImageArray

Encode = Callable[..., bytes]

LOSSLESS = ["PNG", "BMP", "TIFF"]


@pytest.fixture
def mask() -> BoolMask:
    """Neither square nor symmetric, (5, 9)."""
    mask = np.zeros((5, 9), bool)
    mask[1:3, 2:7] = True
    mask[3, 2] = True
    return mask


def palette_png(indices: ImageArray, colours: list[int], *, format_name: str = "PNG") -> bytes:
    image = Image.fromarray(indices)
    image.putpalette(colours)
    assert image.mode == "P"
    buffer = io.BytesIO()
    image.save(buffer, format_name)
    return buffer.getvalue()


def check(data: bytes, mask: BoolMask) -> None:
    result = read_mask(data)
    assert result.dtype == np.bool_
    np.testing.assert_array_equal(result, mask)


@pytest.mark.parametrize("format_name", LOSSLESS)
@pytest.mark.parametrize("mode", ["L", "1", "RGB", "P"])
def test_black_and_white_masks_are_read(
    mask: BoolMask, encode: Encode, format_name: str, mode: str
) -> None:
    data = encode(mask * np.uint8(255), format_name, mode=mode)
    check(data, mask)
    np.testing.assert_array_equal(read_mask_values(data), mask * np.uint8(255))


@pytest.mark.parametrize("format_name", LOSSLESS)
@pytest.mark.parametrize("mode", ["L", "RGB", "P"])
def test_masks_of_zeros_and_ones_are_read(
    mask: BoolMask, encode: Encode, format_name: str, mode: str
) -> None:
    data = encode(mask.astype(np.uint8), format_name, mode=mode)
    check(data, mask)
    np.testing.assert_array_equal(read_mask_values(data), mask)


def test_the_threshold_is_above_128(encode: Encode) -> None:
    values = np.array([[0, 1, 2, 127, 128, 129, 255]], np.uint8)
    mask = read_mask(encode(values, "PNG"))
    assert mask.tolist() == [[False, False, False, False, False, True, True]]
    np.testing.assert_array_equal(read_mask_values(encode(values, "PNG")), values)


@pytest.mark.parametrize("values", [[0, 2], [0, 1, 2], [0, 128], [127, 128], [128], [9]])
def test_a_mask_that_marks_something_and_would_count_as_empty_is_refused(
    encode: Encode, values: list[int]
) -> None:
    data = encode(np.array([values], np.uint8), "PNG")
    with pytest.raises(ImageError, match=rf"brightest value is {max(values)}, .* 0 and 255"):
        read_mask(data)
    assert not foreground(read_mask_values(data)).any()


def test_uniform_masks_are_empty_or_full(encode: Encode) -> None:
    for value, is_foreground in ((0, False), (1, True), (255, True)):
        mask = read_mask(encode(np.full((3, 4), value, np.uint8), "PNG"))
        assert mask.all() == mask.any() == is_foreground


@pytest.mark.parametrize("mode", ["L", "RGB"])
def test_a_mask_stored_as_jpeg_is_read_in_spite_of_its_noise(encode: Encode, mode: str) -> None:
    mask = np.zeros((48, 64), bool)
    mask[7:30, 11:42] = True
    data = encode(mask * np.uint8(255), "JPEG", mode=mode, quality=80)
    assert len(np.unique(read_mask_values(data))) > 2
    check(data, mask)


@pytest.mark.parametrize("suffix", [".png", ".tiff"])
@pytest.mark.parametrize("foreground", [1, 255, 65535])
def test_16_bit_masks_are_read_whatever_their_range(
    mask: BoolMask, suffix: str, foreground: int
) -> None:
    values = mask * np.uint16(foreground)
    check(cv2.imencode(suffix, values)[1].tobytes(), mask)


@pytest.mark.parametrize("dtype", [np.int32, np.float32])
@pytest.mark.parametrize("foreground", [1, 255])
def test_32_bit_masks_are_read(
    mask: BoolMask, encode: Encode, dtype: type[np.generic], foreground: int
) -> None:
    check(encode((mask * foreground).astype(dtype), "TIFF"), mask)


def test_a_palette_in_grey_is_looked_up(mask: BoolMask) -> None:
    indices = mask.astype(np.uint8)
    for format_name in LOSSLESS:
        white_last = palette_png(indices, [0, 0, 0, 255, 255, 255], format_name=format_name)
        check(white_last, mask)
        white_first = palette_png(indices, [255, 255, 255, 0, 0, 0], format_name=format_name)
        check(white_first, ~mask)


def bitmap(rows: list[bytes], *, width: int, bits: int, greys: list[int]) -> bytes:
    """A BMP of rows from the bottom up, byte by byte; Pillow writes only 1 and 8 bits."""
    palette = b"".join(bytes([grey, grey, grey, 0]) for grey in greys)
    body = b"".join(row + bytes(-len(row) % 4) for row in rows)
    offset = 14 + 40 + len(palette)
    start = struct.pack("<2sIII", b"BM", offset + len(body), 0, offset)
    sizes = struct.pack("<IiiHHIIiiII", 40, width, len(rows), 1, bits, 0, 0, 0, 0, len(greys), 0)
    return start + sizes + palette + body


@pytest.mark.parametrize(
    ("rows", "bits", "greys", "expected"),
    [
        # Pillow takes all of these but the first for one bit, or one byte, per pixel.
        ([b"\xa0"], 1, [0, 255], [255, 0, 255]),
        ([b"\x10\x10"], 4, [0, 255], [255, 0, 255]),
        ([b"\1\0\1"], 8, [0, 255], [255, 0, 255]),
        ([b"\x21\x00"], 4, [0, 1, 2], [2, 1, 0]),
        ([b"\x05\x07\xff"], 8, list(range(256)), [5, 7, 255]),
    ],
)
def test_bitmaps_with_grey_palettes_are_read_at_any_depth(
    rows: list[bytes], bits: int, greys: list[int], expected: list[int]
) -> None:
    data = bitmap(rows, width=3, bits=bits, greys=greys)
    assert read_mask_values(data).tolist() == [expected]
    assert read_image(data).tolist() == [[[value] * 3 for value in expected]]


def test_unused_palette_colours_do_not_matter(mask: BoolMask) -> None:
    check(palette_png(mask.astype(np.uint8), [0, 0, 0, 255, 255, 255, 9, 99, 0]), mask)


def test_label_1_in_a_colour_on_black_is_foreground(mask: BoolMask) -> None:
    data = palette_png(mask.astype(np.uint8), [0, 0, 0, 128, 0, 0])
    check(data, mask)
    np.testing.assert_array_equal(read_mask_values(data), mask)


@pytest.mark.parametrize(
    ("foreground", "colours"),
    [(2, [0, 0, 0, 128, 0, 0, 0, 128, 0]), (1, [0, 0, 128, 0, 0, 0]), (1, [0, 0, 128, 128, 0, 0])],
)
def test_other_palettes_with_colours_are_refused(
    mask: BoolMask, foreground: int, colours: list[int]
) -> None:
    data = palette_png(mask * np.uint8(foreground), colours)
    with pytest.raises(ImageError, match="a mask with colours; expected one channel"):
        read_mask(data)


def test_colours_are_refused(picture: ImageArray, encode: Encode, tmp_path: Path) -> None:
    path = tmp_path / "overlay.png"
    path.write_bytes(encode(picture, "PNG"))
    with pytest.raises(ImageError) as caught:
        read_mask(path)
    assert str(caught.value) == (
        f"{path}: a mask with colours; expected one channel, black and white"
    )
    one_red_pixel = np.zeros((5, 5, 3), np.uint8)
    one_red_pixel[2, 2, 0] = 255
    with pytest.raises(ImageError, match="with colours"):
        read_mask_values(encode(one_red_pixel, "PNG"))


def test_alpha_that_hides_nothing_is_ignored_and_other_alpha_refused(
    mask: BoolMask, encode: Encode
) -> None:
    values = mask * np.uint8(255)
    opaque = np.full_like(values, 255)
    check(encode(np.dstack([values, opaque]), "PNG"), mask)
    check(encode(np.dstack([values] * 3 + [opaque]), "PNG"), mask)
    for layers in ([values, values], [values] * 4):
        with pytest.raises(ImageError, match="transparent pixels"):
            read_mask(encode(np.dstack(layers), "PNG"))
    with pytest.raises(ImageError, match="transparent pixels"):
        read_mask(encode(mask.astype(np.uint8), "PNG", mode="P", transparency=0))


def test_a_mask_is_turned_as_its_image_is(encode: Encode) -> None:
    tags = Image.Exif()
    tags[0x0112] = 6
    values = np.array([[255, 0, 0], [0, 0, 0]], np.uint8)
    data = encode(values, "PNG", exif=tags)
    # Turned clockwise, the upper left corner comes to the upper right.
    assert read_mask(data).tolist() == [[False, True], [False, False], [False, False]]
    assert read_size(data) == (3, 2)


@pytest.mark.data
@pytest.mark.parametrize(
    "folder",
    [
        "ham10000_sample_200x150/HAM10000_segmentations_lesion_tschandl",
        "isic2017_native/ISIC-2017_Training_Part1_GroundTruth",
        "isic2018_task2_sample/ISIC2018_Task2_Training_GroundTruth_v3",
    ],
)
def test_real_masks_are_as_opencv_reads_them(real_data: Path, folder: str) -> None:
    paths = sorted((real_data / folder).glob("*.png"))[:40]
    assert paths
    for path in paths:
        expected = cv2.imread(str(path), cv2.IMREAD_GRAYSCALE)
        assert expected is not None
        assert set(np.unique(expected)) <= {0, 255}
        np.testing.assert_array_equal(read_mask(path), expected == 255)


@pytest.mark.data
def test_real_masks_have_the_size_of_their_images(real_data: Path) -> None:
    root = real_data / "ham10000_sample_200x150"
    masks = sorted((root / "HAM10000_segmentations_lesion_tschandl").glob("*.png"))[:20]
    for path in masks:
        name = path.name.replace("_segmentation.png", ".jpg")
        image = read_image(root / "HAM10000_images_part_1" / name)
        assert read_mask(path).shape == image.shape[:2]
