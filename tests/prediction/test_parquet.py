"""Large runs get their table as Parquet too, with the same values."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

import numpy as np
import polars
import pytest

from dermseg.errors import OutputError
from dermseg.images import write_image
from dermseg.prediction import OutputOptions, load_model, open_output, plan_jobs
from dermseg.prediction.output import predict_jobs
from dermseg.prediction.parquet import copy_as_parquet
from dermseg.prediction.table import Table, read_rows
from dermseg.storage import Folder

Disc = Callable[..., tuple[np.ndarray, np.ndarray]]


@pytest.fixture
def table(tmp_path: Path) -> Path:
    with Table(Folder(tmp_path)) as rows:
        rows.add_row({"file": 'a, "b"\n.jpg', "mask": "a.png", "width": 3, "area_share": 0.25})
        rows.add_row({"file": os.fsdecode(b"m\xe4l.jpg"), "error": "the file is empty"})
        rows.add_row({"file": "007", "mask": "7.png", "num_regions": 2, "perimeter": 12.0})
    return tmp_path / "predictions.csv"


def test_values_have_types_and_empty_cells_are_null(table: Path) -> None:
    copy_as_parquet(Folder(table.parent))
    frame = polars.read_parquet(table.with_suffix(".parquet"))
    assert frame["file"].to_list() == ['a, "b"\n.jpg', "m\ufffdl.jpg", "007"]
    assert frame["width"].to_list() == [3, None, None]
    assert frame["num_regions"].dtype == polars.Int64
    assert frame["perimeter"].to_list() == [None, None, 12.0]
    assert frame["area_share"].dtype == frame["seconds"].dtype == polars.Float64
    assert frame["error"].to_list() == [None, "the file is empty", None]
    assert frame.columns == list(read_rows(table.parent)[0])
    assert sorted(path.name for path in table.parent.iterdir()) == [
        "predictions.csv",
        "predictions.parquet",
    ]


def test_a_place_that_cannot_be_written_is_named(table: Path) -> None:
    table.with_suffix(".parquet").mkdir()
    with pytest.raises(OutputError, match=r"predictions\.parquet: cannot be written"):
        copy_as_parquet(Folder(table.parent))
    assert not list(table.parent.glob(".*"))


@pytest.mark.parametrize("num_kept", [9_998, 9_999])
def test_it_is_written_from_ten_thousand_rows_on(
    dark_package: Path, tmp_path: Path, disc: Disc, num_kept: int
) -> None:
    photo, out = tmp_path / "photo.jpg", tmp_path / "out"
    write_image(photo, disc((60, 80), centre=(40, 30), radius=20)[0])
    predictor = load_model(dark_package, runtime="onnx")
    jobs = plan_jobs([photo], recursive=False)
    todo, _ = open_output(out, jobs, predictor, OutputOptions(), existing="refuse")
    kept = [{"file": f"{number}.jpg", "mask": f"{number}.png"} for number in range(num_kept)]
    assert sum(1 for _ in predict_jobs(predictor, todo, out, OutputOptions(), kept=kept)) == 1
    parquet = out / "predictions.parquet"
    assert parquet.is_file() == (num_kept == 9_999)
    if parquet.is_file():
        assert polars.read_parquet(parquet)["file"].to_list()[-2:] == ["9998.jpg", str(photo)]
