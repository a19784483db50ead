"""Every row of the table of protocols, by hand, and what it says of itself."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import pytest

from dermseg.errors import UsageError
from dermseg.evaluation import PROTOCOLS, ImageScore, Protocol, find_protocol, protocol_figures
from dermseg.evaluation.figures import applies
from dermseg.evaluation.protocols import NATIVE, Scaling
from dermseg.metrics import ConfusionCounts

# TP, FP, FN, TN: a lesion with a rim too much; nothing in either; a false alarm; a lesion that
# lacks a fifth, in an image of twice the size; an image that is all lesion.
IMAGES = {
    "a_attribute_globules": (10, 10, 0, 80),
    "b_attribute_streaks": (0, 0, 0, 100),
    "c_attribute_globules": (0, 20, 0, 80),
    "d_attribute_streaks": (80, 0, 20, 100),
    "e_attribute_globules": (100, 0, 0, 0),
}

CHALLENGE = {
    "mean_jaccard": (1 / 2 + 0 + 4 / 5 + 1) / 4,
    "mean_dice": (2 / 3 + 0 + 8 / 9 + 1) / 4,
    "mean_accuracy": (9 / 10 + 1 + 4 / 5 + 9 / 10 + 1) / 5,
    "mean_sensitivity": (1 + 4 / 5 + 1) / 3,
    "mean_specificity": (8 / 9 + 1 + 4 / 5 + 1) / 4,
}
ONES_WHERE_UNDEFINED = {
    "mean_jaccard": (1 / 2 + 1 + 0 + 4 / 5 + 1) / 5,
    "mean_accuracy": (9 / 10 + 1 + 4 / 5 + 9 / 10 + 1) / 5,
    "mean_sensitivity": (1 + 1 + 1 + 4 / 5 + 1) / 5,
    "mean_specificity": (8 / 9 + 1 + 4 / 5 + 1 + 1) / 5,
}
WITH_TRUE_LESION = {
    "mean_jaccard": (1 / 2 + 4 / 5 + 1) / 3,
    "mean_dice": (2 / 3 + 8 / 9 + 1) / 3,
}
POOLED_BATCH = (190 + 1e-5) / (240 + 1e-5)

EXPECTED: Mapping[str, Mapping[str, float]] = {
    "isic": {
        **ONES_WHERE_UNDEFINED,
        "mean_thresholded_jaccard": (0 + 1 + 0 + 4 / 5 + 1) / 5,
        "mean_dice": (2 / 3 + 1 + 0 + 8 / 9 + 1) / 5,
        "mean_precision": (1 / 2 + 1 + 0 + 1 + 1) / 5,
    },
    "isic2016": CHALLENGE,
    "isic2017": CHALLENGE,
    "isic2018": {"mean_thresholded_jaccard": (0 + 1 + 0 + 4 / 5 + 1) / 5},
    "isic2018_task2": {
        # The matrix of d, divided by its 200 pixels, is (0.4, 0, 0.1, 0.5).
        "pooled_jaccard": 1.5 / (1.5 + 0.3 + 0.1),
        "pooled_dice": 3 / (3 + 0.3 + 0.1),
        "pooled_jaccard_globules": 1.1 / (1.1 + 0.3),
        "pooled_dice_globules": 2.2 / (2.2 + 0.3),
        "pooled_jaccard_streaks": 0.4 / 0.5,
        "pooled_dice_streaks": 0.8 / 0.9,
    },
    "pooled": {
        "pooled_jaccard": 190 / 240,
        "pooled_dice": 380 / 430,
        "pooled_accuracy": 550 / 600,
        "pooled_sensitivity": 190 / 210,
        "pooled_specificity": 360 / 390,
    },
    "batch": {
        "batch_mean_jaccard": POOLED_BATCH,
        "batch_mean_dice": 2 * POOLED_BATCH / (1 + POOLED_BATCH),
    },
    "resized": WITH_TRUE_LESION,
    "mmseg": {
        "pooled_class_mean_jaccard": (190 / 240 + 360 / 410) / 2,
        "pooled_class_mean_dice": (380 / 430 + 720 / 770) / 2,
        "pooled_class_mean_accuracy": (190 / 210 + 360 / 390) / 2,
        "pooled_accuracy": 550 / 600,
    },
    "nnunet": {name: CHALLENGE[name] for name in ("mean_jaccard", "mean_dice")},
    "monai": WITH_TRUE_LESION,
    "seed000": {
        **ONES_WHERE_UNDEFINED,
        "mean_dice_as_accuracy": ONES_WHERE_UNDEFINED["mean_accuracy"],
    },
    "seed001": {
        "mean_jaccard": (10 / 21 + 0 + 80 / 101 + 100 / 101) / 4,
        "mean_jaccard_globules": (10 / 21 + 0 + 100 / 101) / 3,
        "mean_jaccard_streaks": 80 / 101,
    },
}

# Size, method and headline as the sources have them.
SOURCES = {
    "isic": (NATIVE, "mean_thresholded_jaccard"),
    "isic2016": (NATIVE, "mean_jaccard"),
    "isic2017": (NATIVE, "mean_jaccard"),
    "isic2018": (NATIVE, "mean_thresholded_jaccard"),
    "isic2018_task2": (NATIVE, "pooled_jaccard"),
    "pooled": (Scaling((256, 256), "mean"), "pooled_jaccard"),
    "batch": (Scaling((256, 256), "nearest"), "batch_mean_jaccard"),
    "resized": (Scaling((512, 512), "nearest"), "mean_jaccard"),
    "mmseg": (NATIVE, "pooled_class_mean_jaccard"),
    "nnunet": (NATIVE, "mean_dice"),
    "monai": (NATIVE, "mean_dice"),
    "seed000": (Scaling((160, 160), "nearest_centre"), "mean_jaccard"),
    "seed001": (Scaling((256, 256), "nearest", inside_lesion=True), "mean_jaccard"),
}


def scored(
    protocol: Protocol, images: Mapping[str, tuple[int, int, int, int]] = IMAGES
) -> list[ImageScore]:
    """Images whose counts at the protocol's size are given; at other sizes they are others."""
    other = ConfusionCounts(1, 2, 3, 4)
    native = protocol.scaling == NATIVE
    return [
        ImageScore(
            id,
            ConfusionCounts(*counts) if native else other,
            scaled_counts={
                NATIVE: other,
                **({} if native else {protocol.scaling: ConfusionCounts(*counts)}),
            },
        )
        for id, counts in images.items()
    ]


def test_every_row_has_its_tests() -> None:
    assert list(PROTOCOLS) == list(EXPECTED) == list(SOURCES)


@pytest.mark.parametrize("name", PROTOCOLS)
def test_a_row_gives_the_figures_computed_by_hand(name: str) -> None:
    protocol = PROTOCOLS[name]
    figures = protocol_figures(protocol, scored(protocol), groups={}, seed=0).figures
    values = {figure: interval.value for figure, interval in figures.items()}
    assert values == pytest.approx(EXPECTED[name], abs=1e-12)
    assert all(interval.low <= interval.value <= interval.high for interval in figures.values())


@pytest.mark.parametrize("name", PROTOCOLS)
def test_a_row_compares_at_the_size_of_its_source_and_has_its_headline(name: str) -> None:
    protocol = PROTOCOLS[name]
    assert (protocol.scaling, f"{protocol.prefix}_{protocol.headline}") == SOURCES[name]
    result = protocol_figures(protocol, scored(protocol), groups={}, seed=0)
    assert result.headline == result.figures[SOURCES[name][1]]


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("isic", {"mean_jaccard": 1, "mean_dice": 1, "mean_thresholded_jaccard": 1}),
        ("isic2016", {"mean_accuracy": 1, "mean_specificity": 1}),
        ("isic2017", {"mean_accuracy": 1, "mean_specificity": 1}),
        ("isic2018", {"mean_thresholded_jaccard": 1}),
        ("isic2018_task2", {"pooled_jaccard": 1, "pooled_dice": 1, "pooled_jaccard_streaks": 1}),
        ("pooled", {"pooled_jaccard": 0, "pooled_dice": 0, "pooled_specificity": 1}),
        ("batch", {"batch_mean_jaccard": 1, "batch_mean_dice": 1}),
        ("resized", {}),
        ("mmseg", {"pooled_class_mean_jaccard": 1, "pooled_class_mean_accuracy": 1}),
        ("nnunet", {}),
        ("monai", {}),
        ("seed000", {"mean_jaccard": 1, "mean_dice_as_accuracy": 1}),
        ("seed001", {}),
    ],
)
def test_masks_that_are_all_empty_score_by_the_rule_of_the_row(
    name: str, expected: dict[str, float]
) -> None:
    protocol = PROTOCOLS[name]
    images = {f"{id}_attribute_streaks": (0, 0, 0, 100) for id in "ab"}
    result = protocol_figures(protocol, scored(protocol, images), groups={}, seed=0)
    values = {figure: interval.value for figure, interval in result.figures.items()}
    assert {figure: values[figure] for figure in expected} == pytest.approx(expected)
    assert bool(values) == bool(expected)
    if not expected:
        assert result.num_undefined["mean_jaccard"] == 2
        assert result.headline is None


def test_batches_are_weighted_by_their_length_in_the_order_of_the_images() -> None:
    protocol = find_protocol("batch:2:64")
    assert protocol.scaling == Scaling((64, 64))
    figures = protocol_figures(protocol, scored(protocol), groups={}, seed=0).figures
    first, second = (10 + 1e-5) / (20 + 1e-5), (80 + 1e-5) / (120 + 1e-5)
    assert figures["batch_mean_jaccard"].value == pytest.approx(
        (2 * first + 2 * second + 1) / 5, abs=1e-12
    )


def test_the_batch_size_changes_the_figure() -> None:
    values = []
    for size in (1, 2, 3, 5):
        protocol = find_protocol(f"batch:{size}")
        figures = protocol_figures(protocol, scored(protocol), groups={}, seed=0).figures
        values.append(figures["batch_mean_jaccard"].value)
    assert len(set(values)) == 4


@pytest.mark.parametrize(
    ("name", "refused"), [("isic2016", ["b", "c"]), ("isic2017", ["b"]), ("isic", [])]
)
def test_masks_that_are_not_binary_are_refused_where_the_scorer_refused_them(
    name: str, refused: list[str]
) -> None:
    protocol = PROTOCOLS[name]
    counts = ConfusionCounts(1, 0, 0, 1)
    scores = [
        ImageScore("a", counts),
        ImageScore("b", counts, not_binary=frozenset(["truth"])),
        ImageScore("c", counts, not_binary=frozenset(["prediction"])),
    ]
    result = protocol_figures(protocol, scores, groups={}, seed=0)
    assert list(result.refused) == refused
    assert result.num_images == 3 - len(refused)


@pytest.mark.parametrize("name", PROTOCOLS)
def test_a_protocol_without_an_image_left_has_no_figures(name: str) -> None:
    result = protocol_figures(PROTOCOLS[name], [], groups={}, seed=0)
    assert (result.figures, result.num_images, result.headline) == ({}, 0, None)


def test_protocols_of_attributes_apply_to_masks_of_attributes_only() -> None:
    counts = ConfusionCounts(1, 0, 0, 1)
    attribute = ImageScore("ISIC_0000001_attribute_streaks", counts)
    lesion = ImageScore("ISIC_0000001", counts)
    for name, protocol in PROTOCOLS.items():
        assert applies(protocol, [attribute])
        assert applies(protocol, [attribute, lesion]) == (name not in ("isic2018_task2", "seed001"))


def test_the_attributes_of_an_image_are_resampled_together() -> None:
    protocol = PROTOCOLS["isic2018_task2"]
    generator = np.random.default_rng(0)
    together, apart = {}, {}
    for number in range(40):
        share = int(generator.integers(10, 90))
        for attribute in ("globules", "streaks", "milia_like_cyst"):
            together[f"{number:02}_attribute_{attribute}"] = (share, 100 - share, 0, 100)
            apart[f"{number:02}{attribute}_attribute_streaks"] = (share, 100 - share, 0, 100)
    widths = []
    for images in (together, apart):
        figures = protocol_figures(protocol, scored(protocol, images), groups={}, seed=0).figures
        interval = figures["pooled_jaccard"]
        widths.append(interval.high - interval.low)
    assert widths[0] == pytest.approx(np.sqrt(3) * widths[1], rel=0.05)


@pytest.mark.parametrize("name", PROTOCOLS)
def test_a_row_says_who_uses_it_and_what_becomes_of_empty_masks(name: str) -> None:
    protocol = PROTOCOLS[name]
    assert protocol.name == name
    assert len(protocol.reference) > 20
    assert protocol.empty
    assert protocol.headline in protocol.scores
    size = "native size" if protocol.scaling.size is None else str(protocol.scaling.size[0])
    assert size in protocol.taken_over


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("isic2019", "no protocol 'isic2019'; there are isic, isic2016,"),
        ("isic:8", "'isic:8': expected isic, with"),
        ("batch:0", "'batch:0': expected batch:BATCH_SIZE:SIDE, with whole numbers above 0"),
        ("batch:x", "expected batch:BATCH_SIZE:SIDE"),
        ("batch:-1", "expected batch:BATCH_SIZE:SIDE"),
        ("batch:1:2:3", "expected batch:BATCH_SIZE:SIDE"),
        ("resized:", "expected resized:SIDE"),
    ],
)
def test_an_unknown_protocol_or_value_is_refused(text: str, message: str) -> None:
    with pytest.raises(UsageError) as error:
        find_protocol(text)
    assert message in str(error.value)


def test_a_protocol_with_values_is_named_as_it_was_asked_for() -> None:
    protocol = find_protocol("resized:224")
    assert (protocol.name, protocol.scaling) == ("resized:224", Scaling((224, 224)))
    assert find_protocol("batch:4").scaling == PROTOCOLS["batch"].scaling
    assert find_protocol("isic") == PROTOCOLS["isic"]
