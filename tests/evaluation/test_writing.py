from __future__ import annotations

import csv
import json
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from dermseg.errors import OutputError
from dermseg.evaluation import Evaluation, evaluate_masks, summary, write_evaluation
from dermseg.evaluation.score_table import OVERLAP_SCORES


@pytest.fixture
def evaluation(lesion: NDArray[np.bool_], make_masks: Callable[..., Path]) -> Evaluation:
    truth = make_masks("truth", {"b": lesion, "a": lesion, "c": lesion})
    thinner = lesion & (np.arange(10) < 5)
    return evaluate_masks(truth, make_masks("predictions", {"a": lesion, "b": thinner}))


def test_the_summary_has_the_promised_keys(evaluation: Evaluation, tmp_path: Path) -> None:
    write_evaluation(tmp_path, evaluation)
    content = json.loads((tmp_path / "summary.json").read_text())
    promised = {"protocol", "num_scored", "num_skipped", "aggregates", "warnings"}
    assert set(content) == promised | {"num_extra", "num_questionable", "problems"}
    assert (content["protocol"], content["num_scored"], content["num_skipped"]) == ("isic", 2, 1)
    assert set(content["aggregates"]) == {f"mean_{name}" for name in OVERLAP_SCORES}
    assert content["aggregates"]["mean_jaccard"] == {"value": 0.8, "low": 0.6, "high": 1.0}
    assert content["warnings"] == list(evaluation.warnings)
    assert content == summary(evaluation)


def test_what_was_evaluated_stands_in_the_summary(evaluation: Evaluation, tmp_path: Path) -> None:
    write_evaluation(tmp_path, evaluation, about={"model": "m", "part": "test"})
    content = json.loads((tmp_path / "summary.json").read_text())
    assert (content["model"], content["part"], content["num_scored"]) == ("m", "test", 2)


def test_the_table_has_a_row_for_each_scored_image(evaluation: Evaluation, tmp_path: Path) -> None:
    write_evaluation(tmp_path / "new" / "folder", evaluation)
    with (tmp_path / "new" / "folder" / "per_image.csv").open(newline="") as file:
        rows = list(csv.DictReader(file))
    assert [row["id"] for row in rows] == ["a", "b"]
    assert list(rows[0]) == ["id", "tp", "fp", "fn", "tn", *OVERLAP_SCORES]
    assert [rows[1][name] for name in ("tp", "fp", "fn", "tn")] == ["12", "0", "8", "40"]
    assert [float(row["dice"]) for row in rows] == [1.0, 24 / 32]


def test_a_file_name_that_is_no_text_can_be_written(
    lesion: NDArray[np.bool_], make_masks: Callable[..., Path], tmp_path: Path
) -> None:
    folder = make_masks("masks", {"m\udce4l": lesion})
    write_evaluation(tmp_path, evaluate_masks(folder, folder))
    assert "m\\udce4l,20" in (tmp_path / "per_image.csv").read_text()


def test_a_folder_that_cannot_be_made_is_an_output_error(
    evaluation: Evaluation, tmp_path: Path
) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(OutputError, match="file: the folder cannot be made"):
        write_evaluation(tmp_path / "file", evaluation)


def test_without_polars_the_missing_extra_is_named() -> None:
    code = "import sys; sys.modules['polars'] = None; import dermseg.metrics, dermseg.evaluation"
    result = subprocess.run(
        [sys.executable, "-c", code], check=False, capture_output=True, text=True
    )
    assert result.stderr.strip().endswith(
        "MissingExtraError: evaluation needs the extra 'eval': pip install 'dermseg[eval]'"
    )
