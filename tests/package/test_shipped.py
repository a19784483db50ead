"""The model that comes with the package."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from dermseg.datasets import open_dataset
from dermseg.metrics import jaccard
from dermseg.package import list_packages, load_package
from dermseg.phantom import PhantomOptions, create_phantom, create_plain_skin
from dermseg.prediction import load_model


@pytest.mark.parametrize("name", list_packages())
def test_the_shipped_models_are_small(name: str) -> None:
    size = sum(path.stat().st_size for path in load_package(name).folder.iterdir())
    largest = {"fast": 10e6, "fast-int8": 5e6, "attributes": 10e6}
    assert size <= largest[name]


@pytest.mark.parametrize("name", list_packages())
def test_nothing_is_said_of_the_machine_that_made_them(name: str) -> None:
    for path in load_package(name).folder.iterdir():
        assert b'.py", line' not in path.read_bytes()


def test_its_training_and_selection_images_are_all_named_and_apart() -> None:
    origin = load_package().spec.provenance
    assert len(origin.training_ids) == len(set(origin.training_ids)) == 1926
    assert len(origin.selection_ids) == len(set(origin.selection_ids)) == 214
    assert not set(origin.training_ids) & set(origin.selection_ids)
    assert [(source.name, source.licence) for source in origin.data] == [
        ("isic2017", "CC0-1.0"),
        ("isic2018", "CC0-1.0"),
    ]


def test_its_card_says_where_it_comes_from_and_that_it_is_no_diagnosis() -> None:
    package = load_package()
    card = (package.folder / "MODEL_CARD.md").read_text("utf-8")
    assert "no diagnosis" in card
    assert package.spec.provenance.commit in card
    reported = [score for score in package.spec.provenance.scores if not score.used_for_selection]
    assert [score.on for score in reported] == ["isic2017 validation"]


@pytest.mark.parametrize("name", ["fast", "fast-int8"])
def test_they_say_how_sure_they_are_and_what_they_are_not_for(name: str) -> None:
    package = load_package(name)
    assert package.spec.quality is not None
    assert package.spec.out_of_distribution is not None
    assert "reliability.svg" in (package.folder / "MODEL_CARD.md").read_text("utf-8")
    assert (package.folder / "reliability.svg").is_file()


@pytest.mark.data
@pytest.mark.parametrize("name", ["fast", "fast-int8"])
def test_no_validation_image_was_trained_on_or_chose_anything(real_data: Path, name: str) -> None:
    validation = open_dataset(real_data / "isic2017_256x192").part("validation")
    origin = load_package(name).spec.provenance
    seen = {*origin.training_ids, *origin.selection_ids}
    assert len(validation) == 150
    assert not seen & {sample.id for sample in validation}


def test_what_is_no_photograph_is_refused_and_dark_skin_is_not() -> None:
    predictor = load_model()
    dark = [
        create_phantom(seed, options=PhantomOptions(ita_degrees=tone)).image
        for seed in range(20)
        for tone in (-20, -50)
    ]
    assert [one.refusal for one in predictor.predict_many(dark)] == [None] * len(dark)
    skin = [create_plain_skin(seed) for seed in range(1000, 1020)]
    refused = [one.refusal for one in predictor.predict_many(skin)]
    assert refused.count(None) <= 2


@pytest.mark.slow
def test_it_finds_the_lesion_on_phantoms_that_it_never_saw() -> None:
    predictor = load_model()
    phantoms = [create_phantom(seed) for seed in range(1000, 1040)]
    scores = [jaccard(predictor.predict(one.image, force=True).mask, one.mask) for one in phantoms]
    assert np.mean(scores) >= 0.8
