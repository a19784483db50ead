"""Images decoded at a fraction of their size: the same pictures, and the same refusals."""

from __future__ import annotations

import io
from collections.abc import Callable

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from dermseg.errors import ImageError
from dermseg.images import open_image, read_image, read_size
from dermseg.types import ImageArray, Size

Encode = Callable[..., bytes]

SMALL = (30, 40)


def draw_large() -> ImageArray:
    """A smooth picture without symmetry, (331, 486, 3): no multiple of 8."""
    rows, columns = np.mgrid[0:331, 0:486]
    return np.stack([rows / 2, columns / 2, (rows + columns) / 4], axis=2).astype(np.uint8)


def encoded(mode: str = "RGB", **options: object) -> bytes:
    buffer = io.BytesIO()
    Image.fromarray(draw_large()).convert(mode).save(buffer, "JPEG", quality=95, **options)
    return buffer.getvalue()


JPEG = encoded()
FILES = {"baseline": JPEG, "progressive": encoded(progressive=True), "grey": encoded("L")}


def read_reduced(data: bytes, least: Size = SMALL) -> ImageArray:
    with open_image(data) as opened:
        image = opened.read(least)
        assert image.shape[:2] == opened.reduced_size(least)
    return image


@pytest.mark.parametrize(
    ("least", "expected"),
    [
        ((30, 40), (42, 61)),  # an eighth, rounded up
        ((42, 40), (83, 122)),
        ((42, 250), (331, 486)),
        ((165, 243), (166, 243)),
        ((1000, 1000), (331, 486)),
    ],
)
def test_the_largest_reduction_that_leaves_enough_is_taken(least: Size, expected: Size) -> None:
    assert read_reduced(JPEG, least).shape[:2] == expected


@pytest.mark.parametrize("mode", ["RGB", "L", "CMYK"])
@pytest.mark.parametrize("orientation", range(1, 9))
def test_reduced_images_show_what_whole_ones_do(mode: str, orientation: int) -> None:
    exif = Image.Exif()
    exif[0x0112] = orientation
    data = encoded(mode, exif=exif)
    whole = read_image(data)
    size = read_size(data)
    assert size == whole.shape[:2]
    reduced = read_reduced(data)
    assert reduced.shape[:2] == (-(-size[0] // 8), -(-size[1] // 8))
    # Away from the last block, which holds fewer pixels.
    means = whole[:320, :320].reshape(40, 8, 40, 8, 3).mean(axis=(1, 3))
    assert np.abs(reduced[1:39, 1:39] - means[1:39, 1:39]).max() <= 6


@pytest.mark.parametrize("format_name", ["PNG", "BMP", "TIFF", "WEBP"])
def test_other_formats_are_read_whole(encode: Encode, format_name: str) -> None:
    data = encode(draw_large(), format_name)
    assert np.array_equal(read_reduced(data), read_image(data))


def test_errors_of_the_caller_are_not_taken_for_a_damaged_file() -> None:
    with pytest.raises(KeyError), open_image(JPEG):
        raise KeyError


@pytest.mark.parametrize("name", FILES)
def test_no_cut_file_is_read(name: str) -> None:
    data = FILES[name]
    # The end mark of a JPEG with one scan is not missed.
    for end in [*range(0, len(data) - 2, len(data) // 60), len(data) - 8]:
        with pytest.raises(ImageError):
            read_reduced(data[:end])


@pytest.mark.filterwarnings("ignore::dermseg.errors.ImageWarning")
@given(
    name=st.sampled_from(list(FILES)),
    position=st.floats(0, 1, exclude_max=True),
    change=st.binary(min_size=1, max_size=8),
)
@settings(deadline=None, max_examples=300)
def test_what_is_refused_whole_is_refused_reduced(
    name: str, position: float, change: bytes
) -> None:
    data = bytearray(FILES[name])
    start = int(position * len(data))
    data[start : start + len(change)] = change
    try:
        read_image(bytes(data), max_megapixels=5)
    except ImageError:
        with pytest.raises(ImageError), open_image(bytes(data), max_megapixels=5) as opened:
            opened.read(SMALL)
