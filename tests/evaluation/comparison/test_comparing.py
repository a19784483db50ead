from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from dermseg.errors import UsageError
from dermseg.evaluation import (
    SCORES,
    ImageScore,
    Measures,
    Predicted,
    bootstrap_interval,
    score_mask,
)
from dermseg.evaluation.comparison import (
    Comparison,
    align,
    compare,
    conclusions,
    coverage_warnings,
    most_different,
    read_evaluation,
    signed_ranks,
    summarize,
)
from dermseg.images import write_mask

Write = Callable[..., Path]
GENERATOR = np.random.default_rng(0)
BASE = GENERATOR.beta(8, 2, 60)
CLOSE = BASE + GENERATOR.normal(0, 0.01, 60)
WORSE = BASE - np.abs(GENERATOR.normal(0.05, 0.01, 60))


def run(*folders: Path, score: str = "jaccard", common: bool = False) -> Comparison:
    stored = [read_evaluation(folder) for folder in folders]
    return compare(align(stored, common=common), score=score)


def test_a_hand_computed_comparison(write: Write) -> None:
    result = run(
        write("one", {"jaccard": [0.9, 0.8, 0.7, 0.6]}),
        write("two", {"jaccard": [0.8, 0.8, 0.9, 0.3]}),
    )
    assert [ranked.name for ranked in result.ranking] == ["one", "two"]
    assert [ranked.mean.value for ranked in result.ranking] == pytest.approx([0.75, 0.7])
    (pair,) = result.pairs
    assert pair.difference.mean.value == pytest.approx(0.05)
    outcomes = pair.difference.num_wins, pair.difference.num_ties, pair.difference.num_losses
    assert outcomes == (2, 1, 1)
    # Ranks of 0, 0.1, 0.2, 0.3 are 1 to 4; the positive ones sum to 2 + 4, the negative to 3.
    assert pair.ranks.balance == pytest.approx(3 / 9)
    assert not pair.told_apart
    low, high = pair.difference.mean.low, pair.difference.mean.high
    assert conclusions(result) == [
        "one and two cannot be told apart on these 4 images: "
        f"jaccard +0.0500 [{low:+.4f}, {high:+.4f}], p = {pair.adjusted_p_value:.3f}"
    ]


def test_the_interval_is_that_of_the_differences(write: Write) -> None:
    result = run(write("a", {"jaccard": list(BASE)}), write("b", {"jaccard": list(CLOSE)}))
    difference = result.pairs[0].difference
    sign = 1 if difference.first == "a" else -1
    expected = bootstrap_interval(sign * (BASE - CLOSE))
    assert difference.mean.low == pytest.approx(expected.low, abs=1e-12)
    assert difference.mean.high == pytest.approx(expected.high, abs=1e-12)


def test_groups_are_resampled_and_tested_as_one(write: Write) -> None:
    groups = [f"lesion_{number // 3}" for number in range(60)]
    result = run(
        write("a", {"jaccard": list(BASE)}, groups=groups),
        write("b", {"jaccard": list(WORSE)}, groups=groups),
    )
    assert result.num_groups == 20
    (pair,) = result.pairs
    expected = bootstrap_interval(BASE - WORSE, groups=groups)
    assert pair.difference.mean.low == pytest.approx(expected.low, abs=1e-12)
    means = (BASE - WORSE).reshape(20, 3).mean(axis=1)
    assert pair.ranks.p_value == pytest.approx(signed_ranks(means).p_value)
    assert "on these 60 images (20 groups): jaccard +0.0" in conclusions(result)[0]


def test_three_models_of_which_two_cannot_be_told_apart(write: Write) -> None:
    result = run(
        write("worse", {"jaccard": list(WORSE)}),
        write("base", {"jaccard": list(BASE)}),
        write("close", {"jaccard": list(CLOSE)}),
    )
    assert [ranked.letters for ranked in result.ranking] == ["a", "a", "b"]
    assert result.ranking[2].name == "worse"
    lines = conclusions(result)
    assert lines[0].endswith(" and close cannot be told apart on these 60 images")
    assert sum("is better than worse on these 60 images" in line for line in lines) == 2
    raw = sorted(pair.ranks.p_value for pair in result.pairs)
    adjusted = sorted(pair.adjusted_p_value for pair in result.pairs)
    assert adjusted == pytest.approx([3 * raw[0], max(2 * raw[1], 3 * raw[0]), raw[2]])


def test_less_is_better_for_errors(write: Write) -> None:
    result = run(
        write("far", {"hausdorff_95": [5.0, 7.0, 3.0]}),
        write("near", {"hausdorff_95": [4.0, 1.0, 3.5]}),
        score="hausdorff_95",
    )
    assert [ranked.name for ranked in result.ranking] == ["near", "far"]
    difference = result.pairs[0].difference
    assert difference.mean.value == pytest.approx(-6.5 / 3)
    assert (difference.num_wins, difference.num_losses) == (2, 1)


def test_the_sign_of_the_difference_and_who_is_better_agree_for_errors(write: Write) -> None:
    result = run(
        write("far", {"cross_entropy": list(1 - WORSE)}),
        write("near", {"cross_entropy": list(1 - BASE)}),
        score="cross_entropy",
    )
    assert result.pairs[0].told_apart
    assert conclusions(result)[0].startswith("near is better than far on these 60 images")


def test_the_table_says_which_scores_are_smaller_for_a_better_mask(tmp_path: Path) -> None:
    truth = np.zeros((60, 60), np.bool_)
    truth[20:40, 20:40] = True
    write_mask(tmp_path / "truth.png", truth)
    measures = Measures(boundary=True, probability=True, relative_tolerance=0.1)

    def score(mask: np.ndarray) -> ImageScore:
        levels = np.where(mask, 230, 20).astype(np.uint8)
        return score_mask("id", Predicted(mask, levels), tmp_path / "truth.png", measures)

    better, worse = score(np.roll(truth, 1, (0, 1))), score(np.roll(truth, 9, (0, 1)))
    for name in SCORES:
        first, second = better.value(name), worse.value(name)
        assert first != second, name
        assert (first < second) == (SCORES[name].better == "lower"), name


def test_a_mean_that_contradicts_the_test_does_not_rank(write: Write) -> None:
    # Slightly better on nearly all images, and far worse on two: the higher mean loses the test.
    often = np.full(60, 0.8) + 0.002 * np.arange(1, 61) / 60
    often[:2] = 0.1
    result = run(write("often", {"jaccard": list(often)}), write("steady", {"jaccard": [0.8] * 60}))
    (pair,) = result.pairs
    assert result.ranking[0].name == "steady"
    assert pair.adjusted_p_value < 0.001
    assert pair.contradicts
    assert not pair.told_apart
    assert [ranked.letters for ranked in result.ranking] == ["a", "a"]
    assert "are not ranked apart although p is below 0.05" in conclusions(result)[-1]
    assert "steady is better on 2 images, often on 58" in conclusions(result)[-1]


def test_equal_models_are_alike(write: Write) -> None:
    result = run(write("a", {"jaccard": list(BASE)}), write("b", {"jaccard": list(BASE)}))
    (pair,) = result.pairs
    assert (pair.ranks.p_value, pair.difference.num_ties) == (1.0, 60)
    assert [ranked.letters for ranked in result.ranking] == ["a", "a"]
    assert most_different(result, 5) == []


def test_images_without_a_score_are_left_out_for_all_and_counted(write: Write) -> None:
    result = run(
        write("a", {"hausdorff_95": [1.0, None, 3.0, 4.0]}),
        write("b", {"hausdorff_95": [2.0, 9.0, None, 4.0]}),
        write("c", {"hausdorff_95": [2.0, 9.0, 9.0, 5.0]}),
        score="hausdorff_95",
    )
    assert result.num_images == 2
    assert [ranked.mean.value for ranked in result.ranking] == [2.5, 3.0, 3.5]
    assert result.num_undefined == {"hausdorff_95": {"a": 1, "b": 1, "c": 0}}
    assert (
        "2 of 4 images have no hausdorff_95 in every evaluation and are left out of it "
        "(without: a 1, b 1)"
    ) in result.warnings
    assert result.pairs[0].difference.num_wins == 1


def test_groups_stay_with_their_images_where_some_are_left_out(write: Write) -> None:
    groups = ["x", "y", "y", "z", "z"]
    result = run(
        write("a", {"jaccard": [0.5, 0.6, None, 0.8, 0.9]}, groups=groups),
        write("b", {"jaccard": [0.4, 0.6, 0.1, 0.6, 0.5]}, groups=groups),
    )
    assert result.pairs[0].ranks == signed_ranks([0.1, 0.0, 0.3])


def test_a_score_that_one_evaluation_lacks_is_named(write: Write) -> None:
    folders = (
        write("a", {"cross_entropy": [0.1, 0.2]}),
        write("b", {"jaccard": [0.5, 0.6]}),
    )
    assert "cross_entropy is not compared: b has none" in run(*folders).warnings
    with pytest.raises(UsageError, match=r"--score cross_entropy: b has none\. All .* jaccard$"):
        run(*folders, score="cross_entropy")
    with pytest.raises(UsageError, match="--score iou: no evaluation has such a score"):
        run(*folders, score="iou")


def test_surface_distances_of_other_tolerances_are_not_compared(write: Write) -> None:
    scores = {"normalized_surface_distance": [0.5, 0.6], "jaccard": [0.5, 0.6]}
    one = write("one", scores, tolerances={"normalized_surface_distance": 3.0})
    two = write("two", scores, tolerances={"normalized_surface_distance": 5.0})
    result = run(one, two)
    assert "normalized_surface_distance" not in result.differences
    assert "its tolerances differ (3.0, 5.0)" in result.warnings[0]
    with pytest.raises(UsageError, match="measured with other tolerances"):
        run(one, two, score="normalized_surface_distance")


def test_a_score_without_any_common_image_is_refused(write: Write) -> None:
    folders = (
        write("a", {"jaccard": [0.5, None]}),
        write("b", {"jaccard": [None, 0.5]}),
    )
    with pytest.raises(UsageError, match="undefined on every image"):
        run(*folders)


def test_the_images_that_differ_most_come_first(write: Write) -> None:
    result = run(
        write("a", {"jaccard": [0.5, 0.9, 0.2, None]}),
        write("b", {"jaccard": [0.4, 0.1, 0.7, 0.0]}),
    )
    found = most_different(result, 2)
    assert [image["id"] for image in found] == ["image_001", "image_002"]
    assert found[0]["range"] == pytest.approx(0.8)
    assert found[0]["scores"] == {"a": 0.9, "b": 0.1}
    named = most_different(result, ["image_002", "image_000.jpg"])
    assert [image["id"] for image in named] == ["image_002", "image_000"]
    assert named[1]["range"] == pytest.approx(0.1)
    with pytest.raises(UsageError, match=r"no image 'image_005' was compared.*image_00"):
        most_different(result, ["image_005"])
    with pytest.raises(UsageError, match="image_003 has no jaccard in every evaluation"):
        most_different(result, ["image_003"])


def test_more_than_ten_pairs_are_only_counted(write: Write) -> None:
    folders = [
        write(f"m{number}", {"jaccard": list(BASE - number * 0.01 * np.arange(1, 61))})
        for number in range(6)
    ]
    assert conclusions(run(*folders)) == ["15 of 15 pairs can be told apart on these 60 images"]


def test_a_model_that_had_seen_the_images_is_named_first(write: Write) -> None:
    seen = {"num_images": 5, "num_seen": 2, "trained": ["image_000", "image_001"]}
    folders = [
        write("a", {"jaccard": [0.5]}, num_skipped=3),
        write("b", {"jaccard": [0.6]}, model="known", training_overlap=seen),
        write("c", {"jaccard": [0.6]}, training_overlap=seen | {"num_seen": 0}),
    ]
    lines = coverage_warnings(align([read_evaluation(folder) for folder in folders]))
    assert len(lines) == 2
    assert lines[0].startswith("NO TEST RESULT: known had seen 2 of its 5 images before")


def test_skipped_images_and_other_protocols_are_warned_of(write: Write) -> None:
    result = run(
        write("a", {"jaccard": [0.5]}, num_skipped=3),
        write("b", {"jaccard": [0.5]}, protocol="pooled", groups=["g"]),
    )
    lines = coverage_warnings(result.aligned)
    assert "a skipped 3 images, which are in no comparison" in lines[0]
    assert "(a isic, b pooled)" in lines[1]
    assert lines[2] == "a has no groups; those of the other evaluations are used"
    assert summarize(result)["warnings"][:3] == lines
