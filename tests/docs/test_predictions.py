"""The glossary of ``predictions.csv`` has its columns, and no others."""

from __future__ import annotations

import re
from pathlib import Path

from dermseg.prediction.table import columns_of

PAGE = Path(__file__).parents[2] / "docs" / "reference" / "predictions.md"
ROWS = [
    [cell.strip() for cell in line.strip("|").split("|")]
    for line in PAGE.read_text("utf-8").splitlines()
    if line.startswith("| `")
]


def test_every_column_is_described_once() -> None:
    described = [row[0].strip("`") for row in ROWS]
    assert sorted(described) == sorted(columns_of(["CLASS"]))


def test_every_column_has_unit_formula_and_when_it_is_empty() -> None:
    for row in ROWS:
        assert len(row) == 4
        assert all(row), row[0]


def test_sources_are_cited_and_listed() -> None:
    text = PAGE.read_text("utf-8")
    listed = set(re.findall(r"^(\d)\. ", text, flags=re.MULTILINE))
    assert set(re.findall(r"\[(\d)\]", text)) == listed
    assert listed
