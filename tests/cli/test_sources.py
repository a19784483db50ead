"""``--images``, ``--masks`` and ``--groups`` where a dataset's folder is taken."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

Run = Callable[..., "subprocess.CompletedProcess[str]"]


@pytest.fixture
def pair(disc_dataset: Path) -> list[object]:
    return ["--images", disc_dataset / "images", "--masks", disc_dataset / "masks"]


@pytest.fixture
def groups(tmp_path: Path) -> Path:
    path = tmp_path / "groups.csv"
    rows = "".join(f"disc_{number:02d},lesion{number // 4}\n" for number in range(20))
    path.write_text("id,group\n" + rows)
    return path


def test_check_takes_two_folders_and_groups(dermseg: Run, pair: list[object], groups: Path) -> None:
    result = dermseg("data", "check", *pair, "--groups", groups)
    assert result.returncode == 0, result.stderr
    assert result.stdout == "folder: 20 images, 20 with a mask, 5 groups; 0 problems\n"


def test_split_takes_two_folders_and_groups(
    dermseg: Run, pair: list[object], groups: Path, tmp_path: Path
) -> None:
    call = ("data", "split", *pair, "-o", tmp_path / "split.json", "--groups", groups)
    result = dermseg(*call, "--fractions", 0.6, 0.2, 0.2)
    assert result.returncode == 0, result.stderr
    parts = json.loads((tmp_path / "split.json").read_text())["parts"]
    assert [len(ids) for ids in parts.values()] == [12, 4, 4]
    lesions = [{int(id[-2:]) // 4 for id in ids} for ids in parts.values()]
    assert sum(map(len, lesions)) == len(set().union(*lesions)) == 5


@pytest.mark.slow
def test_a_model_is_scored_on_all_images_of_two_folders_or_on_a_part(
    dermseg: Run, pair: list[object], dark_package: Path, tmp_path: Path
) -> None:
    call = ("evaluate", "--model", dark_package, *pair, "--json")
    result = dermseg(*call, "-o", tmp_path / "all")
    assert result.returncode == 0, result.stderr
    summary = json.loads(result.stdout)
    assert (summary["dataset"], summary["part"], summary["num_scored"]) == ("folder", "all", 20)
    result = dermseg(*call, "-o", tmp_path / "part", "--split", "test")
    assert json.loads(result.stdout)["num_scored"] == 2


@pytest.mark.slow
def test_half_a_pair_both_kinds_and_none_are_refused(
    dermseg: Run, disc_dataset: Path, tmp_path: Path
) -> None:
    images, out = disc_dataset / "images", tmp_path / "out"
    half = "was given without --masks: give both folders"
    both = "or --images and --masks, but not both"
    pair = ("--images", images, "--masks", disc_dataset / "masks")
    recipe = "unet-isic2017"
    for call, message in [
        (("data", "check", "--images", images), half),
        (("data", "check", "--masks", images), "was given without --images"),
        (("data", "check"), "no images: give the folder of a dataset, or --images and --masks"),
        (("data", "check", disc_dataset, *pair), both),
        (("data", "split", disc_dataset, *pair, "-o", out), both),
        (("train", recipe, "--images", images, "-o", out), half),
        (("train", recipe, "-o", out), "no images: give --data"),
        (("evaluate", "--images", images, "-o", out), half),
        (("evaluate", "--data", disc_dataset, *pair, "--split", "test", "-o", out), both),
        (("evaluate", *pair, "--truth", images, "-o", out), "both say what to score against"),
        (("evaluate", *pair, "--split-file", images, "-o", out), "without --split"),
    ]:
        result = dermseg(*call)
        assert result.returncode == 2, (call, result.stderr)
        assert message in result.stderr, call
    assert not out.exists()
