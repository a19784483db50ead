"""Which images show a class, by the model's score and by the lesion's area."""

from __future__ import annotations

import json

import numpy as np
import pytest
from sklearn.metrics import average_precision_score, roc_auc_score

from dermseg.evaluation import ImagePresence, presence_figures


def _images(
    shown: np.ndarray, scores: np.ndarray, areas: np.ndarray | None = None
) -> list[ImagePresence]:
    return [
        ImagePresence(
            f"image{number:04}",
            f"image{number:04}",
            {"streaks": float(score)},
            {"streaks": bool(is_shown)},
            None if areas is None else float(areas[number]),
            area_is_true=number % 2 == 0,
        )
        for number, (is_shown, score) in enumerate(zip(shown, scores, strict=True))
    ]


def _share_of_pairs(shown: np.ndarray, scores: np.ndarray) -> float:
    """The area under the curve by its meaning: pairs in the right order, ties half."""
    apart = scores[shown][:, None] - scores[~shown]
    return float(np.mean((apart > 0) + (apart == 0) / 2))


@pytest.fixture
def drawn() -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Presence, and two scores of 120 images that know something of it; one has many ties."""
    rng = np.random.default_rng(0)
    shown = rng.random(120) < 0.3
    scores = np.round(rng.normal(shown * 1.2, 1), 1)
    return shown, scores, rng.normal(shown * 0.3, 1)


def test_figures_are_those_of_scikit_learn_also_with_ties(
    drawn: tuple[np.ndarray, np.ndarray, np.ndarray],
) -> None:
    shown, scores, areas = drawn
    figures = presence_figures(_images(*drawn), seed=0)
    assert figures is not None
    (row,) = figures.classes
    assert row.auc.value == pytest.approx(roc_auc_score(shown, scores))
    assert row.average_precision.value == pytest.approx(average_precision_score(shown, scores))
    assert row.area_auc is not None
    assert row.area_auc.value == pytest.approx(roc_auc_score(shown, areas))
    assert (row.num_images, row.num_present) == (120, shown.sum())
    assert (figures.num_true_areas, figures.num_predicted_areas) == (60, 60)


def test_intervals_are_those_of_images_that_are_drawn_together(
    drawn: tuple[np.ndarray, np.ndarray, np.ndarray],
) -> None:
    shown, scores, areas = drawn
    figures = presence_figures(_images(*drawn), seed=0)
    assert figures is not None
    (row,) = figures.classes
    rng = np.random.default_rng(1)
    found = []
    for _ in range(3000):
        chosen = rng.integers(0, 120, 120)
        auc = _share_of_pairs(shown[chosen], scores[chosen])
        found.append((auc, auc - _share_of_pairs(shown[chosen], areas[chosen])))
    for interval, column in zip((row.auc, row.difference), np.transpose(found), strict=True):
        assert interval is not None
        expected = np.quantile(column, (0.025, 0.975))
        assert [interval.low, interval.high] == pytest.approx(expected, abs=0.01)


def test_a_model_that_ranks_by_area_is_no_better_than_area() -> None:
    rng = np.random.default_rng(0)
    shown = rng.random(200) < 0.4
    areas = rng.normal(shown * 1.0, 1)
    figures = presence_figures(_images(shown, areas * 2, areas), seed=0)
    assert figures is not None
    (row,) = figures.classes
    assert row.difference is not None
    assert (row.difference.low, row.difference.value, row.difference.high) == (0, 0, 0)
    assert row.beats_area is False


def test_a_model_that_knows_beats_area(drawn: tuple[np.ndarray, np.ndarray, np.ndarray]) -> None:
    shown, _, areas = drawn
    figures = presence_figures(_images(shown, shown * 0.9, areas), seed=0)
    assert figures is not None
    assert figures.classes[0].beats_area is True


def test_where_small_lesions_show_it_more_often_the_area_is_taken_that_way() -> None:
    shown = np.array([True, True, False, False, True, False] * 5)
    areas = np.where(shown, 0.1, 0.5)
    # To know nothing is no merit, though the area read the other way is worse.
    figures = presence_figures(_images(shown, np.zeros(30), areas), seed=0)
    assert figures is not None
    (row,) = figures.classes
    assert row.area_auc is not None
    assert (row.area_means_more, row.area_auc.value) == (False, 1)
    assert row.beats_area is False


def test_without_areas_nothing_is_compared(
    drawn: tuple[np.ndarray, np.ndarray, np.ndarray],
) -> None:
    shown, scores, _ = drawn
    figures = presence_figures(_images(shown, scores), seed=0)
    assert figures is not None
    (row,) = figures.classes
    assert (row.area_auc, row.difference, row.beats_area) == (None, None, None)
    assert json.loads(json.dumps(figures.as_json()))["classes"]["streaks"]["beats_area"] is None


def test_classes_with_one_kind_of_images_are_named_and_unknown_ones_left_out() -> None:
    scores = {"globules": 0.5, "streaks": 0.5, "pigment_network": 0.5}
    images = [
        ImagePresence("a", "a", scores, {"globules": True, "streaks": True}),
        ImagePresence("b", "b", scores, {"streaks": False}),
        ImagePresence("c", "c", scores, {}),
    ]
    figures = presence_figures(images, seed=0)
    assert figures is not None
    assert [(row.name, row.num_images) for row in figures.classes] == [("streaks", 2)]
    assert figures.undecided == ("globules",)
    assert figures.num_images == 2
    assert presence_figures(images[2:], seed=0) is None
