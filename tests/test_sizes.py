"""Files and functions stay short enough to be read at once; ruff counts the arguments."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

SOURCE = Path(__file__).resolve().parents[1] / "src" / "dermseg"
FILES = {str(path.relative_to(SOURCE)): path.read_text("utf-8") for path in SOURCE.rglob("*.py")}
# To be shortened.
LONGER = {"prediction/predictor.py", "prediction/output.py: predict_jobs"}


def functions(text: str) -> Iterator[ast.FunctionDef | ast.AsyncFunctionDef]:
    for node in ast.walk(ast.parse(text)):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            yield node


def test_no_file_has_more_than_350_lines() -> None:
    long = {name for name, text in FILES.items() if text.count("\n") > 350}
    assert long <= LONGER


def test_no_function_has_more_than_60_lines_but_commands_with_their_options() -> None:
    long = {
        f"{name}: {function.name}"
        for name, text in FILES.items()
        if not name.startswith("cli/")
        for function in functions(text)
        if (function.end_lineno or 0) - function.lineno >= 60
    }
    assert long <= LONGER
