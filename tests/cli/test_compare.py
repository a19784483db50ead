"""``dermseg compare``, as a user calls it."""

from __future__ import annotations

import csv
import json
import runpy
import shlex
import subprocess
from collections.abc import Callable
from pathlib import Path

import numpy as np
import polars
import pytest

from dermseg.images import read_image, read_mask, write_mask

Run = Callable[..., "subprocess.CompletedProcess[str]"]

DOCS = Path(__file__).parents[2] / "docs"


@pytest.fixture(scope="module")
def example(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The generated masks of the documentation."""
    folder = tmp_path_factory.mktemp("documented")
    write_example = runpy.run_path(str(DOCS / "make_comparison_example.py"))["main"]
    write_example(folder / "example")
    return folder


@pytest.fixture(scope="module")
def evaluated(dermseg: Run, example: Path) -> Path:
    """Their evaluations."""
    for name in ("steady", "similar", "coarse"):
        masks = example / "example"
        call = ("--truth", masks / "truth", "--predictions", masks / name)
        result = dermseg("evaluate", *call, "-o", example / "scores" / name)
        assert result.returncode == 0, result.stderr
    return example / "scores"


@pytest.fixture(scope="module")
def models(
    dermseg: Run, disc_dataset: Path, dark_package: Path, tmp_path_factory: pytest.TempPathFactory
) -> tuple[Path, Path]:
    """Evaluations of two models with probabilities, on the same 20 images."""
    root = tmp_path_factory.mktemp("models")
    for name in ("dark", "fast"):
        model = dark_package if name == "dark" else name
        call = ("--images", disc_dataset / "images", "--masks", disc_dataset / "masks")
        result = dermseg("evaluate", "--model", model, *call, "-o", root / name)
        assert result.returncode == 0, result.stderr
    return root / "dark", root / "fast"


def test_the_documented_example_prints_what_the_documentation_says(
    dermseg: Run, example: Path, evaluated: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    text = (DOCS / "compare.md").read_text()
    block = text.split("```text\n")[1].split("```")[0]
    call, _, expected = block.partition("\n")
    assert call.startswith("$ dermseg compare scores/steady scores/similar scores/coarse")
    monkeypatch.chdir(example)
    result = dermseg(*shlex.split(call)[2:])
    assert result.returncode == 0, result.stderr
    assert result.stdout == expected
    assert evaluated.is_dir()


@pytest.mark.slow
def test_the_files_say_the_same_as_the_terminal(
    dermseg: Run, evaluated: Path, tmp_path: Path
) -> None:
    out = tmp_path / "compared"
    folders = (evaluated / "steady", evaluated / "coarse")
    result = dermseg("compare", *folders, "-o", out, "--json")
    assert result.returncode == 0, result.stderr
    summary = json.loads(result.stdout)
    assert summary == json.loads((out / "comparison.json").read_text())
    assert [row["name"] for row in summary["ranking"]] == ["steady", "coarse"]
    (pair,) = summary["pairs"]
    assert pair["num_wins"] + pair["num_ties"] + pair["num_losses"] == summary["num_images"] == 40
    assert pair["told_apart"]
    assert summary["conclusions"][0].startswith("steady is better than coarse on these 40 images")
    with (out / "scores.csv").open(newline="") as file:
        rows = list(csv.DictReader(file))
    assert list(rows[0]) == ["id", "jaccard steady", "jaccard coarse", "dice steady", "dice coarse"]
    assert np.mean([float(row["dice steady"]) for row in rows]) == pytest.approx(
        summary["ranking"][0]["other_means"]["dice"]["value"]
    )
    table = polars.read_parquet(out / "scores.parquet")
    assert table["dice coarse"].to_list() == [float(row["dice coarse"]) for row in rows]
    printed = dermseg("compare", *folders).stdout
    for name in summary["differences"]:
        assert f"\n{name} " in printed


def test_models_get_a_table_of_dice_and_cross_entropy(
    dermseg: Run, models: tuple[Path, Path], tmp_path: Path
) -> None:
    result = dermseg("compare", *models, "-o", tmp_path, "--score", "cross_entropy")
    assert result.returncode == 0, result.stderr
    assert "by cross_entropy: less is better" in result.stdout
    header, *_ = (tmp_path / "scores.csv").read_text().splitlines()
    # The shipped model was trained on photographs, and knows that it may be wrong.
    assert header == "id,cross_entropy dark,cross_entropy fast,dice dark,dice fast"


@pytest.mark.slow
def test_a_ranking_of_equal_models_says_so(dermseg: Run, evaluated: Path, tmp_path: Path) -> None:
    copy = tmp_path / "copy"
    copy.mkdir()
    for path in (evaluated / "steady").glob("*.*"):
        (copy / path.name).write_bytes(path.read_bytes())
    result = dermseg("compare", evaluated / "steady", copy)
    assert "steady and copy cannot be told apart on these 40 images" in result.stdout
    assert "the images that differ most" not in result.stdout


@pytest.mark.slow
def test_the_pictures_show_both_contours(dermseg: Run, evaluated: Path, tmp_path: Path) -> None:
    folders = (evaluated / "steady", evaluated / "coarse")
    result = dermseg("compare", *folders, "-o", tmp_path, "--pictures", 4)
    assert result.stderr == ""
    sheet = read_image(tmp_path / "differences.jpg")
    assert sheet.shape == (4 * (96 + 30), 3 * (128 + 8), 3)
    # The first mask of the first row: yellow where the truth ends, blue where the mask does.
    cell = sheet[22 : 22 + 96, 140 : 140 + 128].astype(int)
    assert (cell[..., 0] - cell[..., 2] > 80).any()
    assert (cell[..., 2] - cell[..., 0] > 80).any()
    assert (tmp_path / "comparison.html").read_text().count("<img ") == 4 * 3


@pytest.mark.slow
def test_pictures_that_cannot_be_drawn_are_said(
    dermseg: Run, evaluated: Path, tmp_path: Path
) -> None:
    folders = []
    for name in ("steady", "coarse"):
        folders.append(tmp_path / name)
        folders[-1].mkdir()
        for file in ("summary.json", "per_image.csv"):
            (folders[-1] / file).write_bytes((evaluated / name / file).read_bytes())
    out = tmp_path / "out"
    result = dermseg("compare", evaluated / "steady", folders[1], "-o", out)
    assert "warning: 12 masks of coarse were not found and are not shown" in result.stderr
    assert (out / "differences.jpg").exists()
    result = dermseg("compare", *folders, "-o", out)
    assert "no picture of 12 of the 12 images to show" in result.stderr
    assert not (out / "differences.jpg").exists()


@pytest.mark.slow
def test_models_are_shown_on_their_images(
    dermseg: Run, models: tuple[Path, Path], tmp_path: Path
) -> None:
    # Both find every pixel of the discs, and are not equally sure of them.
    call = ("--score", "cross_entropy", "--pictures", 2)
    result = dermseg("compare", *models, "-o", tmp_path, *call)
    assert (result.returncode, result.stderr) == (0, "")
    sheet = read_image(tmp_path / "differences.jpg")
    # Light skin above the disc, left of the first contour.
    assert np.abs(sheet[24:26, 6:9].astype(int) - (225, 190, 170)).max() < 60


@pytest.mark.slow
def test_other_images_are_refused_and_compared_in_common(
    dermseg: Run, evaluated: Path, example: Path, tmp_path: Path
) -> None:
    masks, fewer = example / "example", tmp_path / "masks"
    fewer.mkdir()
    for path in sorted((masks / "coarse").iterdir())[3:]:
        write_mask(fewer / path.name, read_mask(path))
    call = ("--truth", masks / "truth", "--predictions", fewer)
    dermseg("evaluate", *call, "-o", tmp_path / "fewer")
    folders = (evaluated / "steady", tmp_path / "fewer")
    refused = dermseg("compare", *folders, "-o", tmp_path / "out")
    assert refused.returncode == 2
    assert "fewer lacks 3 (generated_00, generated_01, generated_02)" in refused.stderr
    assert not (tmp_path / "out").exists()
    result = dermseg("compare", *folders, "--common")
    assert result.returncode == 0
    assert "2 models on the same 37 images" in result.stdout
    assert "warning: 3 images of steady are left out" in result.stderr
    assert "warning: fewer skipped 3 images" in result.stderr


@pytest.mark.slow
def test_wrong_calls_are_refused(dermseg: Run, evaluated: Path, tmp_path: Path) -> None:
    steady, coarse = evaluated / "steady", evaluated / "coarse"
    calls: dict[str, list[object]] = {
        "give two or more folders": [steady],
        "this folder was given 2 times": [steady, steady],
        "no such folder": [steady, tmp_path / "nowhere"],
        "holds no evaluation": [steady, tmp_path],
        "--score iou": [steady, coarse, "--score", "iou"],
        "--pictures 101: expected at most 100": [steady, coarse, "--pictures", 101],
    }
    for message, arguments in calls.items():
        result = dermseg("compare", *arguments)
        assert result.returncode == 2, result.stderr
        assert message in result.stderr
    assert dermseg("compare").returncode == 2


@pytest.mark.slow
def test_an_output_that_cannot_be_written_ends_with_3(
    dermseg: Run, evaluated: Path, tmp_path: Path
) -> None:
    (tmp_path / "file").touch()
    folders = (evaluated / "steady", evaluated / "coarse")
    result = dermseg("compare", *folders, "-o", tmp_path / "file")
    assert result.returncode == 3
    assert "the folder cannot be made" in result.stderr
