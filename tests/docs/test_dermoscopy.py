"""The glossary of the lesion's numbers has all of them, and no others."""

from __future__ import annotations

import re
from pathlib import Path

from dermseg.prediction.dermoscopy import LesionDescription

PAGE = Path(__file__).parents[2] / "docs" / "reference" / "dermoscopy.md"


def test_every_figure_is_described_once() -> None:
    rows = [
        line.split("|")[1] for line in PAGE.read_text("utf-8").splitlines() if line[:3] == "| `"
    ]
    described = [name for row in rows for name in re.findall(r"`(\w+)`", row)]
    assert sorted(described) == sorted(LesionDescription().to_dict())
