from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import pytest

from dermseg.evaluation import Evaluation, ImageScore, ImageStatistics
from dermseg.evaluation.report import Grouping, group_results
from dermseg.metrics import ConfusionCounts


def image(id: str, tp: int, fn: int, **rest: Any) -> ImageScore:
    """An image of 1,000 pixels whose prediction misses some lesion: Jaccard tp / (tp + fn)."""
    return ImageScore(id, ConfusionCounts(tp=tp, fp=0, fn=fn, tn=1000 - tp - fn), **rest)


def evaluation(
    scores: Sequence[ImageScore], metadata: Mapping[str, Mapping[str, str]] | None = None
) -> Evaluation:
    return Evaluation(tuple(scores), (), {}, metadata=metadata or {})


def rows(grouping: Grouping) -> list[tuple[str, int, Any]]:
    return [
        (stratum.name, stratum.num_images, pytest.approx(stratum.jaccard.value))
        for stratum in grouping.strata
    ]


def test_lesion_size_is_a_share_of_the_image_where_there_are_no_photographs() -> None:
    scores = [image("a", 10, 0), image("b", 40, 10), image("c", 60, 20), image("d", 0, 600)]
    (size,) = group_results(evaluation(scores))
    assert size.name == "Lesion size"
    assert "of the image" in size.note
    assert rows(size) == [
        ("under 2 %", 1, 1.0),
        ("2 to 10 %", 2, (0.8 + 0.75) / 2),
        ("50 % and more", 1, 0.0),
    ]
    assert all(stratum.is_small for stratum in size.strata)


def test_images_without_lesion_are_a_group() -> None:
    (size,) = group_results(evaluation([image("a", 0, 0), image("b", 0, 0), image("c", 300, 0)]))
    assert [(name, number) for name, number, _ in rows(size)] == [
        ("25 to 50 %", 1),
        ("no lesion", 2),
    ]


def test_skin_tones_follow_the_limits_lightest_first() -> None:
    angles = (55.1, 55, 41, 28, 10, -30, -31)
    scores = [
        image(str(place), 10, 0, statistics=ImageStatistics(0.1, 20, angle))
        for place, angle in enumerate(angles)
    ]
    by_name = {grouping.name: grouping for grouping in group_results(evaluation(scores))}
    names = [name.split(" (")[0] for name, *_ in rows(by_name["Skin tone"])]
    assert names == ["very light", "light", "intermediate", "tan", "brown", "dark"]
    assert [stratum.num_images for stratum in by_name["Skin tone"].strata] == [1, 1, 1, 1, 1, 2]
    assert "not calibrated" in by_name["Skin tone"].note


def test_thirds_of_the_skin_tones_are_of_these_images() -> None:
    scores = [
        image(str(angle), 10, 0, statistics=ImageStatistics(0.1, 20, angle)) for angle in range(30)
    ]
    thirds = next(g for g in group_results(evaluation(scores)) if "within" in g.name)
    assert [stratum.num_images for stratum in thirds.strata] == [10, 10, 10]
    assert thirds.strata[0].name.startswith("darkest third")


def test_contrast_is_grouped_in_steps() -> None:
    scores = [
        image(str(contrast), 10, 0, statistics=ImageStatistics(0.1, contrast, 50))
        for contrast in (9.9, 10, 45)
    ]
    contrast = next(g for g in group_results(evaluation(scores)) if "Contrast" in g.name)
    assert [stratum.name for stratum in contrast.strata] == ["under 10", "10 to 20", "40 and more"]


def test_metadata_columns_are_groups_with_the_unknown_last() -> None:
    scores = [image(str(place), 10, place) for place in range(4)]
    metadata = {"0": {"sex": "male"}, "1": {"sex": "female"}, "2": {"sex": "female"}}
    (sex,) = group_results(evaluation(scores, metadata))
    assert sex.name == "Sex"
    assert rows(sex) == [
        ("female", 2, (10 / 11 + 10 / 12) / 2),
        ("male", 1, 1.0),
        ("not known", 1, 10 / 13),
    ]


def test_ages_are_put_in_bands() -> None:
    scores = [image(str(place), 10, 0) for place in range(8)]
    ages = (5, 19, 20, 39, 40, 60, 79, 80)
    metadata = {str(place): {"age": str(age)} for place, age in enumerate(ages)}
    (age,) = group_results(evaluation(scores, metadata))
    assert [(name, number) for name, number, _ in rows(age)] == [
        ("under 20", 2),
        ("20 to 39", 2),
        ("40 to 59", 1),
        ("60 to 79", 2),
        ("80 and over", 1),
    ]


def test_other_numbers_are_put_in_quarters() -> None:
    scores = [image(str(place), 10, 0) for place in range(8)]
    metadata = {str(place): {"thickness": str(place)} for place in range(8)}
    (thickness,) = group_results(evaluation(scores, metadata))
    assert [stratum.num_images for stratum in thickness.strata] == [2, 2, 2, 2]


def test_rare_values_are_put_together() -> None:
    scores = [image(f"{place:02}", 10, 0) for place in range(20)]
    metadata = {score.id: {"site": f"site {score.id}"} for score in scores}
    (site,) = group_results(evaluation(scores, metadata))
    assert len(site.strata) == 12
    assert (site.strata[-1].name, site.strata[-1].num_images) == ("9 other values", 9)


def test_a_column_that_divides_alike_is_shown_once_in_longer_words() -> None:
    scores = [image("a", 10, 0), image("b", 10, 0)]
    metadata = {
        "a": {"dx": "nv", "diagnosis": "melanocytic nevus", "part": "x"},
        "b": {"dx": "mel", "diagnosis": "melanoma", "part": "x"},
    }
    (diagnosis,) = group_results(evaluation(scores, metadata))
    assert diagnosis.name == "Diagnosis"


def test_images_of_one_lesion_have_no_interval() -> None:
    scores = [image("a", 10, 0), image("b", 5, 5), image("c", 900, 0)]
    found = group_results(Evaluation(tuple(scores), (), {}, groups={"a": "l", "b": "l"}))
    small = found[0].strata[0]
    assert (small.num_images, small.num_groups) == (2, 1)
    assert small.jaccard.low == small.jaccard.high == 0.75
