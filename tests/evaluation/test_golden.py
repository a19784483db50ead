"""The scores of the official scorer of the ISIC challenges, see golden/make_golden.py."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from dermseg.evaluation import Evaluation, evaluate_masks

FOLDER = Path(__file__).parent / "golden"
GOLDEN: dict[str, Any] = json.loads((FOLDER / "scores.json").read_text())
# Their name for the same.
OFFICIAL_NAMES = {"thresholded_jaccard": "threshold_jaccard"}
SCORES = ("accuracy", "sensitivity", "specificity", "jaccard", "thresholded_jaccard", "dice")


@pytest.fixture(scope="module")
def evaluation() -> Evaluation:
    return evaluate_masks(FOLDER / "truth", FOLDER / "predictions")


def test_every_golden_image_is_scored(evaluation: Evaluation) -> None:
    assert [score.id for score in evaluation.scores] == sorted(GOLDEN["images"])
    (warning,) = evaluation.warnings
    assert warning.startswith("scored ISIC_0000100: the prediction: not binary: 75.00% of its")


@pytest.mark.parametrize(
    "id", [pytest.param(id, id=v["case"]) for id, v in GOLDEN["images"].items()]
)
def test_an_image_gets_the_official_scores(id: str, evaluation: Evaluation) -> None:
    (score,) = (score for score in evaluation.scores if score.id == id)
    expected = GOLDEN["images"][id]
    for name in ("tp", "fp", "fn", "tn"):
        assert getattr(score.counts, name) == expected[name]
    for name in (*SCORES, "precision"):
        assert score.value(name) == expected[OFFICIAL_NAMES.get(name, name)], name


@pytest.mark.parametrize("name", SCORES)
def test_the_means_are_the_official_ones(name: str, evaluation: Evaluation) -> None:
    expected = GOLDEN["means"][OFFICIAL_NAMES.get(name, name)]
    assert evaluation.aggregates[f"mean_{name}"].value == pytest.approx(expected, abs=1e-15)
