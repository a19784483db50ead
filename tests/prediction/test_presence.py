from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from dermseg.prediction import Prediction
from dermseg.prediction.presence import presence_score
from dermseg.preprocessing import Box
from dermseg.recipes import Postprocessing

SIZE = (20, 30)


def _prediction(maps: np.ndarray, **values: Any) -> Prediction:
    classes = tuple(f"class{number}" for number in range(len(maps)))
    fields: dict[str, Any] = {
        "image": np.zeros((*SIZE, 3), np.uint8),
        "size": SIZE,
        "class_probabilities": maps.astype(np.float32),
        "classes": classes,
        "postprocessing": Postprocessing(),
        "seconds": 0.0,
    }
    return Prediction(**{**fields, **values})


def test_the_score_is_the_mean_of_the_two_hundredths_that_are_surest() -> None:
    probability = np.zeros((10, 20), np.float32)
    probability[3, 4:8] = (0.9, 0.7, 0.8, 0.6)
    probability[7, 7] = 0.5  # the fifth of 200
    assert presence_score(probability) == pytest.approx(0.75)


def test_of_few_pixels_one_decides() -> None:
    assert presence_score(np.array([[0.25, 0.5]])) == 0.5


def test_only_pixels_inside_count() -> None:
    probability = np.array([[0.9, 0.2], [0.4, 0.8]])
    inside = np.array([[False, True], [True, False]])
    assert presence_score(probability, inside) == 0.4
    assert presence_score(probability, np.zeros((2, 2), np.bool_)) == 0


def test_every_class_has_a_score_at_the_networks_size() -> None:
    maps = np.zeros((2, 5, 10))
    maps[0, 0, 0], maps[1, 4, 9] = 0.9, 0.3
    prediction = _prediction(maps)
    assert prediction.presence == {
        "class0": pytest.approx(0.9),
        "class1": pytest.approx(0.3),
    }


def test_what_is_cleared_outside_the_lesion_does_not_count() -> None:
    # The box is the right half; the lesion is its upper half.
    lesion_maps = np.zeros((1, *SIZE))
    lesion_maps[0, :10, 15:] = 1
    maps = np.zeros((1, 4, 5))
    maps[0, 0, 2], maps[0, 3, 2] = 0.6, 0.9
    values: dict[str, Any] = {
        "box": Box(top=0, left=15, height=20, width=15),
        "lesion": _prediction(lesion_maps),
    }
    assert _prediction(maps, **values).presence["class0"] == pytest.approx(0.9)
    inside = _prediction(maps, **values, inside_only=True)
    assert inside.presence["class0"] == pytest.approx(0.6)
