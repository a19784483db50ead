"""``dermseg card``."""

from __future__ import annotations

import json
import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from dermseg.package import load_package

Dermseg = Callable[..., "subprocess.CompletedProcess[str]"]


@pytest.fixture
def package(tmp_path: Path) -> Path:
    return shutil.copytree(load_package().folder, tmp_path / "model")


def write_evaluation(folder: Path, value: float) -> Path:
    folder.mkdir()
    figures = {"mean_jaccard": {"value": value, "low": 0.1, "high": 0.9}}
    summary = {"dataset": "moles", "part": "test", "num_scored": 3, "aggregates": figures}
    (folder / "summary.json").write_text(json.dumps(summary))
    return folder


@pytest.mark.slow
def test_scores_and_notes_get_into_the_card(
    dermseg: Dermseg, package: Path, tmp_path: Path
) -> None:
    notes = tmp_path / "notes.md"
    notes.write_text("## Dark skin\nAs good as on light skin.\n")
    before = load_package(package).spec
    old, new = (write_evaluation(tmp_path / name, value) for name, value in
                (("old", 0.25), ("new", 0.75)))  # fmt: skip
    result = dermseg("card", package, "--score", old, "--notes", notes)
    assert result.returncode == 0, result.stderr
    assert result.stdout == f"written to {package / 'MODEL_CARD.md'}\n"
    result = dermseg("card", package, "--score", new)
    assert result.returncode == 0, result.stderr
    card = (package / "MODEL_CARD.md").read_text()
    assert "On moles test, 3 images:" in card
    assert "| mean_jaccard | 0.7500 | 0.1000 to 0.9000 |" in card
    assert "0.2500" not in card
    assert card.endswith("\n\n## Dark skin\nAs good as on light skin.\n")
    spec = load_package(package).spec
    assert [score.on for score in spec.provenance.scores] == [
        *(score.on for score in before.provenance.scores), "moles test",
    ]  # fmt: skip
    said = {"provenance", "notes"}
    assert spec.model_dump(exclude=said) == before.model_dump(exclude=said)


@pytest.mark.slow
def test_what_cannot_be_said_is_refused(dermseg: Dermseg, package: Path, tmp_path: Path) -> None:
    before = (package / "model.json").read_bytes()
    for arguments, message in (
        ((), "nothing to add: give --score"),
        (("--score", tmp_path), "no summary.json of an evaluation"),
        (("--notes", tmp_path), "cannot be read as text"),
    ):
        result = dermseg("card", package, *arguments)
        assert result.returncode == 2
        assert message in result.stderr
    assert (package / "model.json").read_bytes() == before


@pytest.mark.slow
def test_shipped_model_is_not_changed_by_its_name(dermseg: Dermseg, tmp_path: Path) -> None:
    notes = tmp_path / "notes.md"
    notes.write_text("words")
    result = dermseg("card", "fast", "--notes", notes)
    assert result.returncode == 2
    assert "no model" in result.stderr
