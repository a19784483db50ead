"""``dermseg data prepare`` as a user calls it."""

from __future__ import annotations

import json
import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

Dermseg = Callable[..., "subprocess.CompletedProcess[str]"]


@pytest.fixture
def data(tmp_path: Path, disc_dataset: Path) -> Path:
    return shutil.copytree(disc_dataset, tmp_path / "data")


def test_report_says_what_was_done(tmp_path: Path, dermseg: Dermseg, data: Path) -> None:
    command = ("data", "prepare", "unet-isic2017", "--data", data, "-o", tmp_path / "cache")
    result = dermseg(*command)
    assert result.returncode == 0, result.stderr
    # 20 pairs of 25 bits per pixel at 96x128 and 192x256.
    assert result.stdout == (
        f"{tmp_path / 'cache'}: 20 images prepared, 0 kept; 3.8 MB at 96x128, 192x256\n"
    )
    assert result.stderr == ""
    (data / "images" / "disc_03.png").unlink()
    result = dermseg(*command, "--set", "training.progressive_resizing=[]", "--workers", 1)
    assert result.stdout == (
        f"{tmp_path / 'cache'}: 0 images prepared, 19 kept; 2.9 MB at 192x256\n"
    )


def test_unreadable_image_is_named_and_the_code_is_1(
    tmp_path: Path, dermseg: Dermseg, data: Path
) -> None:
    (data / "images" / "disc_03.png").write_bytes(b"damaged")
    result = dermseg(
        "data", "prepare", "unet-isic2017", "--data", data, "-o", tmp_path / "cache", "--json"
    )
    assert result.returncode == 1
    summary = json.loads(result.stdout)
    assert summary["num_prepared"] == 19
    (failure,) = summary["failures"]
    assert failure["id"] == "disc_03"
    assert f"dermseg: {failure['error']}" in result.stderr
    assert str(data / "images" / "disc_03.png") in failure["error"]


def test_wrong_calls_are_one_line(tmp_path: Path, dermseg: Dermseg, data: Path) -> None:
    result = dermseg("data", "prepare", "unet-isic2017", "--data", data, "-o", data)
    assert result.returncode == 2
    assert "holds something else than a cache" in result.stderr
    shutil.rmtree(data / "masks")
    (data / "masks").mkdir()
    result = dermseg("data", "prepare", "unet-isic2017", "--data", data, "-o", tmp_path / "cache")
    assert result.returncode == 2
    assert not (tmp_path / "cache").exists()


@pytest.mark.slow
def test_attributes_are_prepared_and_previewed(
    tmp_path: Path, dermseg: Dermseg, attribute_dataset: Path
) -> None:
    data = shutil.copytree(attribute_dataset, tmp_path / "data")
    masks = data / "ISIC2018_Task2_Training_GroundTruth_v3"
    for path in masks.glob("ISIC_0000003*"):
        path.unlink()
    settings = [
        *("--set", 'classes=["streaks", "globules"]'),
        *("--set", "lesion_crop={ margin = 0.2, inside_only = true }"),
        *("--set", "preprocessing.size=[48, 64]"),
    ]
    command = ("data", "prepare", "unet-isic2018", "--data", data, "-o", tmp_path / "cache")
    result = dermseg(*command, *settings)
    assert result.returncode == 0, result.stderr
    assert "11 images prepared, 0 kept" in result.stdout
    lengths = {path.stat().st_size for path in (tmp_path / "cache").iterdir()}
    assert lengths == {4 + 3 + 48 * 64 // 8 * 27}  # three classes: streaks, globules and the lesion
    table = tmp_path / "presence.csv"
    table.write_text("id,streaks\nISIC_0000003,1\n")
    result = dermseg(*command, *settings, "--presence", table)
    assert "1 images prepared, 11 kept" in result.stdout
    table.write_text("id,streaks\nISIC_0000003,2\n")
    result = dermseg(*command, *settings, "--presence", table)
    assert result.returncode == 2
    assert "line 2: streaks is '2'" in result.stderr
