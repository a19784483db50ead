from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from dermseg.errors import OutputError, UsageError
from dermseg.evaluation import (
    Evaluation,
    ImageFiles,
    evaluate_predictions,
    read_files,
    staged_masks,
    write_evaluation,
)
from dermseg.images import write_mask

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
