"""The tutorials run, from their first cell to their last."""

from __future__ import annotations

from pathlib import Path

import nbformat
import pytest
from nbclient import NotebookClient

TUTORIALS = Path(__file__).parents[2] / "docs" / "tutorials"


@pytest.mark.slow
@pytest.mark.parametrize("path", sorted(TUTORIALS.glob("*.ipynb")), ids=lambda path: path.stem)
def test_tutorial_runs_and_scores(
    path: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TUTORIAL_WORK", str(tmp_path))
    notebook = nbformat.read(path, as_version=4)  # type: ignore[no-untyped-call]
    NotebookClient(notebook, timeout=600, resources={"metadata": {"path": str(tmp_path)}}).execute()
    outputs = [output for cell in notebook.cells for output in cell.get("outputs", [])]
    printed = "".join(output.text for output in outputs if output.output_type == "stream")
    scores = dict(line.rsplit(maxsplit=3)[:2] for line in printed.splitlines() if "mean_" in line)
    assert {name.split()[-1] for name in scores} == {"mean_jaccard", "mean_dice"}
    assert all(0 < float(value) < 1 for value in scores.values())
    assert sum("image/jpeg" in output.get("data", {}) for output in outputs) == 2
    assert (tmp_path / "run" / "model" / "model.json").is_file()
