"""A name that looks like a formula is text to a spreadsheet, and the same name to us."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dermseg.csv_text import encode_rows, quote_cell, unquote_cell
from dermseg.storage import read_table


@pytest.mark.parametrize("cell", ["=1+1", "+cmd|' /C calc'!A0", "-2+3", "@SUM(A1)", "\t=1", "'=1"])
def test_formulas_begin_with_an_apostrophe(cell: str) -> None:
    assert quote_cell(cell) == f"'{cell}"


@pytest.mark.parametrize("cell", ["", "a=1", "'a'", "-1.5", "+2e-05", -1, None, 0.5])
def test_numbers_and_other_text_stay_as_they_are(cell: object) -> None:
    assert quote_cell(cell) == cell


@given(st.lists(st.text(alphabet="=+-@'\t\r\n ,\"a1.é"), min_size=1, max_size=3, unique=True))
def test_every_name_comes_back(tmp_path_factory: pytest.TempPathFactory, names: list[str]) -> None:
    path: Path = tmp_path_factory.getbasetemp() / "names.csv"
    path.write_bytes(encode_rows([["id", "x"], *([name, "."] for name in names)]))
    assert [row[0] for row in read_table(path, what="it").rows] == names
    assert [unquote_cell(str(quote_cell(name))) for name in names] == names
