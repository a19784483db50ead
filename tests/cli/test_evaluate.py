"""What ``dermseg evaluate`` says of masks that are not in order, and of protocols."""

from __future__ import annotations

import json
import subprocess
from collections import Counter
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image

from dermseg.cli.evaluate import evaluate
from dermseg.errors import RunError
from dermseg.images import write_mask

Run = Callable[..., "subprocess.CompletedProcess[str]"]

LESION = np.zeros((40, 50), np.uint8)
LESION[10:30, 12:35] = 255


def save(path: Path, values: NDArray[np.uint8]) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.fromarray(values).save(path)


@pytest.fixture
def folders(tmp_path: Path) -> tuple[Path, Path]:
    """Ten truths, and predictions of which two are in order."""
    truth, predictions = tmp_path / "truth", tmp_path / "predictions"
    names = (
        "good",
        "fair",
        "missing",
        "larger",
        "colours",
        "cut",
        "twice",
        "grey",
        "inverted",
        "ones",
    )
    for name in names:
        save(truth / f"{name}_segmentation.png", LESION)
        save(predictions / f"{name}_segmentation.png", LESION)
    save(predictions / "fair_segmentation.png", np.roll(LESION, 3, axis=0))
    (predictions / "missing_segmentation.png").rename(predictions / "extra_segmentation.png")
    save(predictions / "larger_segmentation.png", np.pad(LESION, 1))
    colours = np.zeros((*LESION.shape, 3), np.uint8)
    colours[..., 0] = LESION
    save(predictions / "colours_segmentation.png", colours)
    cut = predictions / "cut_segmentation.png"
    cut.write_bytes(cut.read_bytes()[:60])
    save(predictions / "twice.png", LESION)
    save(predictions / "grey_segmentation.png", np.where(LESION > 0, 200, 60).astype(np.uint8))
    save(predictions / "inverted_segmentation.png", 255 - LESION)
    save(predictions / "ones_segmentation.png", LESION // 255)
    return truth, predictions


def test_every_mask_that_is_not_in_order_is_named_and_counted(
    dermseg: Run, folders: tuple[Path, Path], tmp_path: Path
) -> None:
    truth, predictions = folders
    out = tmp_path / "out"
    result = dermseg("evaluate", "--truth", truth, "--predictions", predictions, "-o", out)
    assert result.returncode == 0, result.stderr
    assert result.stdout.startswith(
        "5 images scored, 5 skipped (1 duplicate, 1 missing, 1 size, 2 unreadable), "
        "1 predictions without truth, 3 scored but questionable"
    )
    summary = json.loads((out / "summary.json").read_text())
    counts = [summary[f"num_{kind}"] for kind in ("scored", "skipped", "extra", "questionable")]
    assert counts == [5, 5, 1, 3]
    kinds = {problem["id"]: problem["kind"] for problem in summary["problems"]}
    assert kinds == {
        "missing": "missing",
        "larger": "size",
        "colours": "unreadable",
        "cut": "unreadable",
        "twice": "duplicate",
        "extra": "extra",
        "grey": "questionable",
        "inverted": "questionable",
        "ones": "questionable",
    }
    what = {problem["id"]: problem["what"] for problem in summary["problems"]}
    assert "a mask with colours" in what["colours"]
    assert "42 x 52 pixels" in what["larger"]
    assert "twice.png, twice_segmentation.png" in what["twice"]
    assert "not binary" in what["grey"]
    assert "looks inverted: its Jaccard index is 0.00, and 1.00" in what["inverted"]
    assert "its values are 0 and 1" in what["ones"]
    for name in kinds:
        assert name in result.stderr
    assert len((out / "per_image.csv").read_text().splitlines()) == 1 + 5


def test_strict_writes_nothing_where_a_mask_is_not_in_order(
    dermseg: Run, folders: tuple[Path, Path], tmp_path: Path
) -> None:
    truth, predictions = folders
    out = tmp_path / "out"
    call = ("evaluate", "--truth", truth, "--predictions", predictions, "-o", out, "--strict")
    result = dermseg(*call)
    assert result.returncode == 3
    assert "9 masks are not in order" in result.stderr
    assert "nothing was written" in result.stderr
    assert not out.exists()
    for name in (
        "missing",
        "larger",
        "colours",
        "cut",
        "twice",
        "extra",
        "grey",
        "inverted",
        "ones",
    ):
        assert name in result.stderr


@pytest.mark.parametrize("trouble", ["missing", "larger", "extra", "grey"])
def test_one_mask_that_is_not_in_order_is_enough_for_strict(
    folders: tuple[Path, Path], tmp_path: Path, trouble: str
) -> None:
    truth, predictions = folders
    for file in (*truth.iterdir(), *predictions.iterdir()):
        if file.stem.removesuffix("_segmentation") not in ("good", "fair", trouble):
            file.unlink()
    with pytest.raises(RunError, match=r"1 masks are not in order .* nothing was written"):
        evaluate(tmp_path / "out", truth, predictions, no_boundary=True, strict=True)
    assert not (tmp_path / "out").exists()


def test_strict_scores_masks_that_are_in_order(
    dermseg: Run, folders: tuple[Path, Path], tmp_path: Path
) -> None:
    truth, predictions = folders
    for file in (*truth.iterdir(), *predictions.iterdir()):
        if file.stem.removesuffix("_segmentation") not in ("good", "fair"):
            file.unlink()
    call = ("evaluate", "--truth", truth, "--predictions", predictions)
    result = dermseg(*call, "-o", tmp_path / "out", "--strict", "--json")
    assert result.returncode == 0, result.stderr
    assert json.loads(result.stdout)["problems"] == []


def test_all_protocols_stand_side_by_side_and_in_the_summary(
    dermseg: Run, folders: tuple[Path, Path], tmp_path: Path
) -> None:
    truth, predictions = folders
    out = tmp_path / "out"
    call = ("evaluate", "--truth", truth, "--predictions", predictions, "-o", out, "--no-boundary")
    result = dermseg(*call, "--protocol", "all")
    assert result.returncode == 0, result.stderr
    words = Counter(line.split()[0] for line in result.stdout.splitlines() if line.strip())
    summary = json.loads((out / "summary.json").read_text())
    lesions_only = [
        "isic", "isic2016", "isic2017", "isic2018", "pooled", "batch", "resized", "mmseg", "nnunet",
        "monai", "seed000",
    ]  # fmt: skip
    assert list(summary["protocols"]) == lesions_only
    # Once with its figures, once with its rule.
    assert all(words[name] == 2 for name in lesions_only)
    assert "seed001" not in words
    assert summary["protocols"]["isic2016"]["num_refused"] == 2
    assert summary["protocols"]["isic2017"]["num_refused"] == 0
    assert "isic2016 refuses masks that are not binary: 2 left out, grey, ones" in result.stderr


def test_one_protocol_makes_the_figures_that_are_printed(
    dermseg: Run, folders: tuple[Path, Path], tmp_path: Path
) -> None:
    truth, predictions = folders
    call = ("evaluate", "--truth", truth, "--predictions", predictions, "--no-boundary", "--json")
    result = dermseg(*call, "--protocol", "batch:2:20", "-o", tmp_path / "out")
    summary = json.loads(result.stdout)
    assert summary["protocol"] == "batch:2:20"
    assert list(summary["aggregates"]) == ["batch_mean_jaccard", "batch_mean_dice"]
    wrong = dermseg(*call, "--protocol", "isic2018_task2", "-o", tmp_path / "wrong")
    assert wrong.returncode == 2
    assert "is for masks of dermoscopic attributes" in wrong.stderr
    unknown = dermseg(*call, "--protocol", "isic2021", "-o", tmp_path / "unknown")
    assert unknown.returncode == 2
    assert "no protocol 'isic2021'; there are isic, isic2016" in unknown.stderr


@pytest.mark.slow
def test_seed001_scores_inside_the_lesion(dermseg: Run, tmp_path: Path) -> None:
    lesion = np.zeros((256, 256), np.bool_)
    lesion[:128] = True
    truth = np.zeros((256, 256), np.bool_)
    truth[:10, :10] = True
    predicted = truth.copy()
    predicted[200:, :] = True  # outside the lesion
    for folder, name, mask in [
        ("lesions", "ISIC_0000001_segmentation.png", lesion),
        ("truth", "ISIC_0000001_attribute_streaks.png", truth),
        ("predictions", "ISIC_0000001_attribute_streaks.png", predicted),
    ]:
        (tmp_path / folder).mkdir()
        write_mask(tmp_path / folder / name, mask)
    call = ["evaluate", "--truth", tmp_path / "truth", "--predictions", tmp_path / "predictions"]
    call += ["--protocol", "seed001", "--no-report", "--json", "-o", tmp_path / "out"]
    whole = json.loads(dermseg(*call).stdout)
    inside = json.loads(dermseg(*call, "--lesions", tmp_path / "lesions").stdout)
    pixels = 56 * 256
    assert whole["aggregates"]["mean_jaccard"]["value"] == pytest.approx(100 / (100 + pixels + 1))
    # The lesion's box, of 128 x 256 pixels, is doubled.
    assert inside["aggregates"]["mean_jaccard"]["value"] == pytest.approx(400 / 401)
    warning = "1 images were scored as a whole for want of a lesion mask: ISIC_0000001"
    assert any(warning in line for line in whole["warnings"])
    assert not any("lesion mask" in line for line in inside["warnings"])


def test_lesion_masks_of_another_size_and_empty_folders_are_named(
    dermseg: Run, tmp_path: Path
) -> None:
    mask = np.ones((20, 30), np.bool_)
    for folder in ("truth", "predictions", "lesions", "empty"):
        (tmp_path / folder).mkdir()
    for folder in ("truth", "predictions"):
        write_mask(tmp_path / folder / "ISIC_0000001_attribute_streaks.png", mask)
        write_mask(tmp_path / folder / "ISIC_0000002_attribute_streaks.png", mask)
    write_mask(tmp_path / "lesions" / "ISIC_0000001.png", mask[:10])
    write_mask(tmp_path / "lesions" / "ISIC_0000002.png", mask)
    call = ["evaluate", "--truth", tmp_path / "truth", "--predictions", tmp_path / "predictions"]
    call += ["--protocol", "seed001", "--no-report", "--json", "-o", tmp_path / "out"]
    result = json.loads(dermseg(*call, "--lesions", tmp_path / "lesions").stdout)
    assert (result["num_scored"], result["num_skipped"]) == (1, 1)
    assert "the lesion mask ISIC_0000001.png is 10 x 30 pixels" in result["warnings"][1]
    empty = dermseg(*call, "--lesions", tmp_path / "empty")
    assert empty.returncode == 2
    assert "empty: no mask is in this folder" in empty.stderr
