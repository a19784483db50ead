"""Packages that are calibrated on generated images; what folds kept is written by hand."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path
from typing import Any
from xml.etree import ElementTree as ET

import numpy as np
import pytest
from scipy.special import expit

from dermseg.calibration import calibrate_package
from dermseg.calibration.held_out import find_held_out, find_unseen
from dermseg.calibration.thresholds import _choose_threshold, _jaccard_by_level
from dermseg.datasets import Dataset, FolderPair, open_source
from dermseg.errors import UsageError
from dermseg.images import write_image, write_mask
from dermseg.metrics import to_levels
from dermseg.package import DataSource, ModelPackage, load_package
from dermseg.phantom import PICTURES, create_phantom, create_picture
from dermseg.prediction import load_model
from dermseg.recipes import Recipe
from dermseg.training import TrainingData, cross_validate
from dermseg.types import ImageArray

SIZE = load_package().spec.input_size


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> Dataset:
    return _draw(tmp_path_factory.mktemp("phantoms"), 6)


def _draw(folder: Path, number: int) -> Dataset:
    pair = FolderPair(folder / "images", folder / "masks")
    pair.images.mkdir()
    pair.masks.mkdir()
    for seed in range(number):
        phantom = create_phantom(seed, size=(96, 128))
        write_image(pair.images / f"p{seed}.png", phantom.image)
        write_mask(pair.masks / f"p{seed}.png", phantom.mask)
    return open_source(pair)


def _with_origin(**values: Any) -> ModelPackage:
    package = load_package()
    update = {"training_ids": ["p9"], "selection_ids": [], "scores": [], **values}
    origin = package.spec.provenance.model_copy(update=update)
    return ModelPackage(package.folder, package.spec.model_copy(update={"provenance": origin}))


def _write(package: ModelPackage, folder: Path) -> Path:
    folder.mkdir(parents=True)
    for name in ("model.onnx", "recipe.toml"):
        (folder / name).write_bytes((package.folder / name).read_bytes())
    (folder / "model.json").write_text(package.spec.model_dump_json())
    return folder


def _write_folds(folder: Path, data: Dataset, logits: dict[str, np.ndarray]) -> Path:
    """A folder as of two folds: what they were trained on, and what they said."""
    source = DataSource(
        name=data.name, licence="CC0-1.0", fingerprint="", num_images=len(data.samples)
    )
    for number in (1, 2):
        _write(_with_origin(data=[source]), folder / f"fold-{number}" / "model")
    kept = folder / "out_of_fold" / "logits"
    kept.mkdir(parents=True)
    for name, values in logits.items():
        np.savez_compressed(kept / f"{name}.npz", logits=values.astype(np.float16))
    return folder


@pytest.mark.slow
def test_a_package_learns_its_doubts(
    data: Dataset, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    drawn: list[int] = []

    def draw(seed: int) -> ImageArray:
        drawn.append(seed)
        return create_picture(seed)

    monkeypatch.setattr("dermseg.calibration.calibrate.create_picture", draw)
    ids = [sample.id for sample in data.samples]
    model = _write(_with_origin(selection_ids=ids), tmp_path / "model")
    destination = tmp_path / "calibrated"
    spec = calibrate_package(model, [data], destination, num_generated=4)
    assert load_package(destination).spec == spec
    # Four of each kind, which take turns.
    assert drawn == list(range(4 * len(PICTURES)))
    assert spec.calibration is not None
    assert spec.calibration.num_images == 6
    assert sum(spec.calibration.after.pixels) == 6 * 96 * 128
    assert spec.calibration.on.startswith("the images that chose the checkpoint")
    assert 0.2 <= spec.postprocessing.threshold <= 0.8
    assert spec.quality is not None
    assert spec.out_of_distribution is not None
    assert spec.out_of_distribution.threshold == spec.postprocessing.threshold
    card = (destination / "MODEL_CARD.md").read_text("utf-8")
    for heading in ("## Calibration", "## Expected quality", "## Out of scope"):
        assert f"\n\n{heading}\n" in card
    assert "](reliability.svg)" in card
    assert ET.parse(destination / "reliability.svg").find("{*}polyline") is not None  # noqa: S314
    prediction = load_model(destination).predict(create_phantom(0).image)
    assert prediction.quality is not None
    with pytest.raises(UsageError, match="already there"):
        calibrate_package(model, [data], destination, num_generated=4)


@pytest.mark.slow
def test_what_real_folds_kept_is_what_is_calibrated_on(
    make_recipe: Callable[..., Recipe], disc_dataset: Path, tmp_path: Path
) -> None:
    run = tmp_path / "folds"
    cross_validate(
        make_recipe("training.epochs=1"),
        TrainingData([disc_dataset]),
        run,
        folds=2,
        num_workers=0,
    )
    data, model = open_source(disc_dataset), run / "fold-1" / "model"
    held_out = find_held_out(load_package(model), [data], run)
    seen = [
        {*origin.training_ids, *origin.selection_ids}
        for origin in (
            load_package(run / f"fold-{fold}" / "model").spec.provenance for fold in (1, 2)
        )
    ]
    for sample, prediction, _ in held_out.predict(temperature=1.0, bias=0.0):
        fold = 1 if sample.id in seen[1] else 2
        own = load_model(run / f"fold-{fold}" / "model").predict(sample.image)
        assert prediction.class_probabilities == pytest.approx(own.class_probabilities, abs=2e-3)
    assert {sample.id for sample in held_out.samples} == seen[0] | seen[1]
    spec = calibrate_package(model, [data], tmp_path / "model", folds=run, num_generated=4)
    assert spec.calibration is not None
    assert spec.calibration.on == "out-of-fold predictions of 2 folds of the training images"


def test_logits_that_folds_kept_replace_what_the_package_says(
    data: Dataset, tmp_path: Path
) -> None:
    logits = {f"p{seed}": np.full((1, *SIZE), seed - 1.0) for seed in range(3)}
    held_out = find_held_out(load_package(), [data], _write_folds(tmp_path, data, logits))
    found = list(held_out.predict(temperature=2.0, bias=0.5))
    assert [sample.id for sample, _, _ in found] == ["p0", "p1", "p2"]
    for seed, (_, prediction, truth) in enumerate(found):
        assert prediction.probability == pytest.approx(expit((seed - 1) / 2 + 0.5), abs=1e-3)
        assert (truth == create_phantom(seed, size=(96, 128)).mask).all()


def test_folds_of_another_kind_are_refused(data: Dataset, tmp_path: Path) -> None:
    package = load_package()
    with pytest.raises(UsageError, match="expected a folder of dermseg train --folds"):
        find_held_out(package, [data], tmp_path)
    folds = _write_folds(tmp_path / "folds", data, {"p0": np.zeros((1, 24, 32))})
    shape = re.escape(str((1, *SIZE)))
    with pytest.raises(UsageError, match=rf"logits of shape \(1, 24, 32\), expected {shape}"):
        list(find_held_out(package, [data], folds).predict())
    other = ModelPackage(package.folder, package.spec.model_copy(update={"input_size": (48, 64)}))
    with pytest.raises(UsageError, match="folds of the same recipe"):
        find_held_out(other, [data], folds)
    (folds / "out_of_fold" / "logits" / "p0.npz").write_bytes(b"no archive")
    with pytest.raises(UsageError, match="no logits can be read from it"):
        list(find_held_out(package, [data], folds).predict())


def test_data_that_a_model_was_not_trained_on_are_refused(data: Dataset, tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="none of 6 images was held out"):
        find_held_out(load_package(), [data], None)
    folds = _write_folds(tmp_path / "folds", data, {"p0": np.zeros((1, *SIZE))})
    with pytest.raises(UsageError, match="1 images or groups were held out"):
        calibrate_package("fast", [data], tmp_path / "model", folds=folds)
    with pytest.raises(UsageError, match="1 images, but the folds were trained on folder of 6"):
        find_held_out(load_package(), [_draw(tmp_path, 1)], folds)


def test_of_thresholds_that_are_nearly_as_good_the_middle_one_is_chosen() -> None:
    levels = np.arange(256)
    plateau = np.where((levels >= 140) & (levels <= 180), 0.8, 0.7)
    plateau[160] += 1e-3
    assert _choose_threshold(plateau) == pytest.approx(159.5 / 255, abs=1e-4)
    assert _choose_threshold(np.full(256, 0.8)) == pytest.approx(0.5, abs=2.5e-3)
    peak = 0.8 - 1e-3 * np.abs(levels - 170.0)
    assert _choose_threshold(peak) == pytest.approx(169.5 / 255, abs=1e-4)


@pytest.mark.slow
def test_the_threshold_may_be_chosen_on_images_of_another_camera(
    data: Dataset, tmp_path: Path
) -> None:
    ids = [sample.id for sample in data.samples]
    origin = _with_origin(training_ids=["elsewhere"], selection_ids=ids)
    model = _write(origin, tmp_path / "model")
    other = tmp_path / "other"
    other.mkdir()
    unseen = _draw(other, 12)
    with pytest.raises(UsageError, match="6 of 12 images of folder with masks were seen"):
        calibrate_package(model, [data], tmp_path / "none", threshold_data=unseen, num_generated=4)
    for name in ids:
        (other / "images" / f"{name}.png").unlink()
        (other / "masks" / f"{name}.png").unlink()
    camera = open_source(FolderPair(other / "images", other / "masks"))
    spec = calibrate_package(
        model, [data], tmp_path / "new", threshold_data=camera, num_generated=4
    )
    assert spec.calibration is not None
    assert spec.calibration.threshold_on == "6 images of folder"
    held_out = find_unseen(load_package(model), camera)
    total = sum(
        _jaccard_by_level(to_levels(prediction.probability), truth)
        for _, prediction, truth in held_out.predict(temperature=spec.temperature, bias=spec.bias)
    )
    assert spec.postprocessing.threshold == _choose_threshold(np.asarray(total) / 6)
    assert "chosen on 6 images of folder" in (tmp_path / "new/MODEL_CARD.md").read_text("utf-8")


def test_the_threshold_is_where_the_jaccard_index_is_highest() -> None:
    levels = np.array([[0, 100, 150, 200]], np.uint8)
    found = _jaccard_by_level(levels, np.array([[False, False, True, True]]))
    assert found[[0, 100, 101, 150, 151, 200, 201]].tolist() == pytest.approx(
        [2 / 4, 2 / 3, 1, 1, 1 / 2, 1 / 2, 0]
    )
    assert _jaccard_by_level(levels, np.zeros((1, 4), np.bool_))[[200, 201]].tolist() == [0, 1]
