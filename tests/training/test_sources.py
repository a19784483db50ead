"""Training on two folders, with groups from a table."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest
import tomlkit

from dermseg.datasets import FolderPair, groups_fingerprint, open_source
from dermseg.recipes import Recipe
from dermseg.training.parts import divide

Run = Callable[..., "subprocess.CompletedProcess[str]"]


@pytest.fixture
def groups(tmp_path: Path) -> Path:
    path = tmp_path / "groups.csv"
    rows = "".join(f"disc_{number:02d},lesion{number // 2}\n" for number in range(20))
    path.write_text("id,group\n" + rows)
    return path


def test_no_group_is_in_two_parts_whatever_the_seed(
    disc_dataset: Path, groups: Path, make_recipe: Callable[..., Recipe]
) -> None:
    pair = FolderPair(disc_dataset / "images", disc_dataset / "masks")
    dataset = open_source(pair, groups=groups)
    for seed in range(5):
        recipe = make_recipe(f"data.seed={seed}")
        parts = divide([dataset], recipe.data)
        named = parts.to_split(seed).parts.values()
        lesions = [{int(id[-2:]) // 2 for id in ids} for ids in named]
        assert sum(map(len, lesions)) == len(set().union(*lesions)) == 10


@pytest.mark.slow
def test_a_run_on_two_folders_records_its_groups_and_resumes_with_them_only(
    dermseg: Run,
    disc_dataset: Path,
    groups: Path,
    make_recipe: Callable[..., Recipe],
    tmp_path: Path,
) -> None:
    recipe, run = tmp_path / "tiny.toml", tmp_path / "run"
    recipe.write_text(tomlkit.dumps(make_recipe("training.epochs=1").to_dict()), "utf-8")
    pair = ("--images", disc_dataset / "images", "--masks", disc_dataset / "masks")
    call = ("train", recipe, *pair, "-o", run, "--workers", 0)
    result = dermseg(*call, "--groups", groups)
    assert result.returncode == 0, result.stderr
    (source,) = json.loads((run / "run.json").read_text())["data"]
    samples = open_source(disc_dataset, groups=groups).samples
    assert source["name"] == "folder"
    assert source["groups"] == groups_fingerprint(samples)
    result = dermseg(*call, "--groups", groups, "--resume")
    assert result.returncode == 0, result.stderr
    result = dermseg(*call, "--resume")
    assert result.returncode == 2
    assert "resume with the same --data, --split, --groups" in result.stderr
