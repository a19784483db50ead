"""``dermseg data audit``, as a user calls it."""

from __future__ import annotations

import json
import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from dermseg.datasets import read_groups

Run = Callable[..., "subprocess.CompletedProcess[str]"]


@pytest.fixture
def copied_discs(disc_dataset: Path, tmp_path: Path) -> Path:
    """Two images of a folder, as a folder of their own."""
    folder = tmp_path / "copies" / "images"
    folder.mkdir(parents=True)
    for name in ("disc_03", "disc_11"):
        shutil.copy(disc_dataset / "images" / f"{name}.png", folder / f"copy_of_{name}.png")
    return folder.parent


@pytest.mark.slow
def test_leaks_are_printed_and_refused_only_when_strict(
    dermseg: Run, disc_dataset: Path, copied_discs: Path, tmp_path: Path
) -> None:
    out = tmp_path / "audit"
    call = ("data", "audit", disc_dataset, copied_discs)
    result = dermseg(*call, "-o", out, "--groups", tmp_path / "groups.csv")
    assert result.returncode == 0, result.stderr
    assert "leak: " in result.stdout
    assert "same_bytes 2" in result.stdout
    assert {path.name for path in out.iterdir()} == {
        "pairs.csv",
        "audit.json",
        "pairs_01.jpg",
        "report.html",
    }
    assert read_groups(tmp_path / "groups.csv")["disc_03"] == "copy_of_disc_03"
    strict = dermseg(*call, "--strict", "--json")
    assert strict.returncode == 3
    assert json.loads(strict.stdout) == json.loads((out / "audit.json").read_text())


def test_a_split_file_gives_the_parts(dermseg: Run, copied_discs: Path, tmp_path: Path) -> None:
    images = copied_discs / "images"
    shutil.copy(images / "copy_of_disc_03.png", images / "again.png")
    parts = {"train": ["again", "copy_of_disc_11"], "test": ["copy_of_disc_03"]}
    split = {"source": "seeded", "seed": 0, "fractions": {}, "parts": parts}
    (tmp_path / "split.json").write_text(json.dumps(split))
    clean = dermseg("data", "audit", copied_discs, "--strict")
    assert clean.returncode == 0
    assert "no image or lesion was found in two places" in clean.stdout
    result = dermseg("data", "audit", copied_discs, "--strict", "--split", tmp_path / "split.json")
    assert result.returncode == 3


def test_an_unreadable_image_is_named(dermseg: Run, copied_discs: Path) -> None:
    (copied_discs / "images" / "broken.png").write_bytes(b"no image")
    result = dermseg("data", "audit", copied_discs)
    assert result.returncode == 1
    assert "broken.png" in result.stderr


@pytest.mark.slow
def test_plain_folders_of_images_need_no_masks(
    dermseg: Run, disc_dataset: Path, copied_discs: Path
) -> None:
    folders = (disc_dataset / "images", copied_discs / "images")
    by_option = (option for folder in folders for option in ("--images", folder))
    for call in (folders, by_option, (disc_dataset, "--images", folders[1])):
        result = dermseg("data", "audit", *call, "--json")
        assert result.returncode == 0, result.stderr
        summary = json.loads(result.stdout)
        assert (summary["num_images"], summary["num_leaks"]) == (22, 2)


@pytest.mark.slow
def test_a_call_without_images_is_refused(dermseg: Run, tmp_path: Path) -> None:
    for call in ((), (tmp_path,), ("--images", tmp_path)):
        result = dermseg("data", "audit", *call)
        assert result.returncode == 2
        assert "no image" in result.stderr
