"""Probabilities of many images: added up, and not kept."""

from __future__ import annotations

import math
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image
from sklearn.metrics import average_precision_score, brier_score_loss, roc_auc_score

from dermseg.errors import ImageError
from dermseg.evaluation import (
    ImageScore,
    Item,
    MaskPair,
    Measures,
    Predicted,
    Skipped,
    evaluate_masks,
    evaluate_predictions,
    read_predictions,
    score_mask,
    summary,
)
from dermseg.evaluation.score_table import OVERLAP_SCORES
from dermseg.evaluation.scoring import score_item
from dermseg.images import write_mask, write_probability
from dermseg.metrics import ConfusionCounts

MakeMasks = Callable[..., Path]


def test_an_image_has_the_scores_counted_by_hand(
    lesion: NDArray[np.bool_], make_masks: MakeMasks
) -> None:
    truth = make_masks("truth", {"a": lesion}) / "a.png"
    prediction = np.zeros_like(lesion)
    prediction[1:5, 2:6] = True
    prediction[0, 0] = True
    score = score_mask("a", prediction, truth)
    assert score == ImageScore("a", ConfusionCounts(tp=16, fp=1, fn=4, tn=39))
    assert {name: score.value(name) for name in OVERLAP_SCORES} == {
        "jaccard": 16 / 21,
        "dice": 32 / 37,
        "thresholded_jaccard": 16 / 21,
        "accuracy": 55 / 60,
        "sensitivity": 16 / 20,
        "specificity": 39 / 40,
        "precision": 16 / 17,
    }
    assert (score.jaccard, score.dice) == (16 / 21, 32 / 37)
    assert math.isnan(score.value("hausdorff_95"))
    assert math.isnan(score.value("auc"))


def test_a_prediction_of_another_size_is_not_resized_but_refused(
    lesion: NDArray[np.bool_], make_masks: MakeMasks
) -> None:
    truth = make_masks("truth", {"a": lesion}) / "a.png"
    with pytest.raises(ImageError) as error:
        score_mask("a", lesion[:, :8], truth)
    assert str(error.value) == (
        "a: the prediction is 6 x 8 pixels, the truth a.png is 6 x 10 (height x width); "
        "predict at the image's native size"
    )


def test_a_prediction_that_cannot_be_read_is_handed_on_as_its_error(
    lesion: NDArray[np.bool_], make_masks: MakeMasks
) -> None:
    folder = make_masks("masks", {"a": lesion})
    (folder / "b.png").write_bytes(b"no image")
    pairs = [MaskPair(id, folder / f"{id}.png", folder / f"{id}.png") for id in ("a", "b")]
    (_, read, _), (_, failed, _) = read_predictions(pairs)
    assert not isinstance(read, ImageError)
    assert isinstance(read, Predicted)
    np.testing.assert_array_equal(read.mask, lesion)
    assert isinstance(failed, ImageError)


def test_an_item_that_cannot_be_scored_says_why(
    lesion: NDArray[np.bool_], make_masks: MakeMasks
) -> None:
    folder = make_masks("masks", {"a": lesion})
    broken = folder / "broken.png"
    broken.write_bytes(b"")
    error = ImageError("photo.jpg", "the file is cut off")
    items: list[Item] = [
        ("a", lesion, None),
        ("a", error, folder / "a.png"),
        ("a", lesion, broken),
        ("a", lesion.T, folder / "a.png"),
    ]
    reasons = [score_item(item) for item in items]
    assert all(isinstance(reason, Skipped) for reason in reasons)
    assert [str(reason) for reason in reasons[:3]] == [
        "a: there is no true mask for it",
        "a: photo.jpg: the file is cut off",
        f"a: {broken}: the file is empty",
    ]
    assert str(reasons[3]).startswith("a: the prediction is 10 x 6 pixels")


NUM_IMAGES = 5


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Truths, masks and probabilities; the last image has no probabilities."""
    generator = np.random.default_rng(0)
    for part in ("truth", "predictions"):
        (tmp_path / part).mkdir()
    for number in range(NUM_IMAGES):
        truth = np.zeros((20, 30 + number), np.bool_)
        truth[4:15, 5:20] = True
        probability = np.clip(0.6 * truth + generator.random(truth.shape) * 0.5, 0, 1)
        write_mask(tmp_path / "truth" / f"{number}_segmentation.png", truth)
        write_mask(tmp_path / "predictions" / f"{number}_segmentation.png", probability > 0.5)
        if number < NUM_IMAGES - 1:
            path = tmp_path / "predictions" / f"{number}_probability.png"
            write_probability(path, probability.astype(np.float32))
    return tmp_path


def pixels(folder: Path) -> tuple[NDArray[np.bool_], NDArray[np.float64]]:
    """Truth and probability of all pixels that have one, read by Pillow."""
    files = sorted((folder / "predictions").glob("*_probability.png"))
    names = [file.name.replace("probability", "segmentation") for file in files]
    truth = [np.asarray(Image.open(folder / "truth" / name)).ravel() > 128 for name in names]
    probability = [np.asarray(Image.open(file)).ravel() / 255 for file in files]
    return np.concatenate(truth), np.concatenate(probability)


def test_the_pooled_scores_are_those_of_scikit_learn_over_all_pixels(folder: Path) -> None:
    evaluation = evaluate_masks(
        folder / "truth", folder / "predictions", measures=Measures(probability=True)
    )
    truth, probability = pixels(folder)
    pooled = summary(evaluation)["pooled"]
    assert pooled["auc"] == pytest.approx(roc_auc_score(truth, probability), abs=1e-9)
    assert pooled["average_precision"] == pytest.approx(
        average_precision_score(truth, probability), abs=1e-9
    )
    assert pooled["brier_score"] == pytest.approx(brier_score_loss(truth, probability), abs=1e-9)


def test_an_image_gives_its_histograms_away_and_keeps_its_scores(folder: Path) -> None:
    evaluation = evaluate_masks(
        folder / "truth", folder / "predictions", measures=Measures(probability=True)
    )
    assert evaluation.pooled_probabilities is not None
    assert evaluation.pooled_probabilities[0].num_pixels == pixels(folder)[0].size
    *with_probability, without = evaluation.scores
    assert without.probability is None
    for score in with_probability:
        assert score.probability is not None
        assert score.histograms is None
        assert 0.5 < score.probability["auc"] <= 1


def test_masks_as_they_come_are_pooled_likewise(folder: Path) -> None:
    levels = np.full((20, 30), 51, np.uint8)
    truth = folder / "truth" / "0_segmentation.png"
    predicted = Predicted(levels > 128, levels)
    evaluation = evaluate_predictions(
        [(id, predicted, truth) for id in "ab"], measures=Measures(probability=True)
    )
    assert evaluation.pooled_probabilities is not None
    everywhere, near = evaluation.pooled_probabilities
    assert everywhere.num_pixels == 2 * levels.size
    assert everywhere.positives[51] == 2 * 11 * 15
    assert 0 < near.num_pixels < everywhere.num_pixels


def test_without_probabilities_nothing_is_pooled(folder: Path) -> None:
    evaluation = evaluate_masks(folder / "truth", folder / "predictions")
    assert evaluation.pooled_probabilities is None
    assert "pooled" not in summary(evaluation)
