"""The table of formats."""

from __future__ import annotations

import io
from collections.abc import Callable

import numpy as np
import pytest
from PIL import Image

from dermseg.errors import ImageError, ImageWarning
from dermseg.images import read_image
from dermseg.images.formats import FORMATS, HEAD, Format, recognise

DicomPhotograph = Callable[..., bytes]

IMAGE = Image.fromarray(np.arange(192, dtype=np.uint8).reshape(8, 8, 3))


def encode(row: Format, dicom_photograph: DicomPhotograph) -> bytes:
    stream = io.BytesIO()
    if row.name == "DICOM":
        return dicom_photograph(np.asarray(IMAGE))
    if row.name == "HEIC":
        pytest.importorskip("pillow_heif").from_pillow(IMAGE).save(stream)
    else:
        IMAGE.save(stream, row.name)
    return stream.getvalue()


@pytest.mark.parametrize("row", FORMATS, ids=lambda row: row.name)
def test_each_format_is_recognised_read_and_found_whole(
    row: Format, dicom_photograph: DicomPhotograph
) -> None:
    content = encode(row, dicom_photograph)
    assert recognise(content[:HEAD]) is row
    assert row.reader(io.BytesIO(content)).size == (8, 8)
    assert read_image(content).shape == (8, 8, 3)
    if row.find_defect is not None:
        assert row.find_defect(io.BytesIO(content)) is None
        assert row.find_defect(io.BytesIO(content[:9])) == "the file is cut off"


def test_a_missing_extra_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("dermseg.images.formats.find_spec", lambda _: None)
    with pytest.raises(ImageError, match=r"reading HEIC needs .* pip install 'dermseg\[heic\]'"):
        read_image(b"\0\0\0\x1cftypheic" + bytes(20))


@pytest.mark.parametrize("name", ["GIF", "TIFF", "WEBP", "PNG"])
def test_the_first_page_is_read_and_the_others_are_announced(name: str) -> None:
    stream = io.BytesIO()
    pages = [Image.new("RGB", (9, 7), colour) for colour in ("red", "blue")]
    pages[0].save(stream, name, save_all=True, append_images=pages[1:])
    with pytest.warns(ImageWarning, match="the first"):
        image = read_image(stream.getvalue())
    assert np.abs(image - np.array([255, 0, 0])).max() < 6
    pages[0].save(stream := io.BytesIO(), name)
    read_image(stream.getvalue())


def test_no_two_formats_share_a_suffix() -> None:
    suffixes = [suffix for row in FORMATS for suffix in row.suffixes]
    assert len(suffixes) == len(set(suffixes))
