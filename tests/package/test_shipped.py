"""The model that comes with the package."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from dermseg.datasets import open_dataset
from dermseg.metrics import jaccard
from dermseg.package import list_packages, load_package
from dermseg.phantom import create_phantom
from dermseg.prediction import load_model


def test_the_shipped_models_are_small() -> None:
    for name in list_packages():
        files = load_package(name).folder.iterdir()
        assert sum(path.stat().st_size for path in files) <= 10e6


def test_its_training_and_selection_images_are_all_named_and_apart() -> None:
    origin = load_package().spec.provenance
    assert len(origin.training_ids) == len(set(origin.training_ids)) == 1800
    assert len(origin.selection_ids) == len(set(origin.selection_ids)) == 200
    assert not set(origin.training_ids) & set(origin.selection_ids)
    assert [source.licence for source in origin.data] == ["CC0-1.0"]


def test_its_card_says_where_it_comes_from_and_that_it_is_no_diagnosis() -> None:
    package = load_package()
    card = (package.folder / "MODEL_CARD.md").read_text("utf-8")
    assert "no diagnosis" in card
    assert package.spec.provenance.commit in card
    reported = [score for score in package.spec.provenance.scores if not score.used_for_selection]
    assert [score.on for score in reported] == ["isic2017 validation"]


@pytest.mark.data
def test_no_validation_image_was_trained_on_or_chose_anything(real_data: Path) -> None:
    validation = open_dataset(real_data / "isic2017_256x192").part("validation")
    origin = load_package().spec.provenance
    seen = {*origin.training_ids, *origin.selection_ids}
    assert len(validation) == 150
    assert not seen & {sample.id for sample in validation}


@pytest.mark.slow
def test_it_finds_the_lesion_on_phantoms_that_it_never_saw() -> None:
    predictor = load_model()
    phantoms = [create_phantom(seed) for seed in range(1000, 1040)]
    scores = [jaccard(predictor.predict(one.image).mask, one.mask) for one in phantoms]
    assert np.mean(scores) >= 0.7
