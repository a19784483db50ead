"""The table of formats."""

from __future__ import annotations

import io

import numpy as np
import pytest
from PIL import Image

from dermseg.images.formats import FORMATS, Format, recognise

IMAGE = Image.fromarray(np.arange(192, dtype=np.uint8).reshape(8, 8, 3))


def encode(row: Format) -> bytes:
    stream = io.BytesIO()
    IMAGE.save(stream, row.name)
    return stream.getvalue()


@pytest.mark.parametrize("row", FORMATS, ids=lambda row: row.name)
def test_each_format_is_recognised_read_and_found_whole(row: Format) -> None:
    content = encode(row)
    assert recognise(content[:16]) is row
    assert row.reader(io.BytesIO(content)).size == (8, 8)
    if row.find_defect is not None:
        assert row.find_defect(io.BytesIO(content)) is None


@pytest.mark.parametrize(
    "row", [row for row in FORMATS if row.find_defect is not None], ids=lambda row: row.name
)
def test_a_file_that_ends_in_its_header_is_cut_off(row: Format) -> None:
    content = encode(row)
    assert row.find_defect is not None
    assert row.find_defect(io.BytesIO(content[:9])) == "the file is cut off"


def test_no_two_formats_share_a_suffix() -> None:
    suffixes = [suffix for row in FORMATS for suffix in row.suffixes]
    assert len(suffixes) == len(set(suffixes))
