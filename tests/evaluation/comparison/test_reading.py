from __future__ import annotations

import math
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from dermseg.errors import DatasetError
from dermseg.evaluation import Measures, evaluate_masks, write_evaluation
from dermseg.evaluation.comparison import read_evaluation

Write = Callable[..., Path]


def test_what_was_written_is_read_back(
    lesion: NDArray[np.bool_], make_masks: Callable[..., Path], tmp_path: Path
) -> None:
    thinner = lesion & (np.arange(10) < 5)
    nothing = np.zeros_like(lesion)
    evaluation = evaluate_masks(
        make_masks("truth", {"a": lesion, "b": lesion, "c": nothing}),
        make_masks("predictions", {"a": lesion, "b": thinner, "c": lesion}),
        measures=Measures(boundary=True),
    )
    write_evaluation(tmp_path / "eval", evaluation, about={"model": "m", "part": "test"})
    stored = read_evaluation(tmp_path / "eval")
    assert (stored.name, stored.ids, stored.summary.part) == ("m", ("a", "b", "c"), "test")
    assert stored.counts.tolist() == [[20, 0, 0, 40], [12, 0, 8, 40], [0, 20, 0, 40]]
    for name, values in stored.scores.items():
        expected = [score.value(name) for score in evaluation.scores]
        assert np.array_equal(values, expected, equal_nan=True), name
    assert math.isnan(stored.scores["relative_hausdorff_95"][2])
    assert stored.groups is None
    assert stored.summary.tolerances["normalized_surface_distance"] == 3.0


def test_without_a_model_the_folder_gives_the_name(write: Write) -> None:
    assert read_evaluation(write("mine", {"jaccard": [0.5]})).name == "mine"


def test_a_selection_keeps_rows_together(write: Write) -> None:
    counts = [(1, 0, 0, 9), (2, 0, 0, 8), (3, 0, 0, 7)]
    folder = write(
        "a", {"dice": [0.1, 0.2, 0.3]}, ids=["x", "y", "z"], groups=["1", "2", "3"], counts=counts
    )
    chosen = read_evaluation(folder).select(("z", "x"))
    assert chosen.groups == ("3", "1")
    assert chosen.counts[:, 0].tolist() == [3, 1]
    assert chosen.scores["dice"].tolist() == [0.3, 0.1]


@pytest.mark.parametrize("cell", ["", "nan", "NaN"])
def test_an_empty_cell_is_an_undefined_score(write: Write, cell: str) -> None:
    folder = write("a", {"dice": [0.5, 0.6]})
    _replace(folder, "0.6", cell)
    assert np.isnan(read_evaluation(folder).scores["dice"]).tolist() == [False, True]


@pytest.mark.parametrize("name", ["summary.json", "per_image.csv"])
def test_a_folder_without_the_files_is_no_evaluation(write: Write, name: str) -> None:
    folder = write("a", {"jaccard": [0.5]})
    (folder / name).unlink()
    with pytest.raises(DatasetError, match=f"holds no evaluation, it has no {name}.*evaluate -o"):
        read_evaluation(folder)


def test_a_path_that_is_no_folder_is_named(tmp_path: Path) -> None:
    with pytest.raises(DatasetError, match="nowhere: no such folder"):
        read_evaluation(tmp_path / "nowhere")
    (tmp_path / "file").touch()
    with pytest.raises(DatasetError, match="file: is no folder"):
        read_evaluation(tmp_path / "file")


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("{", "not the summary of an evaluation: Expecting property name"),
        ("[]", "not the summary of an evaluation"),
        ("{}", "protocol: Field required"),
        ('{"protocol": "isic", "num_skipped": "many"}', "num_skipped: "),
    ],
)
def test_a_damaged_summary_is_refused(write: Write, content: str, message: str) -> None:
    folder = write("a", {"jaccard": [0.5]})
    (folder / "summary.json").write_text(content)
    with pytest.raises(DatasetError, match=f"summary.json: .*{message}"):
        read_evaluation(folder)


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("0.75", "high", "row 3: jaccard is 'high', expected a number, or nothing"),
        ("0.75", "inf", "row 3: jaccard is 'inf'"),
        ("image_001,50", "image_001,-50", "row 3: tp is '-50', expected a number of pixels"),
        ("image_001,50", "image_001,50.5", "row 3: tp is '50.5'"),
        ("image_001", "image_000", "row 3: the id 'image_000' is there twice"),
        ("0.75\n", "0.75,1\n", "the table has 7 cells there, expected 6"),
        ("tp,", "hits,", "columns are missing: tp"),
        ("tp,fp", "fp,fp", "the table has two columns of one name"),
        ("tp,fp,fn,tn", "tp,fp,fn,tn,tp", "the table has two columns of one name"),
    ],
)
def test_a_damaged_table_is_refused(write: Write, old: str, new: str, message: str) -> None:
    folder = write("a", {"jaccard": [0.5, 0.75]})
    _replace(folder, old, new)
    with pytest.raises(DatasetError, match=rf"per_image\.csv.*{message}"):
        read_evaluation(folder)


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"", "columns are missing: id"),
        (b"\xff\xfe\x00", "not CSV in UTF-8: it holds null characters"),
        (b"id,tp,fp,fn,tn,jaccard\n", "the table has no images"),
    ],
)
def test_what_is_no_table_is_refused(write: Write, content: bytes, message: str) -> None:
    folder = write("a", {"jaccard": [0.5]})
    (folder / "per_image.csv").write_bytes(content)
    with pytest.raises(DatasetError, match=message):
        read_evaluation(folder)


def _replace(folder: Path, old: str, new: str) -> None:
    path = folder / "per_image.csv"
    text = path.read_text()
    assert old in text
    path.write_text(text.replace(old, new))
