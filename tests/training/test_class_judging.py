"""Several classes: scores over all pixels, fitted thresholds and kernels, and their pictures."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from dermseg.errors import DatasetError
from dermseg.evaluation import PROTOCOLS, evaluate_masks, find_protocol
from dermseg.evaluation.image_score import Measures
from dermseg.export import tune_package
from dermseg.images import read_image, read_mask, write_mask
from dermseg.package import load_package
from dermseg.prediction import Predictor, load_model
from dermseg.prediction.postprocessing import postprocess
from dermseg.recipes import Postprocessing
from dermseg.training.class_overlay import class_colors, draw_classes
from dermseg.training.judging import judge, known_masks
from dermseg.training.pictures import draw_curves, draw_overlays, draw_predictions, draw_roc
from dermseg.training.tuning import KERNELS, fit_kernels, fit_thresholds
from dermseg.types import Sample

CLASSES = ["globules", "streaks"]


@pytest.fixture(scope="module")
def predictor(color_package: Path) -> Predictor:
    return load_model(color_package)


def pooled_jaccard(
    predictor: Predictor, samples: list[Sample], name: str, options: Postprocessing
) -> float:
    """Jaccard index of the pixels of all images of one size, in numpy."""
    common, union = 0, 0
    for sample in samples:
        if name not in sample.attributes:
            continue
        probability = predictor.predict(sample.image).probabilities[name]
        mask = postprocess(probability, options, name)
        truth = known_masks(sample, [name])[name]
        common += int((mask & truth).sum())
        union += int((mask | truth).sum())
    return common / union


def test_figures_are_those_of_the_official_protocol_on_the_masks_as_files(
    predictor: Predictor, color_samples: list[Sample], tmp_path: Path
) -> None:
    options = Postprocessing(thresholds={"globules": 0.3, "streaks": 0.9})
    predictor = load_with(predictor, options)
    for folder in ("truth", "predictions"):
        (tmp_path / folder).mkdir()
    for sample in color_samples:
        masks = predictor.predict(sample.image).masks
        for name, truth in known_masks(sample, CLASSES).items():
            file = f"{sample.id}_attribute_{name}.png"
            write_mask(tmp_path / "truth" / file, truth)
            write_mask(tmp_path / "predictions" / file, masks[name])
    measures = Measures(protocols=(find_protocol("isic2018_task2"),))
    evaluation = evaluate_masks(tmp_path / "truth", tmp_path / "predictions", measures=measures)
    expected = evaluation.protocols[0].figures
    found = judge(predictor, color_samples).figures
    assert found == expected
    assert sorted(found) == sorted(
        f"pooled_{score}{part}"
        for score in PROTOCOLS["isic2018_task2"].scores
        for part in ("", "_globules", "_streaks")
    )
    # Green of 0.8 is a probability of 0.85: no streaks are found.
    assert found["pooled_jaccard_streaks"].value == 0
    assert 0 < found["pooled_jaccard"].value < found["pooled_jaccard_globules"].value < 1


def load_with(predictor: Predictor, options: Postprocessing) -> Predictor:
    """The model with other thresholds."""
    predictor = load_model_again(predictor)
    predictor.postprocessing = options
    return predictor


def load_model_again(predictor: Predictor) -> Predictor:
    copy = object.__new__(Predictor)
    copy.__dict__.update(predictor.__dict__)
    return copy
