from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from dermseg.errors import UsageError
from dermseg.images import read_image, write_image, write_mask
from dermseg.package import ModelPackage, load_package
from dermseg.phantom import create_phantom
from dermseg.prediction import load_model
from dermseg.training.calibrating import calibrate_package
from dermseg.training.calibrating.held_out import find_held_out
from dermseg.types import Sample


@pytest.fixture(scope="module")
def samples(tmp_path_factory: pytest.TempPathFactory) -> list[Sample]:
    folder, found = tmp_path_factory.mktemp("phantoms"), []
    for seed in range(6):
        phantom = create_phantom(seed, size=(96, 128))
        image, mask = folder / f"p{seed}.png", folder / f"p{seed}_segmentation.png"
        write_image(image, phantom.image)
        write_mask(mask, phantom.mask)
        found.append(Sample(id=f"p{seed}", image=image, mask=mask, group=f"p{seed}"))
    return found


def _with_ids(training: list[str], selection: list[str]) -> ModelPackage:
    package = load_package()
    update = {"training_ids": training, "selection_ids": selection, "scores": []}
    origin = package.spec.provenance.model_copy(update=update)
    return ModelPackage(package.folder, package.spec.model_copy(update={"provenance": origin}))


def _write(package: ModelPackage, folder: Path) -> Path:
    folder.mkdir(parents=True)
    for name in ("model.onnx", "recipe.toml"):
        (folder / name).write_bytes((package.folder / name).read_bytes())
    (folder / "model.json").write_text(package.spec.model_dump_json())
    return folder


@pytest.mark.slow
def test_a_package_learns_its_doubts(samples: list[Sample], tmp_path: Path) -> None:
    model = _write(_with_ids(["p9"], [sample.id for sample in samples]), tmp_path / "model")
    destination = tmp_path / "calibrated"
    spec = calibrate_package(model, samples, destination, num_generated=4)
    assert load_package(destination).spec == spec
    assert spec.calibration is not None
    assert spec.calibration.num_images == 6
    assert sum(spec.calibration.after.pixels) == 6 * 96 * 128
    assert 0.2 <= spec.postprocessing.threshold <= 0.8
    assert spec.quality is not None
    assert spec.scope is not None
    card = (destination / "MODEL_CARD.md").read_text("utf-8")
    for heading in ("## Calibration", "## Expected quality", "## Out of scope"):
        assert heading in card
    assert "](reliability.png)" in card
    assert read_image(destination / "reliability.png").shape[2] == 3
    prediction = load_model(destination).predict(create_phantom(0).image)
    assert prediction.quality is not None
    with pytest.raises(UsageError, match="already there"):
        calibrate_package(model, samples, destination, num_generated=4)


def test_each_fold_predicts_what_it_did_not_see(samples: list[Sample], tmp_path: Path) -> None:
    _write(_with_ids(["p0", "p1"], ["p2"]), tmp_path / "fold-1" / "model")
    _write(_with_ids(["p3", "p4"], ["p5"]), tmp_path / "fold-2" / "model")
    held_out = find_held_out(load_package(), samples, tmp_path)
    ids = [[sample.id for sample in part] for _, part in held_out.parts]
    assert ids == [["p3", "p4", "p5"], ["p0", "p1", "p2"]]
    assert held_out.on == "out-of-fold predictions of 2 folds of the training images"
    assert held_out.num_images == 6


def test_data_that_a_model_was_not_trained_on_are_refused(
    samples: list[Sample], tmp_path: Path
) -> None:
    with pytest.raises(UsageError, match="none of 6 images was held out"):
        find_held_out(load_package(), samples, None)
    with pytest.raises(UsageError, match="expected at least 2 folds"):
        find_held_out(load_package(), samples, tmp_path)


def test_the_temperature_of_the_fit_is_the_one_that_is_asked_for(samples: list[Sample]) -> None:
    held_out = find_held_out(_with_ids([], ["p0"]), samples, None)
    (plain,) = held_out.predict(temperature=1.0)
    (soft,) = held_out.predict(temperature=2.0)
    logits = [
        np.log(np.clip(p, 1e-6, 1 - 1e-6) / (1 - np.clip(p, 1e-6, 1 - 1e-6)))
        for p in (plain[1].class_probabilities, soft[1].class_probabilities)
    ]
    inner = np.abs(logits[0]) < 8
    assert logits[1][inner] == pytest.approx(logits[0][inner] / 2, abs=0.01)
