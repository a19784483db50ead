"""What is made of a model's expectations of its masks, whoever has them."""

from __future__ import annotations

import csv
import json
import math
import subprocess
from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from dermseg.errors import DatasetError
from dermseg.evaluation import (
    PROTOCOLS,
    Evaluation,
    ImageScore,
    Interval,
    bootstrap_interval,
    evaluate_masks,
    evaluate_model,
    evaluate_predictions,
    protocol_figures,
    share_caught,
    summary,
    write_evaluation,
)
from dermseg.evaluation.figures import mean_measures
from dermseg.evaluation.report import render_report
from dermseg.evaluation.score_table import OVERLAP_SCORES, PROBABILITY_SCORES
from dermseg.evaluation.scoring import Predicted
from dermseg.images import write_image, write_mask
from dermseg.metrics import ConfusionCounts
from dermseg.package import LinearModel, ModelPackage, QualityModel, load_package
from dermseg.phantom import create_phantom
from dermseg.prediction import (
    OutputOptions,
    Predictor,
    Quality,
    open_output,
    plan_jobs,
    predict_jobs,
)
from dermseg.types import Sample

IMAGES = [
    ImageScore("a", ConfusionCounts(tp=8, fp=2, fn=0, tn=90)),
    ImageScore("b", ConfusionCounts(tp=1, fp=0, fn=3, tn=6)),
    ImageScore("c", ConfusionCounts(tp=0, fp=0, fn=0, tn=5)),
]


def means_of(groups: Mapping[str, str]) -> Mapping[str, Interval]:
    return protocol_figures(PROTOCOLS["isic"], IMAGES, groups=groups, seed=4).figures


def test_every_score_of_an_image_is_aggregated() -> None:
    assert list(means_of({})) == [f"mean_{name}" for name in OVERLAP_SCORES]


def test_means_are_over_images_not_over_pixels() -> None:
    means = means_of({})
    assert means["mean_jaccard"].value == pytest.approx((0.8 + 0.25 + 1) / 3)
    assert means["mean_thresholded_jaccard"].value == pytest.approx((0.8 + 0 + 1) / 3)
    assert means["mean_dice"].value == pytest.approx((16 / 18 + 2 / 5 + 1) / 3)
    assert means["mean_accuracy"].value == pytest.approx((0.98 + 0.7 + 1) / 3)
    assert means["mean_sensitivity"].value == pytest.approx((1 + 0.25 + 1) / 3)
    assert means["mean_specificity"].value == pytest.approx((90 / 92 + 1 + 1) / 3)
    assert means["mean_precision"].value == pytest.approx((0.8 + 1 + 1) / 3)


def test_images_of_one_group_are_resampled_together() -> None:
    means = means_of({"a": "lesion", "b": "lesion"})
    expected = bootstrap_interval([0.8, 0.25, 1.0], groups=["lesion", "lesion", "c"], seed=4)
    assert means["mean_jaccard"] == expected


def test_what_no_protocol_knows_is_averaged_where_it_is_defined() -> None:
    probability = dict.fromkeys(PROBABILITY_SCORES, 0.5)
    scores = [
        replace(IMAGES[0], probability={**probability, "auc": 0.8, "brier_score": math.nan}),
        replace(IMAGES[1], probability={**probability, "auc": 0.6, "brier_score": math.nan}),
        IMAGES[2],
    ]
    means = mean_measures(scores, groups={}, seed=0)
    assert means["mean_auc"].value == pytest.approx(0.7)
    assert list(means) == [f"mean_{name}" for name in PROBABILITY_SCORES if name != "brier_score"]
    assert mean_measures(IMAGES, groups={}, seed=0) == {}


RNG = np.random.default_rng(0)
Run = Callable[..., "subprocess.CompletedProcess[str]"]


def _caught(expected: NDArray[np.float64], truth: NDArray[np.float64]) -> float:
    """By its meaning, image by image."""
    poor = truth < 0.65
    looked_at = np.argsort(expected, kind="stable")[: round(0.2 * len(truth))]
    return float(poor[looked_at].sum() / poor.sum())


def test_poor_masks_are_counted_among_those_of_least_expectation() -> None:
    truth = np.array([0.1, 0.2, 0.9, 0.9, 0.9, 0.9, 0.9, 0.9, 0.9, 0.9])
    for expected, share in ((truth, 1.0), (-truth, 0.0), (np.roll(truth, 1), 0.5)):
        found = share_caught(expected, truth)
        assert found is not None
        assert found.value == share
    assert share_caught(truth, np.ones(10)) is None


def test_the_interval_is_that_of_images_drawn_again() -> None:
    truth = RNG.uniform(0.4, 1, 150)
    expected = truth + 0.1 * RNG.normal(size=150)
    found = share_caught(expected, truth)
    assert found is not None
    assert found.value == _caught(expected, truth)
    rows = RNG.integers(0, 150, (4000, 150))
    drawn = [_caught(expected[row], truth[row]) for row in rows]
    assert (found.low, found.high) == pytest.approx(np.quantile(drawn, (0.025, 0.975)), abs=0.01)


def test_groups_are_drawn_whole() -> None:
    truth = RNG.uniform(0.4, 1, 60)
    expected = truth + 0.1 * RNG.normal(size=60)
    alone = share_caught(expected, truth)
    groups = [f"lesion{number % 60}" for number in range(180)]
    together = share_caught(np.tile(expected, 3), np.tile(truth, 3), groups=groups)
    assert alone is not None
    assert together is not None
    assert together.value == pytest.approx(alone.value, abs=0.02)
    assert together.high - together.low > 0.8 * (alone.high - alone.low)


@pytest.fixture
def evaluation(lesion: NDArray[np.bool_], tmp_path: Path) -> Evaluation:
    """Ten images, of which eight are right, one is poor and expected to be, and one surprises."""
    truth = tmp_path / "truth.png"
    write_mask(truth, lesion)
    poor = lesion & (np.arange(10) < 4)
    known = {0: (poor, 0.3, True), 1: (poor, 0.9, False), 2: (lesion, 0.5, True)}
    masks = [known.get(number, (lesion, 0.8, False)) for number in range(10)]
    return evaluate_predictions(
        (f"image{number}", Predicted(mask, quality=Quality(expected, review)), truth)
        for number, (mask, expected, review) in enumerate(masks)
    )


def test_figures_say_how_many_poor_masks_are_found(evaluation: Evaluation) -> None:
    figures = evaluation.quality
    assert figures is not None
    assert (figures.num_images, figures.num_poor, figures.num_review) == (10, 2, 2)
    assert figures.caught is not None
    assert figures.caught_by_review is not None
    assert figures.caught.value == 0.5
    assert figures.caught_by_review.value == 0.5
    # The poor masks have a Jaccard index of 0.4.
    assert figures.mean_error.value == pytest.approx((0.1 + 0.5 + 0.5 + 7 * 0.2) / 10)
    said = summary(evaluation)["quality"]
    assert (said["share"], said["poor_below"], said["num_poor"]) == (0.2, 0.65, 2)
    assert said["caught"]["value"] == 0.5


def test_the_table_of_images_has_what_was_expected(evaluation: Evaluation, tmp_path: Path) -> None:
    write_evaluation(tmp_path, evaluation)
    with (tmp_path / "per_image.csv").open(newline="") as file:
        rows = list(csv.DictReader(file))
    assert [row["expected_jaccard"] for row in rows[:3]] == ["0.3", "0.9", "0.5"]
    assert [row["review"] for row in rows[:3]] == ["1", "0", "1"]


def test_the_report_draws_what_was_expected(evaluation: Evaluation) -> None:
    page = render_report(evaluation)
    assert 'id="quality"' in page
    assert page.count('class="ring"') == 2
    assert "Masks below 0.65: 2. " in page
    assert "finds 50% of them" in page


def test_where_nothing_was_expected_nothing_is_said(
    lesion: NDArray[np.bool_], make_masks: Callable[..., Path], tmp_path: Path
) -> None:
    folder = make_masks("masks", {"a": lesion, "b": lesion})
    result = evaluate_masks(folder, folder)
    write_evaluation(tmp_path, result)
    assert result.quality is None
    assert "quality" not in summary(result)
    assert "review" not in (tmp_path / "per_image.csv").read_text()
    assert 'id="quality"' not in render_report(result)


@pytest.fixture(scope="module")
def predictor() -> Predictor:
    """The packaged model, expecting more the less is unsure."""
    package = load_package()
    sureness = LinearModel(
        features=["expected_overlap"], centres=[0.8], scales=[0.1], weights=[1.0], intercept=1.0
    )
    quality = QualityModel(jaccard=sureness, review_below=0.7)
    spec = package.spec.model_copy(update={"quality": quality, "out_of_distribution": None})
    return Predictor(ModelPackage(package.folder, spec))


def _predict(predictor: Predictor, source: Path, folder: Path) -> None:
    options = OutputOptions()
    jobs = plan_jobs([source], recursive=False)
    todo, kept = open_output(folder, jobs, predictor, options, existing="overwrite")
    for _ in predict_jobs(predictor, todo, folder, options, kept=kept):
        pass


def test_masks_on_disk_are_judged_as_the_model_itself(
    predictor: Predictor, dermseg: Run, tmp_path: Path
) -> None:
    samples = []
    for name in ("images", "truth"):
        (tmp_path / name).mkdir()
    for number in range(6):
        phantom = create_phantom(number)
        image, truth = tmp_path / f"images/p{number}.png", tmp_path / f"truth/p{number}.png"
        write_image(image, phantom.image)
        write_mask(truth, phantom.mask)
        samples.append(Sample(f"p{number}", image, truth, f"p{number}"))
    _predict(predictor, tmp_path / "images", tmp_path / "masks")
    result = evaluate_model(predictor, samples)
    done = dermseg(
        "evaluate", "--truth", tmp_path / "truth", "--predictions", tmp_path / "masks",
        "-o", tmp_path / "scores",
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    said = json.loads((tmp_path / "scores/summary.json").read_text())["quality"]
    assert result.quality is not None
    assert said["num_images"] == 6
    assert said["num_review"] == result.quality.num_review
    assert said["mean_error"]["value"] == pytest.approx(result.quality.mean_error.value, abs=1e-5)
    assert "mean difference of expected and true Jaccard" in done.stdout


def test_an_expectation_that_is_no_number_is_named(
    lesion: NDArray[np.bool_], make_masks: Callable[..., Path], predictor: Predictor, tmp_path: Path
) -> None:
    truth = make_masks("truth", {"a": lesion})
    write_image(tmp_path / "a.png", create_phantom(0).image)
    folder = tmp_path / "predicted"
    _predict(predictor, tmp_path / "a.png", folder)
    table = folder / "predictions.csv"
    header, row = table.read_text().splitlines()
    column = header.split(",").index("expected_jaccard")
    cells = row.split(",")
    cells[column] = "good"
    table.write_text(f"{header}\n{','.join(cells)}\n")
    with pytest.raises(DatasetError, match=r"a_segmentation.png is 'good', expected a number"):
        evaluate_masks(truth, folder)
