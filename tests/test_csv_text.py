"""Tables as CSV."""

from __future__ import annotations

import csv
import io

import pytest

from dermseg.csv_text import encode_csv


def test_cells_come_back_whatever_they_hold() -> None:
    cells = ['with "quotes", commas', "two\nlines", "ä"]
    text = encode_csv(["a", "b", "c"], [cells]).decode()
    assert list(csv.reader(io.StringIO(text, newline=""))) == [["a", "b", "c"], cells]
    assert text.endswith("\n")
    assert "\r" not in text


def test_bytes_that_are_no_text_are_refused_or_kept() -> None:
    broken = b"\xff".decode(errors="surrogateescape")
    with pytest.raises(UnicodeEncodeError):
        encode_csv(["id"], [[broken]])
    assert encode_csv(["id"], [[broken]], errors="surrogateescape") == b"id\n\xff\n"
