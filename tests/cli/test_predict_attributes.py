"""``dermseg predict`` with a model of attributes, through the installed entry point."""

from __future__ import annotations

import csv
import json
import subprocess
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from dermseg.images import read_image, read_mask, read_mask_values, write_image
from dermseg.package import list_packages

Run = Callable[..., "subprocess.CompletedProcess[str]"]
MakePackage = Callable[..., Path]
CLASSES = ("globules", "milia_like_cyst", "streaks")
NAMES = [f"a_attribute_{name}.png" for name in CLASSES]


@pytest.fixture
def photo(tmp_path: Path) -> Path:
    """A dark lesion of 80 x 80 pixels, a quarter of it green; nothing is blue."""
    image = np.full((120, 160, 3), (225, 190, 170), np.uint8)
    image[20:100, 40:120] = (90, 60, 50)
    image[20:60, 40:80] = (40, 120, 40)
    (tmp_path / "photos").mkdir()
    write_image(tmp_path / "photos" / "a.png", image)
    return tmp_path / "photos" / "a.png"


def rows_of(folder: Path) -> list[dict[str, str]]:
    with (folder / "predictions.csv").open(newline="") as file:
        return list(csv.DictReader(file))


def names_in(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


def test_every_attribute_has_a_mask_also_where_it_is_empty(
    dermseg: Run, color_package: MakePackage, photo: Path, tmp_path: Path
) -> None:
    out = tmp_path / "out"
    result = dermseg("predict", photo, "-o", out, "--model", color_package())
    assert result.returncode == 0, result.stderr
    assert names_in(out) == sorted(
        [
            *NAMES,
            "a_overlay.jpg",
            "a_segmentation.png",
            "index.html",
            "predictions.csv",
            "predictions.json",
        ]
    )
    values = {name: read_mask_values(out / f"a_attribute_{name}.png") for name in CLASSES}
    assert all(value.shape == (120, 160) for value in values.values())
    assert not values["milia_like_cyst"].any()
    assert not values["streaks"].any()
    assert set(np.unique(values["globules"])) == {0, 255}
    truth = np.zeros((120, 160), np.bool_)
    truth[20:60, 40:80] = True
    assert np.count_nonzero((values["globules"] > 0) ^ truth) < 0.1 * truth.sum()
    (row,) = rows_of(out)
    lesion = read_mask(out / "a_segmentation.png")
    assert int(row["area_pixels"]) == lesion.sum()
    assert float(row["attribute_globules_share"]) == pytest.approx(
        np.count_nonzero(values["globules"]) / lesion.sum(), rel=1e-5
    )
    assert float(row["attribute_globules_share"]) == pytest.approx(0.25, abs=0.02)
    assert float(row["attribute_streaks_share"]) == 0
    assert float(row["attribute_globules_presence"]) > 0.99
    assert float(row["attribute_streaks_presence"]) == pytest.approx(1 / (1 + np.exp(6)), rel=1e-3)
    assert list(row)[-2:] == ["seconds", "error"]
    # 160 pixels are enlarged three times, and the legend lies below.
    height, width, _ = read_image(out / "a_overlay.jpg").shape
    assert width == 480
    assert 370 < height < 450
    assert "globules: in 1 of these images" in result.stdout
    assert "streaks: in 0 of these images" in result.stdout
    assert "experimental" not in result.stdout


def test_probabilities_are_written_for_each_attribute(
    dermseg: Run, color_package: MakePackage, photo: Path, tmp_path: Path
) -> None:
    out = tmp_path / "out"
    call = ("--model", color_package(), "--probability", "--no-overlay")
    assert dermseg("predict", photo, "-o", out, *call).returncode == 0
    probabilities = [f"a_attribute_{name}_probability.png" for name in CLASSES]
    assert names_in(out) == sorted(
        [*NAMES, *probabilities, "a_probability.png", "a_segmentation.png", "index.html",
         "predictions.csv",
         "predictions.json"]
    )  # fmt: skip
    values = read_mask_values(out / probabilities[0])
    mask = read_mask(out / NAMES[0])
    assert values.shape == (120, 160)
    assert values[mask].min() >= 127
    assert not values[~read_mask(out / "a_segmentation.png")].any()


def test_the_attributes_option_takes_a_package_of_attributes_too(
    dermseg: Run, color_package: MakePackage, photo: Path, tmp_path: Path
) -> None:
    package = color_package()
    for name, options in (("with", ["--attributes"]), ("without", [])):
        call = ("predict", photo, "-o", tmp_path / name, "--model", package, *options)
        assert dermseg(*call).returncode == 0
    for name in (*NAMES, "a_segmentation.png", "a_overlay.jpg"):
        assert (tmp_path / "with" / name).read_bytes() == (tmp_path / "without" / name).read_bytes()


@pytest.mark.skipif("attributes" not in list_packages(), reason="needs the shipped attribute model")
def test_the_shipped_attribute_model_looks_inside_the_lesion_of_the_given_model(
    dermseg: Run, dark_package: Path, photo: Path, tmp_path: Path
) -> None:
    call = ("predict", photo, "--attributes", "--model", dark_package)
    assert dermseg(*call, "-o", tmp_path / "out").returncode == 0
    record = json.loads((tmp_path / "out" / "predictions.json").read_text())
    assert (record["model"], record["lesion"]["model"]) == ("attributes", "dark")


def test_both_models_are_recorded_and_summed_up(
    dermseg: Run, color_package: MakePackage, photo: Path, tmp_path: Path
) -> None:
    out = tmp_path / "out"
    package = color_package(experimental=True, postprocessing={"thresholds": {"streaks": 0.7}})
    result = dermseg("predict", photo, "-o", out, "--model", package, "--json")
    assert result.returncode == 0, result.stderr
    summary = json.loads(result.stdout)
    assert summary["model"] == "colors"
    assert summary["lesion_model"] == "dark"
    assert summary["experimental"] is True
    assert summary["attributes"] == {
        "globules": {"threshold": 0.5, "num_found": 1},
        "milia_like_cyst": {"threshold": 0.5, "num_found": 0},
        "streaks": {"threshold": 0.7, "num_found": 0},
    }
    record = json.loads((out / "predictions.json").read_text())
    assert record["model"] == "colors"
    assert record["experimental"] is True
    assert record["lesion"]["model"] == "dark"
    assert len(record["lesion"]["onnx_sha256"]) == len(record["onnx_sha256"]) == 64
    assert record["lesion_crop"]["margin"] == 0.25
    said = dermseg("predict", photo, "-o", out, "--model", package, "--overwrite").stdout
    assert "experimental: the model colors" in said


@pytest.mark.slow
def test_only_images_with_all_of_their_files_are_done(
    dermseg: Run, color_package: MakePackage, photo: Path, tmp_path: Path
) -> None:
    for name in ("b", "c"):
        (photo.parent / f"{name}.png").write_bytes(photo.read_bytes())
    out, package = tmp_path / "out", color_package()
    call = ("predict", photo.parent, "-o", out, "--model", package)
    assert dermseg(*call).returncode == 0
    refused = dermseg(*call)
    assert refused.returncode == 2
    assert "is already there" in refused.stderr
    (out / "b_attribute_streaks.png").unlink()
    kept = (out / "a_segmentation.png").stat().st_mtime_ns
    result = dermseg(*call, "--skip-existing")
    assert result.returncode == 0, result.stderr
    assert "1 masks written" in result.stdout
    assert "2 kept" in result.stdout
    assert (out / "b_attribute_streaks.png").is_file()
    assert (out / "a_segmentation.png").stat().st_mtime_ns == kept
    assert len(rows_of(out)) == 3
    lesion = dermseg("predict", photo.parent, "-o", out, "--skip-existing")
    assert lesion.returncode == 2
    assert "model colors, now fast" in lesion.stderr
    stricter = dermseg(*call, "--skip-existing", "--threshold", "0.4")
    assert stricter.returncode == 2
    assert "lesion {" in stricter.stderr


def test_a_file_of_an_attribute_that_is_there_is_not_replaced(
    dermseg: Run, color_package: MakePackage, photo: Path, tmp_path: Path
) -> None:
    out = tmp_path / "out"
    out.mkdir()
    (out / "a_attribute_streaks.png").write_bytes(b"drawn by hand")
    result = dermseg("predict", photo, "-o", out, "--model", color_package())
    assert result.returncode == 2
    assert "a_attribute_streaks.png is already there" in result.stderr
    assert names_in(out) == ["a_attribute_streaks.png"]


def test_a_lesion_model_that_is_not_there_is_named(
    dermseg: Run, color_package: MakePackage, photo: Path, tmp_path: Path
) -> None:
    crop = {"model": "gone", "margin": 0.1, "inside_only": False}
    package = color_package(lesion_crop=crop)
    result = dermseg("predict", photo, "-o", tmp_path / "out", "--model", package)
    assert result.returncode == 2
    said = " ".join(result.stderr.split())
    assert "the model colors looks inside the lesion that the model 'gone' finds" in said
    assert not (tmp_path / "out").exists()


def test_an_image_without_lesion_has_black_masks_and_no_share(
    dermseg: Run, color_package: MakePackage, tmp_path: Path
) -> None:
    write_image(tmp_path / "a.png", np.full((90, 100, 3), (90, 255, 90), np.uint8))
    out = tmp_path / "out"
    result = dermseg("predict", tmp_path / "a.png", "-o", out, "--model", color_package())
    assert result.returncode == 0, result.stderr
    (row,) = rows_of(out)
    assert row["attribute_globules_share"] == ""
    assert row["area_pixels"] == "0"
    assert not any(read_mask(out / name).any() for name in NAMES)
