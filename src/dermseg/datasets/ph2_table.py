"""The table of diagnoses that comes with PH2."""

from __future__ import annotations

from pathlib import Path
from typing import Final

from dermseg.datasets.base import TableProblem
from dermseg.datasets.metadata import Metadata

__all__ = ["DIAGNOSES", "read_ph2_table"]

DIAGNOSES: Final = {"0": "common nevus", "1": "atypical nevus", "2": "melanoma"}
"""The table's codes of the clinical diagnosis."""


def read_ph2_table(path: Path) -> tuple[Metadata, list[TableProblem]]:
    """Read diagnosis and histology of each case from ``PH2_dataset.txt``.

    Its columns stand between double bars; some of them hold several values between single bars.
    Below the cases stands a legend, whose lines are no cases::

        ||   Name || Histological Diagnosis || Clinical Diagnosis || Asymmetry | ... || Colors ||
        || IMD003 ||                        ||                  0 ||         0 | ... ||   4    ||

    Returns:
        ``diagnosis`` in words (the clinical one, which every case has) and ``histology`` where
        there is any; and what is wrong with the table. It is never an error.
    """
    if not path.is_file():
        return {}, []
    try:
        lines = path.read_text("utf-8", errors="replace").splitlines()
    except OSError as error:
        return {}, [TableProblem(path, f"cannot be read, so it is not used: {error.strerror}")]
    table: Metadata = {}
    problems = []
    for number, line in enumerate(lines, start=1):
        cells = [cell.strip() for cell in line.split("||")]
        if len(cells) < 2 or not cells[1].startswith("IMD"):
            continue
        code = cells[3] if len(cells) > 3 else ""
        if code not in DIAGNOSES:
            found = f"line {number}: the clinical diagnosis of {cells[1]} is '{code}'"
            problems.append(TableProblem(path, f"{found}, expected 0, 1 or 2"))
            continue
        values = {"diagnosis": DIAGNOSES[code], "histology": cells[2]}
        table[cells[1]] = {key: value for key, value in values.items() if value}
    if not table and not problems:
        problems.append(
            TableProblem(path, "holds no case '|| IMD... || ... ||', so it is not used")
        )
    return table, problems
