"""The other commands, through the installed entry point."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

import dermseg as package
from dermseg.evaluation import evaluate_masks

Run = Callable[..., "subprocess.CompletedProcess[str]"]

COMMANDS = [
    (),
    ("predict",),
    ("demo",),
    ("data",),
    ("data", "list"),
    ("data", "audit"),
    ("data", "download"),
    ("data", "split"),
    ("train",),
    ("evaluate",),
    ("compare",),
    ("export",),
    ("calibrate",),
    ("card",),
    ("models",),
    ("networks",),
    ("recipes",),
]


@pytest.mark.parametrize("name", COMMANDS, ids=" ".join)
def test_every_command_explains_itself(dermseg: Run, name: tuple[str, ...]) -> None:
    result = dermseg(*name, "--help")
    assert result.returncode == 0
    assert "Usage: dermseg" in result.stdout


@pytest.mark.parametrize("name", [(), ("predict",), ("data",), ("data", "list")], ids=" ".join)
def test_help_has_a_short_name(dermseg: Run, name: tuple[str, ...]) -> None:
    assert dermseg(*name, "-h").stdout == dermseg(*name, "--help").stdout


def test_python_runs_the_package_as_the_command(dermseg: Run) -> None:
    call = [sys.executable, "-m", "dermseg", "predict", "--help"]
    env = {**os.environ, "COLUMNS": "200"}
    result = subprocess.run(call, capture_output=True, text=True, check=True, env=env)
    assert result.stdout == dermseg("predict", "--help").stdout


@pytest.mark.parametrize(
    ("typed", "expected"),
    [
        ("dermseg pre", "predict"),
        ("dermseg data dow", "download"),
        ("dermseg train --fol", "--folds"),
    ],
)
def test_the_shell_completes_names(
    dermseg: Run, monkeypatch: pytest.MonkeyPatch, typed: str, expected: str
) -> None:
    # Else typer asks the parent processes which shell this is.
    monkeypatch.setenv("_TYPER_COMPLETE_TEST_DISABLE_SHELL_DETECTION", "1")
    script = dermseg("--show-completion", "bash").stdout
    assert "_DERMSEG_COMPLETE=complete_bash" in script
    monkeypatch.setenv("_DERMSEG_COMPLETE", "complete_bash")
    monkeypatch.setenv("COMP_WORDS", typed)
    monkeypatch.setenv("COMP_CWORD", str(len(typed.split()) - 1))
    assert dermseg().stdout.split() == [expected]


def test_version_is_printed(dermseg: Run) -> None:
    assert dermseg("--version").stdout.strip() == package.__version__


@pytest.mark.slow
def test_lists_name_what_there_is(dermseg: Run) -> None:
    assert "fast (default)" in dermseg("models").stdout
    assert json.loads(dermseg("models", "--json").stdout)["fast"]["classes"] == ["lesion"]
    assert "unet-isic2017: " in dermseg("recipes").stdout
    assert "[training]" in dermseg("recipes", "unet-isic2017").stdout
    assert "residual_unet: " in dermseg("networks").stdout
    assert "Ronneberger" in dermseg("networks", "unet").stdout
    assert "isic2017: " in dermseg("data", "list").stdout


@pytest.mark.slow
@pytest.mark.parametrize("name", ["recipes", "networks"])
def test_unknown_names_are_refused(dermseg: Run, name: str) -> None:
    result = dermseg(name, "nothing")
    assert result.returncode == 2
    assert "nothing" in result.stderr


@pytest.mark.slow
def test_a_network_is_shown_with_its_cost(dermseg: Run) -> None:
    lines = dermseg("networks", "unet", "--size", "256x256").stdout.splitlines()
    table = [line.split() for line in lines[-16:]]
    assert table[0] == ["block", "output", "parameters", "multiply-adds"]
    # One 3x3 convolution from 3 to 64 channels, one from 64 to 64, and two norms.
    parameters, multiply_adds = 9 * 64 * (3 + 64) + 4 * 64, 256 * 256 * 9 * 64 * (3 + 64)
    assert table[1] == ["encoder.0", "64x256x256", f"{parameters:,}", f"{multiply_adds:,}"]
    assert table[-1][:4] == ["total", "at", "256x256", "31,037,633"]
    found = json.loads(dermseg("networks", "xception_unet", "--json").stdout)
    assert (found["name"], found["size"]) == ("xception_unet", [192, 256])
    assert found["num_parameters"] == 2_054_625
    last = found["blocks"][-1]
    assert (last["name"], last["output_shape"]) == ("segmentation_head", [1, 192, 256])
    assert last["num_multiply_adds"] == 192 * 256 * 9 * 32
    by_name = dermseg("networks", "smp:unet/resnet18").stdout
    assert "segmentation-models-pytorch" in by_name
    assert "total" in by_name
    assert "unet" in json.loads(dermseg("networks", "--json").stdout)


@pytest.mark.slow
@pytest.mark.parametrize("size", ["256", "0x256", "256x-1", "256 x 256", "250x256"])
def test_sizes_that_do_not_fit_are_refused(dermseg: Run, size: str) -> None:
    result = dermseg("networks", "unet", "--size", size)
    assert result.returncode == 2
    assert result.stderr.startswith("dermseg: --size")


def test_demo_segments_generated_images_well(dermseg: Run, tmp_path: Path) -> None:
    result = dermseg("demo", "-o", tmp_path / "demo", "--num-images", "3")
    assert result.returncode == 0, result.stderr
    (line,) = [line for line in result.stdout.splitlines() if line.startswith("mean Jaccard")]
    assert float(line.rpartition(" ")[2]) >= 0.7
    predictions = tmp_path / "demo" / "predictions"
    assert len(list(predictions.glob("*_segmentation.png"))) == 3
    assert len(list(predictions.glob("*_overlay.jpg"))) == 3
    scored = evaluate_masks(tmp_path / "demo" / "truth", predictions)
    assert scored.aggregates["mean_jaccard"].value == pytest.approx(
        float(line.rpartition(" ")[2]), abs=5e-4
    )


def test_masks_are_scored_and_the_summary_is_printed(
    dermseg: Run, disc_dataset: Path, dark_package: Path, tmp_path: Path
) -> None:
    masks, out = tmp_path / "masks", tmp_path / "evaluation"
    dermseg("predict", disc_dataset / "images", "-o", masks, "--model", dark_package)
    (masks / "disc_00_segmentation.png").unlink()
    call = ("--truth", disc_dataset / "masks", "--predictions", masks, "-o", out, "--json")
    result = dermseg("evaluate", *call)
    assert result.returncode == 0, result.stderr
    summary = json.loads(result.stdout)
    assert summary == json.loads((out / "summary.json").read_text())
    promised = {"protocol", "num_scored", "num_skipped", "aggregates", "warnings"}
    assert promised < set(summary)
    assert summary["problems"][0]["id"] == "disc_00"
    assert (summary["num_scored"], summary["num_skipped"]) == (19, 1)
    assert "disc_00" in " ".join(summary["warnings"])
    interval = summary["aggregates"]["mean_jaccard"]
    assert 0.9 < interval["low"] <= interval["value"] <= interval["high"] <= 1
    assert len((out / "per_image.csv").read_text().splitlines()) == 20


@pytest.mark.slow
def test_a_model_scores_on_a_part_as_its_masks_do(
    dermseg: Run, disc_dataset: Path, dark_package: Path, tmp_path: Path
) -> None:
    split, out = tmp_path / "split.json", tmp_path / "evaluation"
    result = dermseg("data", "split", disc_dataset, "-o", split, "--fractions", 0.5, 0.2, 0.3)
    assert "train 10, validation 4, test 6" in result.stdout
    call = ("--model", dark_package, "--data", disc_dataset, "--split", "test", "-o", out)
    result = dermseg("evaluate", *call, "--split-file", split, "--json")
    assert result.returncode == 0, result.stderr
    summary = json.loads(result.stdout)
    assert (summary["model"], summary["dataset"], summary["part"]) == ("dark", "folder", "test")
    assert summary["num_scored"] == 6
    for id in json.loads(split.read_text())["parts"]["test"]:
        (tmp_path / "images").mkdir(exist_ok=True)
        (tmp_path / "truth").mkdir(exist_ok=True)
        image, mask = f"{id}.png", f"{id}_segmentation.png"
        (tmp_path / "images" / image).symlink_to(disc_dataset / "images" / image)
        (tmp_path / "truth" / mask).symlink_to(disc_dataset / "masks" / mask)
    masks = tmp_path / "masks"
    dermseg("predict", tmp_path / "images", "-o", masks, "--model", dark_package)
    assert (
        evaluate_masks(tmp_path / "truth", masks).aggregates["mean_dice"].value
        == summary["aggregates"]["mean_dice"]["value"]
    )


def test_wrong_evaluations_are_refused(dermseg: Run, disc_dataset: Path, tmp_path: Path) -> None:
    out = tmp_path / "out"
    truth = disc_dataset / "masks"
    calls = {
        "give --truth and --predictions": ["--truth", truth],
        "no part 'other'": ["--data", disc_dataset, "--split", "other"],
        "no such folder": ["--truth", truth, "--predictions", tmp_path / "nowhere"],
    }
    for message, arguments in calls.items():
        result = dermseg("evaluate", "-o", out, *arguments)
        assert result.returncode == 2, result.stderr
        assert message in result.stderr
    assert not out.exists()


def test_recipe_mistakes_name_the_nearest_key(
    dermseg: Run, disc_dataset: Path, tmp_path: Path
) -> None:
    call = ("train", "unet-isic2017", "--data", disc_dataset, "-o", tmp_path / "run")
    result = dermseg(*call, "--set", "training.epoch=3")
    assert result.returncode == 2
    assert "did you mean 'epochs'" in result.stderr
    assert not (tmp_path / "run").exists()


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (["--int8"], "--int8 was given without --data"),
        (["--data", "photos"], "--data was given without --int8"),
        (["--int8", "--data", "photos", "--half"], "exclude each other"),
    ],
)
def test_contradicting_export_options_are_refused(
    dermseg: Run, tmp_path: Path, options: list[str], message: str
) -> None:
    result = dermseg("export", tmp_path, "-o", tmp_path / "model", *options)
    assert result.returncode == 2
    assert message in result.stderr
