"""The packaged recipes of attributes, trained on generated trees as a user would."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from pathlib import Path
from subprocess import CompletedProcess

import numpy as np
import pytest

from dermseg.datasets.superpixels import score_superpixels, write_features
from dermseg.images import read_image, read_mask, write_image
from dermseg.package import load_package
from dermseg.prediction import load_model

pytestmark = pytest.mark.slow

Run = Callable[..., CompletedProcess[str]]

SMALL = (
    "--set", "training.epochs=1", "--set", "training.batch_size=4", "--set",
    "data.selection_fraction=0.5", "--set", "preprocessing.size=[64, 64]", "--workers", "0",
)  # fmt: skip
ATTRIBUTES = ("globules", "milia_like_cyst", "negative_network", "pigment_network", "streaks")
_CELL = 8


def test_isic2018_with_real_masks_takes_two_commands(
    attribute_dataset: Path, dermseg: Run, tmp_path: Path
) -> None:
    run, masks = tmp_path / "run", tmp_path / "masks"
    trained = dermseg(
        "train", "attribute-unet-isic2018", "--data", attribute_dataset, "-o", run, *SMALL
    )
    assert trained.returncode == 0, trained.stderr
    images = attribute_dataset / "ISIC2018_Task1-2_Training_Input"
    predicted = dermseg("predict", images, "--model", run / "model", "-o", masks)
    assert predicted.returncode == 0, predicted.stderr
    for name in ATTRIBUTES:
        mask = read_mask(masks / f"ISIC_0000003_attribute_{name}.png")
        assert mask.shape == read_image(images / "ISIC_0000003.jpg").shape[:2]
    spec = load_package(run / "model").spec
    assert spec.lesion_crop is not None
    assert spec.provenance.untuned_postprocessing is not None
    assert set(spec.postprocessing.thresholds) <= set(ATTRIBUTES)
    header = (run / "metrics.csv").read_text().splitlines()[0]
    assert "selection_pooled_jaccard,selection_jaccard_globules" in header


def test_folds_of_attributes_calibrate_thresholds_and_presence(
    attribute_dataset: Path, dermseg: Run, tmp_path: Path
) -> None:
    run, package = tmp_path / "run", tmp_path / "package"
    trained = dermseg(
        "train", "attribute-unet-isic2018", "--data", attribute_dataset, "-o", run,
        "--folds", "2", *SMALL,
    )  # fmt: skip
    assert trained.returncode == 0, trained.stderr
    summary = json.loads((run / "out_of_fold" / "summary.json").read_text())
    assert summary["classes"]["all"]["num_images"] == 12
    assert set(summary["presence"]["classes"]) | set(summary["presence"]["undecided"]) == {
        *ATTRIBUTES
    }
    calibrated = dermseg(
        "calibrate", run / "fold-1" / "model", "--data", attribute_dataset, "--folds", run,
        "-o", package,
    )  # fmt: skip
    assert calibrated.returncode == 0, calibrated.stderr
    presence = load_package(package).spec.presence
    assert presence is not None
    assert "out-of-fold predictions of 2 folds" in presence.on
    assert presence.classes.keys() == summary["presence"]["classes"].keys()
    assert "## Which images show what" in (package / "MODEL_CARD.md").read_text()
    name, found = next(iter(presence.classes.items()))
    assert found.num_images == 12
    predicted = load_model(package).predict(
        attribute_dataset / "ISIC2018_Task1-2_Training_Input" / "ISIC_0000003.jpg"
    )
    assert predicted.presence[name] == found.model(predicted.presence_features[name])
    refused = dermseg(
        "calibrate", package, "--data", attribute_dataset, "--folds", run, "-o", tmp_path / "no",
        "--threshold-data", attribute_dataset,
    )  # fmt: skip
    assert refused.returncode == 2
    assert "threshold_data is for models of the lesion alone" in refused.stderr


def test_a_recipe_learns_from_masks_and_from_presence(
    attribute_dataset: Path, dermseg: Run, tmp_path: Path
) -> None:
    ids = [path.stem for path in (attribute_dataset / "ISIC2018_Task1-2_Training_Input").iterdir()]
    table = tmp_path / "presence.csv"
    rows = [f"{id},1,0,1,0,1" for id in sorted(ids)]
    table.write_text("\n".join([",".join(("id", *ATTRIBUTES)), *rows]) + "\n")
    photographs = tmp_path / "photographs"
    for name in ("ISIC2018_Task1-2_Training_Input", "ISIC2018_Task1_Training_GroundTruth"):
        shutil.copytree(attribute_dataset / name, photographs / name)
    trained = dermseg(
        "train", "attribute-unet-isic2018", "--data", attribute_dataset, "--data", photographs,
        "--presence", table, "-o", tmp_path / "run", *SMALL, "--set", "experimental=true",
        "--set", 'loss=[{name = "bce"}, {name = "presence", weight = 0.3}]',
        "--set", "data.evaluation_fraction=0.2", "--set", "data.selection_fraction=0.3",
    )  # fmt: skip
    assert trained.returncode == 0, trained.stderr
    record = json.loads((tmp_path / "run" / "run.json").read_text())
    assert len(record["data"]) == 2
    assert load_package(tmp_path / "run" / "model").spec.experimental


@pytest.mark.parametrize(
    ("recipe", "network"),
    [
        ("inception-aspp-unet-isic2017", "decoder_widths=[16, 16, 16]"),
        ("resnet-aspp-unet-attributes-isic2017", "encoder=resnet18"),
    ],
)
def test_superpixels_of_isic2017_are_learned_under_softmax(
    attribute_dataset: Path, dermseg: Run, tmp_path: Path, recipe: str, network: str
) -> None:
    root = _as_isic2017(attribute_dataset, tmp_path / "isic2017")
    trained = dermseg(
        "train", recipe, "--data", root, "-o", tmp_path / "run", *SMALL,
        "--set", "network.parameters.pretrained=false", "--set", "augmentation.window=[32, 32]",
        "--set", f"network.parameters.{network}",
    )  # fmt: skip
    assert trained.returncode == 0, trained.stderr
    spec = load_package(tmp_path / "run" / "model").spec
    assert spec.activation == "softmax"
    assert spec.classes == ["streaks", "negative_network", "milia_like_cyst", "pigment_network"]
    assert spec.lesion_crop is not None
    assert not spec.lesion_crop.inside_only
    assert "the encoder begins at random weights" in trained.stderr
    # The recipe's own kernels stay, and only thresholds are fitted.
    assert spec.postprocessing.erosion["streaks"] == 0.0195
    assert spec.postprocessing.dilation["negative_network"] == 0.082


def _as_isic2017(isic2018: Path, root: Path) -> Path:
    """The same images in the layout of ISIC 2017, Parts 1 and 2, with square superpixels."""
    data, lesions, features = (
        root / f"ISIC-2017_Training_{name}"
        for name in ("Data", "Part1_GroundTruth", "Part2_GroundTruth")
    )
    data.mkdir(parents=True)
    features.mkdir()
    shutil.copytree(isic2018 / "ISIC2018_Task1_Training_GroundTruth", lesions)
    for path in sorted((isic2018 / "ISIC2018_Task1-2_Training_Input").iterdir()):
        shutil.copy(path, data)
        height, width = read_image(path).shape[:2]
        rows, columns = np.indices((height, width)) // _CELL
        labels = (rows * -(-width // _CELL) + columns).astype(np.int32)
        picture = np.stack([labels & 255, labels >> 8, np.zeros_like(labels)], axis=2)
        write_image(data / f"{path.stem}_superpixels.png", picture.astype(np.uint8))
        folder = isic2018 / "ISIC2018_Task2_Training_GroundTruth_v3"
        flags = {}
        for name in ("pigment_network", "negative_network", "milia_like_cyst", "streaks"):
            mask = read_mask(folder / f"{path.stem}_attribute_{name}.png")
            flags[name] = score_superpixels(labels, mask) >= 0.5
        write_features(features / f"{path.stem}_features.json", flags)
    return root
