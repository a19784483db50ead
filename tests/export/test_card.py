"""The card of a model of several classes, and of lesions as ever."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from dermseg.export.card import model_card
from dermseg.package import ModelSpec, Score, load_package
from dermseg.recipes import LesionCrop, Postprocessing


@pytest.fixture
def spec(dark_package: Path) -> ModelSpec:
    return load_package(dark_package).spec


def with_origin(spec: ModelSpec, values: dict[str, Any], **others: Any) -> ModelSpec:
    origin = spec.provenance.model_copy(update=values)
    return spec.model_copy(update={"provenance": origin, **others})


@pytest.fixture
def attributes(spec: ModelSpec) -> ModelSpec:
    """A model of two structures, with fitted thresholds and two scores."""
    values = {
        "pooled_jaccard": (0.3, 0.2, 0.4),
        "pooled_dice": (0.5, 0.4, 0.6),
        "pooled_jaccard_globules": (0.1, 0.05, 0.15),
        "pooled_dice_globules": (0.2, 0.15, 0.25),
        "pooled_jaccard_pigment_network": (0.6, 0.5, 0.7),
    }
    score = Score(on="drawn images", num_images=30, used_for_selection=True, values=values)
    return with_origin(
        spec,
        {"scores": [score], "untuned_postprocessing": Postprocessing(threshold=0.5)},
        classes=["globules", "pigment_network"],
        lesion_crop=LesionCrop(model="fast", margin=0.1, inside_only=True),
        postprocessing=Postprocessing(
            thresholds={"globules": 0.125}, erosion={"globules": 0.012}, threshold=0.4
        ),
    )


def test_scores_have_a_row_for_each_class(attributes: ModelSpec) -> None:
    lines = model_card(attributes).splitlines()
    assert "| class | pooled jaccard | pooled dice |" in lines
    assert "| all together | 0.3000 (0.2000 to 0.4000) | 0.5000 (0.4000 to 0.6000) |" in lines
    assert "| globules | 0.1000 (0.0500 to 0.1500) | 0.2000 (0.1500 to 0.2500) |" in lines
    assert "| pigment network | 0.6000 (0.5000 to 0.7000) | not measured |" in lines
    assert any("30 images (these images chose the checkpoint" in line for line in lines)


def test_figure_of_no_class_stands_below_the_table(attributes: ModelSpec) -> None:
    (score,) = attributes.provenance.scores
    values = {**score.values, "mean_auc": (0.9, 0.8, 1.0)}
    scores = [score.model_copy(update={"values": values})]
    card = model_card(with_origin(attributes, {"scores": scores}))
    assert "Mean auc: 0.9000 (0.8000 to 1.0000)." in card.splitlines()


def test_masks_of_structures_are_explained(attributes: ModelSpec) -> None:
    card = " ".join(model_card(attributes).split())
    for fact in (
        "Classes: globules, pigment network.",
        "where structures in a lesion are, never what the lesion is.",
        "cut to the lesion that the model `fast` finds, with a margin of 10%",
        "Nothing outside that lesion is ever marked.",
        "| globules | 0.125 | 0.012 | 0 |",
        "| pigment network | 0.400 | 0 | 0 |",
        "fitted to the images that chose the checkpoint",
        "| globules | 0.500 | 0 | 0 |",
    ):
        assert fact in card
    assert "Drawing the border" not in card


def test_lesions_keep_their_table_of_measures(spec: ModelSpec) -> None:
    values = {"mean_jaccard": (0.8, 0.7, 0.9)}
    score = Score(on="isic2017 test", num_images=9, used_for_selection=False, values=values)
    card = model_card(with_origin(spec, {"scores": [score]}))
    assert "| mean_jaccard | 0.8000 | 0.7000 to 0.9000 |" in card
    assert "pixel belongs to the lesion from 0.5 upwards." in card
    assert "fitted" not in card
