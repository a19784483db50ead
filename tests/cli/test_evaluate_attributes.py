"""``dermseg evaluate`` for attributes."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from dermseg.images import write_image, write_mask

Run = Callable[..., "subprocess.CompletedProcess[str]"]
MakePackage = Callable[..., Path]
GREEN = (40, 120, 40)


@pytest.fixture
def dataset(tmp_path: Path) -> Path:
    """Eight images of one size with a dark lesion; globules, green, are in every other one."""
    root = tmp_path / "isic2018"
    images, truth = (
        root / f"ISIC2018_{name}"
        for name in ("Task1-2_Training_Input", "Task2_Training_GroundTruth_v3")
    )
    for folder in (images, truth):
        folder.mkdir(parents=True)
    for number in range(8):
        image = np.full((96, 128, 3), (225, 190, 170), np.uint8)
        image[16:80, 32:96] = (90, 60, 50)
        mask = np.zeros((96, 128), np.bool_)
        mask[30:62, 40:72] = number % 2 == 0
        image[mask] = GREEN
        write_image(images / f"ISIC_{number:07}.png", image)
        for name in ("globules", "streaks"):
            write_mask(truth / f"ISIC_{number:07}_attribute_{name}.png", mask & (name != "streaks"))
    return root


def _split(path: Path) -> Path:
    ids = [f"ISIC_{number:07}" for number in range(8)]
    content = {"source": "seeded", "seed": 0, "fractions": {}, "parts": {"test": ids}}
    path.write_text(json.dumps(content))
    return path


@pytest.mark.slow
def test_a_model_of_attributes_is_scored_by_class(
    dermseg: Run, color_package: MakePackage, dataset: Path, tmp_path: Path
) -> None:
    table = tmp_path / "presence.csv"
    lines = ["id,milia_like_cyst", *(f"ISIC_{number:07},{number % 2}" for number in range(8))]
    table.write_text("\n".join(lines))
    out, split = tmp_path / "out", _split(tmp_path / "split.json")
    call = ("evaluate", "--model", color_package(), "--data", dataset, "--split", "test")
    result = dermseg(*call, "--split-file", split, "--presence", table, "-o", out)
    assert result.returncode == 0, result.stderr
    assert result.stdout.startswith("16 masks of 8 images scored of ")
    assert "protocol isic2018_task2" in result.stdout
    summary = json.loads((out / "summary.json").read_text())
    assert summary["protocol"] == "isic2018_task2"
    # Nobody has said where milia-like cysts are: they have no figures of pixels.
    assert list(summary["classes"]) == ["all", "globules", "streaks"]
    assert summary["classes"]["globules"]["figures"]["jaccard"]["value"] > 0.8
    presence = summary["presence"]
    assert list(presence["classes"]) == ["globules", "milia_like_cyst"]
    assert presence["classes"]["globules"]["auc"]["value"] == 1
    assert presence["undecided"] == ["streaks"]
    assert "area: share of the image, of the lesions that the model found" in result.stdout
    assert "better than area alone: globules" in result.stdout
    assert "streaks: all images are known to show it, or all not to" in result.stdout
    assert len(list((out / "masks").iterdir())) == 16
    assert (out / "per_image.csv").read_text().startswith("id,image,class,")


def test_folders_of_masks_of_attributes_get_the_same_table(
    dermseg: Run, dataset: Path, tmp_path: Path
) -> None:
    truth = dataset / "ISIC2018_Task2_Training_GroundTruth_v3"
    out = tmp_path / "out"
    call = ("evaluate", "--truth", truth, "--predictions", truth, "-o", out, "--no-boundary")
    result = dermseg(*call)
    assert result.returncode == 0, result.stderr
    classes = json.loads((out / "summary.json").read_text())["classes"]
    assert list(classes) == ["all", "globules", "streaks"]
    assert classes["globules"]["figures"]["jaccard"] == {"value": 1.0, "low": 1.0, "high": 1.0}
    assert "pixel AUC" not in result.stdout


def test_presence_needs_a_model(dermseg: Run, dataset: Path, tmp_path: Path) -> None:
    call = ("evaluate", "--truth", dataset, "--predictions", dataset, "-o", tmp_path / "out")
    result = dermseg(*call, "--presence", tmp_path / "presence.csv")
    assert result.returncode == 2
    assert "give --model instead of --predictions" in result.stderr
