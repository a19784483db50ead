from __future__ import annotations

import csv
import json
import subprocess
import sys
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from dermseg.errors import OutputError, UsageError
from dermseg.evaluation import (
    Evaluation,
    ImageFiles,
    evaluate_masks,
    evaluate_predictions,
    read_files,
    staged_masks,
    summary,
    write_evaluation,
)
from dermseg.evaluation.score_table import OVERLAP_SCORES
from dermseg.images import write_mask


@pytest.fixture
def evaluation(lesion: NDArray[np.bool_], make_masks: Callable[..., Path]) -> Evaluation:
    truth = make_masks("truth", {"b": lesion, "a": lesion, "c": lesion})
    thinner = lesion & (np.arange(10) < 5)
    return evaluate_masks(truth, make_masks("predictions", {"a": lesion, "b": thinner}))


def test_the_summary_has_the_promised_keys(evaluation: Evaluation, tmp_path: Path) -> None:
    write_evaluation(tmp_path, evaluation)
    content = json.loads((tmp_path / "summary.json").read_text())
    promised = {"protocol", "num_scored", "num_skipped", "aggregates", "warnings"}
    assert set(content) == promised | {"num_extra", "num_questionable", "problems", "protocols"}
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


_MASK = np.eye(8, dtype=np.bool_)


def evaluated(tmp_path: Path, ids: list[str], staging: Path) -> Evaluation:
    for id in ids:
        write_mask(staging / f"{id}_segmentation.png", _MASK)
        write_mask(tmp_path / f"{id}.png", _MASK)
    result = evaluate_predictions((id, _MASK, tmp_path / f"{id}.png") for id in ids)
    files = {id: ImageFiles(prediction=staging / f"{id}_segmentation.png") for id in ids}
    return replace(result, files=files)


def run(tmp_path: Path, ids: list[str]) -> Path:
    folder = tmp_path / "eval"
    with staged_masks(folder) as staged:
        write_evaluation(folder, staged.keep(evaluated(tmp_path, ids, staged.path)))
    return folder


def interrupt(folder: Path) -> None:
    with staged_masks(folder) as staged:
        write_mask(staged.path / "a_segmentation.png", ~_MASK)
        raise KeyboardInterrupt


def test_masks_are_kept_and_nothing_else_stays(tmp_path: Path) -> None:
    folder = run(tmp_path, ["a", "b"])
    assert sorted(path.name for path in (folder / "masks").iterdir()) == [
        "a_segmentation.png",
        "b_segmentation.png",
    ]
    assert read_files(folder)["a"].prediction == folder / "masks" / "a_segmentation.png"
    assert not list(folder.glob(".*"))


def test_the_masks_of_an_earlier_evaluation_go(tmp_path: Path) -> None:
    folder = run(tmp_path, ["a", "b"])
    (folder / "masks" / "mine.png").touch()
    run(tmp_path, ["b", "c"])
    names = sorted(path.name for path in (folder / "masks").iterdir())
    assert names == ["b_segmentation.png", "c_segmentation.png", "mine.png"]


def test_an_error_leaves_nothing_behind(tmp_path: Path) -> None:
    folder = tmp_path / "deep" / "eval"
    with pytest.raises(KeyboardInterrupt):
        interrupt(folder)
    assert not folder.exists()


def test_an_error_leaves_an_earlier_evaluation_as_it_was(tmp_path: Path) -> None:
    folder = run(tmp_path, ["a"])
    before = sorted(folder.rglob("*"))
    with pytest.raises(KeyboardInterrupt):
        interrupt(folder)
    assert sorted(folder.rglob("*")) == before


def test_masks_that_are_not_of_an_evaluation_are_never_touched(tmp_path: Path) -> None:
    (tmp_path / "masks").mkdir()
    with pytest.raises(UsageError, match="not from an evaluation"), staged_masks(tmp_path):
        pass


def test_a_file_in_the_way_is_an_output_error(tmp_path: Path) -> None:
    (tmp_path / "eval").touch()
    with pytest.raises(OutputError, match="cannot be made"), staged_masks(tmp_path / "eval"):
        pass
