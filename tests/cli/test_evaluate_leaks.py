"""``dermseg evaluate`` on images that the model has seen, as a user calls it."""

from __future__ import annotations

import json
import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

Run = Callable[..., "subprocess.CompletedProcess[str]"]

TRAINED = ("ISIC_0000002", "ISIC_0000016")
CHOSE = "ISIC_0000043"
NEVER_SEEN = "ISIC_9999999"


@pytest.fixture
def own_folder(disc_dataset: Path, tmp_path: Path) -> Path:
    """Four discs under numbers of the archive, three of which the shipped model has seen."""
    folder = tmp_path / "own"
    for name, ending in (("images", ""), ("masks", "_segmentation")):
        (folder / name).mkdir(parents=True)
        for number, id in enumerate((*TRAINED, CHOSE, NEVER_SEEN)):
            old = disc_dataset / name / f"disc_{number:02}{ending}.png"
            shutil.copy(old, folder / name / f"{id}{ending}.png")
    return folder


@pytest.mark.slow
def test_seen_images_are_a_loud_warning(dermseg: Run, own_folder: Path, tmp_path: Path) -> None:
    call = ("evaluate", "--model", "fast", "--no-boundary")
    source = ("--images", own_folder / "images", "--masks", own_folder / "masks")
    result = dermseg(*call, *source, "-o", tmp_path / "out")
    assert result.returncode == 0, result.stderr
    first = result.stderr.splitlines()[0]
    assert first.startswith("warning: NO TEST RESULT: the model 'fast' has seen 3 of the 4 images")
    summary = json.loads((tmp_path / "out" / "summary.json").read_text())
    assert f"warning: {summary['warnings'][0]}" == first
    overlap = summary["training_overlap"]
    assert (overlap["trained"], overlap["selected"]) == (list(TRAINED), [CHOSE])
    assert (overlap["num_seen"], overlap["num_images"]) == (3, 4)

    strict = dermseg(*call, *source, "-o", tmp_path / "strict", "--strict")
    assert strict.returncode == 3
    assert "3 of the 4 images are not new to the model" in strict.stderr
    assert not (tmp_path / "strict").exists()

    pairs = tmp_path / "pairs.csv"
    pairs.write_text(f"id,id2,folder,folder2\n{NEVER_SEEN},{CHOSE},here,there\n")
    audited = dermseg(*call, *source, "-o", tmp_path / "out", "--audit", pairs, "--strict")
    assert audited.returncode == 3
    assert f"1 that show the same as one it has seen, as the audit found ({NEVER_SEEN})" in (
        audited.stderr
    )


@pytest.mark.slow
def test_predictions_of_a_shipped_model_are_recognised(
    dermseg: Run, own_folder: Path, tmp_path: Path
) -> None:
    predicted = dermseg("predict", own_folder / "images", "-o", tmp_path / "predicted")
    assert predicted.returncode == 0, predicted.stderr
    call = ("evaluate", "--truth", own_folder / "masks", "--predictions", tmp_path / "predicted")
    result = dermseg(*call, "-o", tmp_path / "out", "--json")
    assert result.returncode == 0, result.stderr
    assert result.stderr.startswith("warning: NO TEST RESULT")
    assert json.loads(result.stdout)["training_overlap"]["num_seen"] == 3
    assert dermseg(*call, "-o", tmp_path / "strict", "--strict").returncode == 3
    assert not (tmp_path / "strict").exists()


@pytest.mark.data
def test_the_shipped_model_has_seen_its_own_images(
    dermseg: Run, real_data: Path, tmp_path: Path
) -> None:
    native = real_data / "isic2017_native"
    call = ("evaluate", "--data", native, "--split", "train", "-o", tmp_path / "out", "--strict")
    result = dermseg(*call)
    assert result.returncode == 3
    assert "has seen 36 of the 36 images" in result.stderr
    assert not (tmp_path / "out").exists()
