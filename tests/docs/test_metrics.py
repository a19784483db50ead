"""The tables of docs/metrics.md are what its script prints."""

from __future__ import annotations

import ast
import inspect
import re
import runpy
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest

from dermseg.evaluation import PROTOCOLS, SCORES, protocols

DOCS = Path(__file__).parents[2] / "docs"
PAGE = (DOCS / "metrics.md").read_text("utf-8")


@pytest.fixture(scope="module")
def script() -> dict[str, Any]:
    return runpy.run_path(str(DOCS / "make_metrics_table.py"))


def test_the_table_of_protocols_is_what_the_script_prints(script: dict[str, Any]) -> None:
    assert f"\n\n{script['protocol_rows']()}\n\n" in PAGE


def test_the_example_is_what_the_script_prints(script: dict[str, Any]) -> None:
    """The figures themselves; resampling may round the last digit of an interval elsewhere."""
    assert f"\n```\n{script['example']()}\n```\n" in PAGE


def test_the_example_shows_that_the_same_masks_score_differently() -> None:
    example = PAGE.split("```")[1].split("\n\n")[0]
    rows = [line.split() for line in example.strip().splitlines()[1:]]
    assert [row[0] for row in rows] == list(PROTOCOLS)
    figures = [float(row[1]) for row in rows if row[1] != "-"]
    assert max(figures) - min(figures) > 0.08


@pytest.mark.parametrize("name", SCORES)
def test_every_score_is_described(name: str) -> None:
    assert f"| `{name}` |" in PAGE or (name.startswith("relative_") and "`relative_...`" in PAGE)


def test_the_table_s_docstring_has_the_reference_of_every_row() -> None:
    body = ast.parse(inspect.getsource(protocols)).body
    documented = [
        after.value.value
        for before, after in pairwise(body)
        if isinstance(before, ast.AnnAssign)
        and ast.unparse(before.target) == "PROTOCOLS"
        and isinstance(after, ast.Expr)
        and isinstance(after.value, ast.Constant)
    ]
    (docstring,) = documented
    assert isinstance(docstring, str)
    for name, protocol in PROTOCOLS.items():
        assert re.search(rf"\b{name}\b.*:", docstring), name
        for identifier in re.findall(r"(?:arXiv|doi):[\w./-]+\w", protocol.reference):
            assert identifier in docstring
