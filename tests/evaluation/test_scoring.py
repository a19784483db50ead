from __future__ import annotations

import math
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from dermseg.errors import ImageError
from dermseg.evaluation import (
    ImageScore,
    Item,
    Pair,
    Predicted,
    Skipped,
    read_predictions,
    score_mask,
)
from dermseg.evaluation.score_table import OVERLAP_SCORES
from dermseg.evaluation.scoring import score_item
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
    pairs = [Pair(id, folder / f"{id}.png", folder / f"{id}.png") for id in ("a", "b")]
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
