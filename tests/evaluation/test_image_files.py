from __future__ import annotations

import shutil
import zipfile
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from dermseg.errors import DatasetError
from dermseg.evaluation import ImageFiles, evaluate_masks, read_files, write_evaluation
from dermseg.evaluation.image_files import write_files
from dermseg.images import read_mask_values


def test_files_come_back_as_they_were_written(tmp_path: Path) -> None:
    outside = tmp_path / "truth" / "a.png"
    evaluation = tmp_path / "eval"
    evaluation.mkdir()
    files = {"a": ImageFiles(None, outside, evaluation / "masks" / "a.png")}
    write_files(evaluation, ["a", "b, c"], files)
    rows = (evaluation / "files.csv").read_text().splitlines()
    assert rows[1] == f"a,,{outside},masks/a.png"
    assert rows[2] == '"b, c",,,'
    assert read_files(evaluation) == {**files, "b, c": ImageFiles()}


def test_a_moved_evaluation_finds_its_masks(tmp_path: Path) -> None:
    first = tmp_path / "first"
    first.mkdir()
    write_files(first, ["a"], {"a": ImageFiles(prediction=first / "masks" / "a.png")})
    shutil.move(first, tmp_path / "second")
    found = read_files(tmp_path / "second")["a"].prediction
    assert found == tmp_path / "second" / "masks" / "a.png"


def test_members_of_archives_come_back(
    lesion: NDArray[np.bool_], make_masks: Callable[..., Path], tmp_path: Path
) -> None:
    folder = make_masks("truth", {"a": lesion})
    with zipfile.ZipFile(tmp_path / "masks.zip", "w") as archive:
        archive.write(folder / "a.png", "inner/a_segmentation.png")
    write_evaluation(tmp_path / "eval", evaluate_masks(folder, tmp_path / "masks.zip"))
    assert "masks.zip!inner/a_segmentation.png" in (tmp_path / "eval" / "files.csv").read_text()
    prediction = read_files(tmp_path / "eval")["a"].prediction
    assert isinstance(prediction, zipfile.Path)
    assert (read_mask_values(prediction.read_bytes()) > 0).sum() == lesion.sum()
    (tmp_path / "masks.zip").unlink()
    assert read_files(tmp_path / "eval")["a"].prediction is None


def test_a_folder_without_the_table_knows_no_files(tmp_path: Path) -> None:
    assert read_files(tmp_path) == {}


def test_another_table_is_refused(tmp_path: Path) -> None:
    (tmp_path / "files.csv").write_text("id,image\na,b\n")
    with pytest.raises(DatasetError, match="expected the columns id,image,truth,prediction"):
        read_files(tmp_path)


def test_a_name_that_is_no_text_comes_back(tmp_path: Path) -> None:
    files = {"m\udce4l": ImageFiles(truth=tmp_path / "m\udce4l.png")}
    write_files(tmp_path, files, files)
    assert read_files(tmp_path) == files
