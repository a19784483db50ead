from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from pathlib import Path
from subprocess import CompletedProcess

import numpy as np
import pytest

from dermseg.images import read_mask, write_mask

Run = Callable[..., CompletedProcess[str]]


@pytest.mark.slow
def test_a_model_leaves_a_report_and_its_masks(
    dermseg: Run, dark_package: Path, disc_dataset: Path, tmp_path: Path
) -> None:
    out = tmp_path / "eval"
    call = ["evaluate", "--model", dark_package, "-o", out, "--images", disc_dataset / "images"]
    result = dermseg(*call, "--masks", disc_dataset / "masks")
    assert result.returncode == 0, result.stderr
    assert sorted(path.name for path in out.iterdir()) == [
        "files.csv",
        "masks",
        "per_image.csv",
        "per_image.parquet",
        "report.html",
        "summary.json",
    ]
    page = (out / "report.html").read_text()
    value = json.loads((out / "summary.json").read_text())["aggregates"]["mean_jaccard"]["value"]
    assert f"{value:.4f}" in page
    assert "data:image/jpeg;base64," in page
    assert read_mask(out / "masks" / "disc_00_segmentation.png").any()
    assert len((out / "files.csv").read_text().splitlines()) == 21
    assert "skin_ita" in (out / "per_image.csv").read_text().splitlines()[0]

    # The kept masks score the same, against the dataset and against the folder.
    again = tmp_path / "again"
    sources = ["--images", disc_dataset / "images", "--masks", disc_dataset / "masks"]
    result = dermseg("evaluate", *sources, "--predictions", out / "masks", "-o", again, "--json")
    assert json.loads(result.stdout)["aggregates"]["mean_jaccard"]["value"] == value
    folders = ["--truth", disc_dataset / "masks", "--predictions", out / "masks"]
    third = tmp_path / "third"
    result = dermseg(
        "evaluate", *folders, "--images", disc_dataset / "images", "-o", third, "--json"
    )
    assert json.loads(result.stdout)["aggregates"]["mean_jaccard"]["value"] == value
    assert "data:image/jpeg;base64," in (third / "report.html").read_text()


@pytest.mark.slow
def test_a_report_can_be_left_out_and_an_old_one_goes(
    dermseg: Run, disc_dataset: Path, tmp_path: Path
) -> None:
    masks = disc_dataset / "masks"
    call = ["evaluate", "--truth", masks, "--predictions", masks, "-o", tmp_path, "--no-boundary"]
    assert dermseg(*call).returncode == 0
    assert (tmp_path / "report.html").is_file()
    assert dermseg(*call, "--no-report").returncode == 0
    assert not (tmp_path / "report.html").exists()


def test_strict_leaves_nothing_of_a_model(
    dermseg: Run, dark_package: Path, disc_dataset: Path, tmp_path: Path
) -> None:
    images, masks = (shutil.copytree(disc_dataset / n, tmp_path / n) for n in ("images", "masks"))
    write_mask(masks / "disc_03_segmentation.png", np.ones((5, 5), np.bool_))
    call = ["evaluate", "--model", dark_package, "--images", images, "--masks", masks]
    result = dermseg(*call, "-o", tmp_path / "eval", "--strict")
    assert result.returncode == 3
    assert not (tmp_path / "eval").exists()


def test_masks_beside_the_output_are_not_overwritten(
    dermseg: Run, dark_package: Path, disc_dataset: Path, tmp_path: Path
) -> None:
    images, masks = (shutil.copytree(disc_dataset / n, tmp_path / n) for n in ("images", "masks"))
    before = {path.name: path.read_bytes() for path in masks.iterdir()}
    call = ["evaluate", "--model", dark_package, "--images", images, "--masks", masks]
    result = dermseg(*call, "-o", tmp_path)
    assert result.returncode == 2
    assert "not from an evaluation" in result.stderr
    assert {path.name: path.read_bytes() for path in masks.iterdir()} == before


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (["--truth", "t", "--predictions", "p", "--data", "d"], "both say what to score against"),
        (["--truth", "t", "--predictions", "p", "--masks", "m"], "both say what to score against"),
        (["--truth", "t"], "without --predictions"),
        (["--data", "d", "--split", "test", "--predictions", "p", "--model", "fast"], "one of"),
        (["--predictions", "p"], "give --truth and --predictions"),
        (["--images", "i", "--predictions", "p"], "without --masks: give both folders"),
        (["--truth", "t", "--predictions", "p", "--images", "gone"], "no such folder"),
    ],
)
def test_options_that_clash_are_explained(
    dermseg: Run, tmp_path: Path, options: list[str], message: str
) -> None:
    result = dermseg("evaluate", "-o", tmp_path / "out", *options)
    assert result.returncode == 2
    assert message in " ".join(result.stderr.split())
    assert not (tmp_path / "out").exists()
