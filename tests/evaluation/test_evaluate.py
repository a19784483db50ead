from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray
from sklearn.metrics import jaccard_score

from dermseg.datasets import open_dataset
from dermseg.errors import DatasetError, ImageError, RunError, UsageError
from dermseg.evaluation import (
    Checks,
    EvaluationWarning,
    Item,
    Measures,
    choose_samples,
    evaluate_masks,
    evaluate_predictions,
    evaluate_samples,
    find_protocol,
)
from dermseg.images import read_mask, write_mask
from dermseg.package import load_package
from dermseg.types import Sample

Mask = NDArray[np.bool_]
MakeMasks = Callable[..., Path]


def test_masks_against_themselves_are_perfect(lesion: Mask, make_masks: MakeMasks) -> None:
    folder = make_masks("masks", {"a": lesion, "b": ~lesion})
    evaluation = evaluate_masks(folder, folder)
    assert (evaluation.num_scored, evaluation.num_skipped) == (2, 0)
    assert {interval.value for interval in evaluation.aggregates.values()} == {1.0}
    assert evaluation.warnings == ()
    assert evaluation.protocol == "isic"


@pytest.fixture
def troubled(lesion: Mask, make_masks: MakeMasks) -> tuple[Path, Path]:
    """One image that can be scored, and one for each thing that can go wrong."""
    truth = make_masks("truth", dict.fromkeys(["a", "missing", "broken", "small", "lost"], lesion))
    predictions = make_masks("predictions", {"a": lesion, "small": lesion[:3], "lost": lesion})
    (predictions / "broken.png").write_bytes(b"no image")
    (truth / "lost.png").write_bytes(b"")
    write_mask(predictions / "extra_segmentation.png", lesion)
    return truth, predictions


def test_images_that_cannot_be_scored_are_counted_and_named(troubled: tuple[Path, Path]) -> None:
    truth, predictions = troubled
    evaluation = evaluate_masks(truth, predictions)
    assert [score.id for score in evaluation.scores] == ["a"]
    assert [skipped.id for skipped in evaluation.skipped] == ["broken", "lost", "missing", "small"]
    assert evaluation.extra == ("extra",)
    assert evaluation.num_skipped == 4
    assert evaluation.warnings == (
        "4 of 5 images were skipped and do not enter the means",
        f"skipped broken: {predictions / 'broken.png'}: not one of DICOM, JPEG, PNG, BMP, TIFF, "
        "WebP, GIF, HEIC, AVIF",
        f"skipped lost: {truth / 'lost.png'}: the file is empty",
        f"skipped missing: no prediction in {predictions}",
        "skipped small: the prediction is 3 x 10 pixels, the truth small.png is 6 x 10 "
        "(height x width); predict at the image's native size",
        "1 predictions have no truth and were ignored: extra",
    )


def test_skipped_images_do_not_enter_the_means(troubled: tuple[Path, Path]) -> None:
    assert evaluate_masks(*troubled).aggregates["mean_jaccard"].value == 1


def test_nothing_to_score_is_an_error_that_shows_an_example(
    lesion: Mask, make_masks: MakeMasks
) -> None:
    truth = make_masks("truth", {"a": lesion, "b": lesion})
    predictions = make_masks("predictions", {"a_pred": lesion})
    with pytest.raises(DatasetError) as error:
        evaluate_masks(truth, predictions)
    assert str(error.value) == (
        f"none of 2 images could be scored, for example a: no prediction in {predictions}. "
        "Predictions without truth: a_pred"
    )


def test_samples_are_scored_with_their_groups(lesion: Mask, make_masks: MakeMasks) -> None:
    stems = ["a", "b", "c", "d"]
    truth = make_masks("truth", dict.fromkeys(stems, lesion))
    half = lesion & (np.arange(10) < 4)
    predictions = make_masks("predictions", {"a": lesion, "b": lesion, "c": half, "d": half})
    grouped, single = (
        [
            Sample(id, Path(), truth / f"{id}.png", group=group)
            for id, group in zip(stems, groups, strict=True)
        ]
        for groups in ("xxyy", "abcd")
    )
    of_groups = evaluate_samples(grouped, predictions).aggregates["mean_jaccard"]
    of_images = evaluate_samples(single, predictions).aggregates["mean_jaccard"]
    assert of_groups.value == of_images.value == pytest.approx(0.7)
    # Two groups of 1 and 0.4 can be drawn twice the same with a chance of a quarter each.
    assert (of_groups.low, of_groups.high) == pytest.approx((0.4, 1.0))


def test_masks_are_scored_as_they_are_predicted(lesion: Mask, make_masks: MakeMasks) -> None:
    truth = make_masks("truth", {"a": lesion, "b": lesion, "c": lesion})
    items: list[Item] = [
        ("b", lesion, truth / "b.png"),
        ("a", ~lesion, truth / "a.png"),
        ("c", ImageError("c.jpg", "the file is empty"), truth / "c.png"),
    ]
    evaluation = evaluate_predictions(iter(items))
    assert [(score.id, score.jaccard) for score in evaluation.scores] == [("a", 0.0), ("b", 1.0)]
    assert evaluation.warnings[1] == "skipped c: c.jpg: the file is empty"


def test_files_and_arrays_give_the_same_evaluation(make_masks: MakeMasks) -> None:
    rng = np.random.default_rng(0)
    truths = {f"i{n}": rng.random((9, 7)) < 0.5 for n in range(12)}
    predictions = {id: rng.random((9, 7)) < 0.5 for id in truths}
    truth = make_masks("truth", truths)
    items = ((id, mask, truth / f"{id}.png") for id, mask in predictions.items())
    evaluation = evaluate_masks(truth, make_masks("predictions", predictions))
    assert evaluate_predictions(items) == evaluation
    expected = np.mean(
        [jaccard_score(truths[id].ravel(), predictions[id].ravel()) for id in truths]
    )
    assert evaluation.aggregates["mean_jaccard"].value == pytest.approx(expected)


def test_an_id_that_comes_twice_is_refused(lesion: Mask, make_masks: MakeMasks) -> None:
    truth = make_masks("truth", {"a": lesion}) / "a.png"
    with pytest.raises(DatasetError, match="'a' was predicted twice"):
        evaluate_predictions([("a", lesion, truth)] * 2)


def test_the_seed_changes_the_intervals_only(make_masks: MakeMasks) -> None:
    rng = np.random.default_rng(0)
    truth = make_masks("truth", {f"i{n}": rng.random((9, 7)) < 0.5 for n in range(12)})
    predictions = make_masks("predictions", {f"i{n}": rng.random((9, 7)) < 0.5 for n in range(12)})
    first, second = (evaluate_masks(truth, predictions, seed=seed) for seed in (1, 2))
    assert first.scores == second.scores
    assert first.aggregates["mean_dice"].value == second.aggregates["mean_dice"].value
    assert first.aggregates["mean_dice"] != second.aggregates["mean_dice"]


def test_strict_checks_refuse_masks_that_are_not_in_order(troubled: tuple[Path, Path]) -> None:
    match = r"5 masks are not in order \(4 skipped \(.*1 predictions without truth"
    with pytest.warns(EvaluationWarning) as noted, pytest.raises(RunError, match=match):
        evaluate_masks(*troubled, checks=Checks(strict=True))
    assert [str(warning.message) for warning in noted] == list(evaluate_masks(*troubled).warnings)


def test_strict_checks_pass_masks_that_are_in_order(lesion: Mask, make_masks: MakeMasks) -> None:
    folder = make_masks("masks", {"a": lesion})
    assert evaluate_masks(folder, folder, checks=Checks(strict=True)) == evaluate_masks(
        folder, folder
    )


def test_masks_of_a_model_that_has_seen_the_image_are_no_test_result(
    lesion: Mask, make_masks: MakeMasks
) -> None:
    spec = load_package("fast").spec
    seen = next(id for id in spec.provenance.training_ids if id.startswith("ISIC_"))
    truth = make_masks("truth", {seen: lesion}) / f"{seen}.png"
    items: list[Item] = [(seen, lesion, truth)]
    with pytest.warns(EvaluationWarning, match=f"NO TEST RESULT: .*{seen}"):
        result = evaluate_predictions(items, checks=Checks(model=spec))
    assert result.leaks is not None
    assert result.leaks.trained == (seen,)
    assert result.warnings[0].startswith("NO TEST RESULT")
    with (
        pytest.warns(EvaluationWarning),
        pytest.raises(RunError, match="1 of the 1 images are not new to the model"),
    ):
        evaluate_predictions(items, checks=Checks(model=spec, strict=True))


def test_a_protocol_of_attributes_refuses_masks_of_lesions(
    lesion: Mask, make_masks: MakeMasks
) -> None:
    folder = make_masks("masks", {"a": lesion})
    measures = Measures(protocols=(find_protocol("isic2018_task2"),))
    with pytest.raises(UsageError, match="is for masks of dermoscopic attributes"):
        evaluate_masks(folder, folder, measures=measures)


def test_the_part_of_a_dataset_is_chosen_by_its_split(disc_dataset: Path) -> None:
    dataset, everything = choose_samples(disc_dataset)
    assert everything == list(dataset.samples)
    _, chosen = choose_samples(disc_dataset, "train")
    assert 0 < len(chosen) < len(everything)
    with pytest.raises(UsageError, match="no part 'exam'; the split's parts are"):
        choose_samples(disc_dataset, "exam")
    with pytest.raises(UsageError, match="name the part to evaluate"):
        choose_samples(disc_dataset, split_file=disc_dataset / "split.json")


@pytest.mark.data
def test_the_truth_of_real_images_scores_one_against_itself(real_data: Path) -> None:
    dataset = open_dataset(real_data / "isic2017_256x192")
    folder = real_data / "isic2017_256x192/ISIC-2017_Validation_Part1_GroundTruth"
    evaluation = evaluate_samples(dataset.part("validation"), folder)
    assert (evaluation.num_scored, evaluation.warnings) == (150, ())
    assert evaluation.aggregates["mean_jaccard"].low == 1


@pytest.mark.data
def test_a_real_mask_keeps_its_scores_when_everything_is_lesion(real_data: Path) -> None:
    dataset = open_dataset(real_data / "isic2017_native")
    sample = dataset.samples[0]
    assert sample.mask is not None
    truth = read_mask(sample.mask)
    evaluation = evaluate_predictions([(sample.id, np.ones_like(truth), sample.mask)])
    assert evaluation.scores[0].jaccard == truth.mean()
