"""Datasets with attributes, through the installed entry point."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from dermseg.images import write_image, write_mask

Run = Callable[..., "subprocess.CompletedProcess[str]"]
ATTRIBUTES = ("globules", "milia_like_cyst", "negative_network", "pigment_network", "streaks")


@pytest.fixture
def task2(tmp_path: Path) -> Path:
    """Four training images of ISIC 2018 Task 2; the first two have streaks."""
    root = tmp_path / "isic2018"
    images, masks = (
        root / f"ISIC2018_{name}"
        for name in ("Task1-2_Training_Input", "Task2_Training_GroundTruth_v3")
    )
    for folder in (images, masks):
        folder.mkdir(parents=True)
    for number in range(4):
        write_image(images / f"ISIC_{number:07}.jpg", np.full((6, 8, 3), 90, np.uint8))
        for name in ATTRIBUTES:
            mask = np.zeros((6, 8), np.bool_)
            mask[2:4] = name == "streaks" and number < 2
            write_mask(masks / f"ISIC_{number:07}_attribute_{name}.png", mask)
    return root


def test_the_list_names_the_attributes_of_each_dataset(dermseg: Run) -> None:
    lines = dermseg("data", "list").stdout.splitlines()
    (isic2017,) = (line for line in lines if line.startswith("isic2017: "))
    assert "attributes: pigment_network, negative_network, milia_like_cyst, streaks;" in isic2017
    assert "globules" not in isic2017
    (isic2018,) = (line for line in lines if line.startswith("isic2018: "))
    assert f"attributes: {', '.join(ATTRIBUTES)};" in isic2018
    assert not any(
        "attributes: " in line for line in lines if "2018" not in line and "2017" not in line
    )


def test_check_counts_attributes_and_names_missing_and_additional_files(
    dermseg: Run, task2: Path
) -> None:
    result = dermseg("data", "check", task2)
    assert result.returncode == 0
    assert result.stdout.splitlines() == [
        "isic2018: 4 images, 0 with a mask, 4 groups, train 4; 0 problems",
        "globules: in 0 of 4 images",
        "milia_like_cyst: in 0 of 4 images",
        "negative_network: in 0 of 4 images",
        "pigment_network: in 0 of 4 images",
        "streaks: in 2 of 4 images",
    ]
    masks = task2 / "ISIC2018_Task2_Training_GroundTruth_v3"
    missing = masks / "ISIC_0000000_attribute_streaks.png"
    missing.rename(masks / "ISIC_0000000_attribute_veil.png")
    result = dermseg("data", "check", task2, "--json")
    assert result.returncode == 1
    report = json.loads(result.stdout)
    streaks = report["attributes"]["streaks"]
    assert Path(streaks.pop("example")).name == "ISIC_0000000.jpg"
    assert streaks == {"num_known": 3, "num_present": 1, "num_unknown": 1}
    assert [(found["kind"], Path(found["path"]).name) for found in report["problems"]] == [
        ("orphan", "ISIC_0000000_attribute_veil.png"),
    ]


def test_check_has_no_problem_with_an_attribute_that_is_known_of_some_images_only(
    dermseg: Run, task2: Path
) -> None:
    masks = task2 / "ISIC2018_Task2_Training_GroundTruth_v3"
    for number in (0, 2):
        (masks / f"ISIC_{number:07}_attribute_streaks.png").unlink()
    result = dermseg("data", "check", task2)
    assert result.returncode == 0
    lines = result.stdout.splitlines()
    assert lines[0].endswith("; 0 problems")
    assert lines[-1] == (
        "streaks: in 1 of 2 images; not known of 2 images, for example ISIC_0000000.jpg"
    )
    for number in (1, 3):
        (masks / f"ISIC_{number:07}_attribute_streaks.png").unlink()
    result = dermseg("data", "check", task2)
    assert result.returncode == 1
    assert result.stdout.splitlines()[-1] == f"{task2}: gap: no image has a mask of streaks"


def test_split_names_what_is_not_known(dermseg: Run, task2: Path, tmp_path: Path) -> None:
    masks = task2 / "ISIC2018_Task2_Training_GroundTruth_v3"
    for number in (1, 3):
        (masks / f"ISIC_{number:07}_attribute_globules.png").unlink()
    (masks / "ISIC_0000002_attribute_streaks.png").unlink()
    call = ("data", "split", task2, "-o", tmp_path / "split.json")
    result = dermseg(*call, "--fractions", 0.5, 0.25, 0.25)
    assert result.returncode == 0
    assert "isic2018: train 2, validation 1, test 1" in result.stdout
    assert result.stderr.splitlines() == [
        "not known: globules of 2 images, for example ISIC_0000001.jpg",
        "not known: streaks of 1 image, ISIC_0000002.jpg",
    ]
