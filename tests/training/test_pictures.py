"""Which images are shown, and what is counted for the ROC curve."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from dermseg.datasets import open_dataset
from dermseg.evaluation.scoring import ImageScore
from dermseg.images import read_image
from dermseg.metrics import ConfusionCounts, RocCounts
from dermseg.prediction import load_model
from dermseg.training.final_scores import score_model
from dermseg.training.pictures import _choose_telling, draw_overlays, draw_roc


def score(id: str, num_right: int) -> ImageScore:
    """An image's score with a Jaccard index of a hundredth of the number."""
    return ImageScore.from_counts(id, ConfusionCounts(num_right, 0, 100 - num_right, 0))


def test_four_of_each_kind_are_shown_the_worst_first_among_the_worst() -> None:
    scores = [score(f"{num:02}", num) for num in range(21)]
    assert _choose_telling(scores) == {
        "best": ["20", "19", "18", "17"],
        "median": ["12", "11", "10", "09"],
        "worst": ["00", "01", "02", "03"],
    }


@pytest.mark.parametrize(
    ("num", "lengths"), [(1, (1, 0, 0)), (2, (1, 0, 1)), (3, (1, 1, 1)), (7, (3, 1, 3))]
)
def test_no_image_is_shown_twice(num: int, lengths: tuple[int, int, int]) -> None:
    chosen = _choose_telling([score(str(number), number) for number in range(num)])
    assert tuple(len(ids) for ids in chosen.values()) == lengths
    ids = [id for kind in chosen.values() for id in kind]
    assert len(ids) == len(set(ids))


def test_final_scores_rate_every_image_and_counts_every_pixel(
    dark_package: Path, disc_dataset: Path, tmp_path: Path
) -> None:
    predictor = load_model(dark_package)
    samples = open_dataset(disc_dataset).samples[:4]
    final = score_model(predictor, samples)
    counts = final.pixels["lesion"]
    assert [score.id for score in final.scores] == [sample.id for sample in samples]
    assert counts.positives.sum() + counts.negatives.sum() == 4 * 48 * 64
    assert counts.positives.sum() == sum(
        score.counts.tp + score.counts.fn for score in final.scores
    )
    # Discs are dark, and so is what this model calls lesion.
    assert counts.area() > 0.99

    draw_overlays(predictor, samples, final.scores, tmp_path / "overlays")
    files = sorted((tmp_path / "overlays").iterdir())
    assert len(files) == 4
    assert {file.name.partition("_")[0] for file in files} == {
        "best-1",
        "best-2",
        "worst-1",
        "worst-2",
    }
    assert read_image(files[0]).shape == (48, 2 * 64, 3)


def test_curve_is_drawn_also_where_there_is_none(tmp_path: Path) -> None:
    counts = RocCounts()
    draw_roc({"lesion": counts}, tmp_path / "none.png")
    counts.add(np.array([[0.9, 0.1]]), np.array([[True, False]]))
    draw_roc({"lesion": counts}, tmp_path / "roc.png")
    without, with_curve = (read_image(tmp_path / name) for name in ("none.png", "roc.png"))
    assert without.shape == with_curve.shape
    assert not np.array_equal(without, with_curve)
