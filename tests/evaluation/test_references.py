"""The protocols against code of others: official scorers, MONAI, SMP, scikit-learn, torch.

Folders of masks are evaluated as users do it, so that reading, resizing, counting and averaging are
tested together.
"""

from __future__ import annotations

import importlib
import json
import warnings
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from numpy.typing import NDArray
from PIL import Image
from sklearn.metrics import (
    accuracy_score,
    confusion_matrix,
    f1_score,
    jaccard_score,
    roc_auc_score,
)
from torch.nn import functional

from dermseg.evaluation import (
    PROTOCOLS,
    Evaluation,
    Measures,
    ProtocolFigures,
    evaluate_masks,
    find_protocol,
)

Pairs = list[tuple[NDArray[np.bool_], NDArray[np.bool_]]]

FOLDER = Path(__file__).parent / "golden"
ATTRIBUTES = Path(__file__).parent / "golden_attributes"
MONAI: Mapping[str, Any] = json.loads((FOLDER / "monai.json").read_text())
TASK2: Mapping[str, Any] = json.loads((ATTRIBUTES / "scores.json").read_text())["scores"]
NAMES = (*PROTOCOLS, "batch:4:32", "resized:40", "pooled:16")
BOUNDARY = ("hausdorff_95", "average_symmetric_surface_distance", "normalized_surface_distance")


@pytest.fixture(scope="module")
def evaluation() -> Evaluation:
    protocols = tuple(find_protocol(name) for name in NAMES)
    measures = Measures(boundary=True, protocols=protocols)
    return evaluate_masks(FOLDER / "truth", FOLDER / "predictions", measures=measures)


@pytest.fixture(scope="module")
def pairs() -> Pairs:
    """Predictions and truths in order of their ids, read by Pillow."""

    def read(path: Path) -> NDArray[np.bool_]:
        return np.asarray(Image.open(path)) > 128

    truths = sorted((FOLDER / "truth").iterdir())
    return [(read(FOLDER / "predictions" / path.name), read(path)) for path in truths]


def row(evaluation: Evaluation, name: str) -> ProtocolFigures:
    (figures,) = (row for row in evaluation.protocols if row.protocol.name == name)
    return figures


def value(evaluation: Evaluation, name: str, figure: str) -> float:
    return row(evaluation, name).figures[figure].value


def resized(mask: NDArray[np.bool_], side: int) -> torch.Tensor:
    tensor = torch.from_numpy(mask)[None, None].double()
    return functional.interpolate(tensor, (side, side), mode="nearest")


@pytest.mark.parametrize(("name", "expected"), TASK2.items())
def test_attributes_get_the_figures_of_the_official_scorer(name: str, expected: Any) -> None:
    measures = Measures(protocols=(PROTOCOLS["isic2018_task2"],))
    evaluation = evaluate_masks(
        ATTRIBUTES / "truth", ATTRIBUTES / "predictions", measures=measures
    ).under("isic2018_task2")
    if name == "overall":
        (figures,) = evaluation.protocols
        assert figures.headline is not None
        assert figures.headline.value == pytest.approx(expected, abs=1e-9)
        return
    part = "" if name == "micro_average" else f"_{name}"
    for score in ("jaccard", "dice"):
        figure = evaluation.aggregates[f"pooled_{score}{part}"]
        assert figure.value == pytest.approx(expected[score], abs=1e-9)


def test_the_official_attributes_are_all_there_and_no_others() -> None:
    measures = Measures(protocols=(PROTOCOLS["isic2018_task2"],))
    evaluation = evaluate_masks(ATTRIBUTES / "truth", ATTRIBUTES / "predictions", measures=measures)
    names = {name.removeprefix("pooled_jaccard") for name in evaluation.protocols[0].figures}
    assert names >= {
        "",
        *(f"_{name}" for name in TASK2 if name not in ("micro_average", "overall")),
    }
    assert len(evaluation.protocols[0].figures) == 2 * (len(TASK2) - 1)


@pytest.mark.parametrize("score", ["dice", "jaccard"])
def test_means_that_ignore_empty_truth_are_those_of_monai(
    score: str, evaluation: Evaluation
) -> None:
    expected = MONAI["means"][score]
    # MONAI computes in float32.
    assert value(evaluation, "monai", f"mean_{score}") == pytest.approx(expected, abs=1e-6)
    num_empty = sum(image[score] is None for image in MONAI["images"].values())
    assert num_empty >= 2
    assert row(evaluation, "monai").num_undefined[f"mean_{score}"] == num_empty


def test_border_distances_are_those_of_monai(evaluation: Evaluation) -> None:
    num_compared = 0
    for score in evaluation.scores:
        expected = MONAI["images"][score.id]
        for name in BOUNDARY:
            if name in expected:
                assert score.value(name) == pytest.approx(expected[name], rel=1e-6, abs=1e-6)
                num_compared += 1
    assert num_compared >= 30


def smp_metrics() -> Any:
    # Through dermseg first, which lets torchvision and the library import.
    importlib.import_module("dermseg.torchvision_import")
    from segmentation_models_pytorch import metrics  # noqa: PLC0415

    return metrics


def smp_counts(pairs: Pairs) -> tuple[torch.Tensor, ...]:
    """TP, FP, FN, TN of SMP, one row per image; images of another size are left out."""
    same = [pair for pair in pairs if pair[0].shape == pairs[0][0].shape]
    stacked = [
        torch.from_numpy(np.stack(masks))[:, None].long() for masks in zip(*same, strict=True)
    ]
    counts: tuple[torch.Tensor, ...] = smp_metrics().get_stats(*stacked, mode="binary")
    return counts


def test_smp_s_means_over_images_are_those_of_isic(pairs: Pairs, evaluation: Evaluation) -> None:
    """Its reduction micro-imagewise with zero_division=1 is the rule of ISIC."""
    counts = smp_counts(pairs)
    ids = [score for score in evaluation.scores if score.id != "ISIC_0000100"]
    assert len(ids) == len(counts[0])
    functions = {
        "jaccard": smp_metrics().iou_score,
        "dice": smp_metrics().f1_score,
        "accuracy": smp_metrics().accuracy,
        "sensitivity": smp_metrics().sensitivity,
        "specificity": smp_metrics().specificity,
        "precision": smp_metrics().precision,
    }
    for name, function in functions.items():
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            expected = function(*counts, reduction="micro-imagewise", zero_division=1.0)
        mean = np.mean([score.value(name) for score in ids])
        assert mean == pytest.approx(float(expected), abs=1e-6), name


def test_smp_s_micro_reduction_is_pooled(pairs: Pairs, evaluation: Evaluation) -> None:
    small = [tuple(resized(mask, 32)[0, 0].numpy() > 0 for mask in pair) for pair in pairs]
    counts = smp_counts(small)  # type: ignore[arg-type]
    expected = float(smp_metrics().iou_score(*counts, reduction="micro"))
    assert expected != pytest.approx(value(evaluation, "isic", "mean_jaccard"), abs=0.01)
    batch = find_protocol("batch:99:32")
    figures = evaluate_masks(
        FOLDER / "truth", FOLDER / "predictions", measures=Measures(protocols=(batch,))
    )
    assert value(figures, "batch:99:32", "batch_mean_jaccard") == pytest.approx(expected, abs=1e-6)


def test_batches_get_the_figures_of_unext_s_loop(pairs: Pairs, evaluation: Evaluation) -> None:
    """The running mean over batches of four, weighted by their length."""
    totals, num_images = np.zeros(2), 0
    for start in range(0, len(pairs), 4):
        batch = pairs[start : start + 4]
        output, target = (
            torch.cat([resized(pair[position], 32) for pair in batch]).numpy() > 0.5
            for position in (0, 1)
        )
        jaccard = ((output & target).sum() + 1e-5) / ((output | target).sum() + 1e-5)
        totals += np.array([jaccard, 2 * jaccard / (jaccard + 1)]) * len(batch)
        num_images += len(batch)
    for figure, total in zip(("jaccard", "dice"), totals, strict=True):
        computed = value(evaluation, "batch:4:32", f"batch_mean_{figure}")
        assert computed == pytest.approx(total / num_images, abs=1e-9)


def test_resized_masks_get_the_mean_of_those_with_true_lesion(
    pairs: Pairs, evaluation: Evaluation
) -> None:
    small = [[resized(mask, 40).numpy().ravel() > 0.5 for mask in pair] for pair in pairs]
    expected = [jaccard_score(true, predicted) for predicted, true in small if true.any()]
    assert len(expected) < len(pairs)
    computed = value(evaluation, "resized:40", "mean_jaccard")
    assert computed == pytest.approx(np.mean(expected), abs=1e-9)


def test_classes_get_the_means_of_mmsegmentation(pairs: Pairs, evaluation: Evaluation) -> None:
    """Areas by histogram over all images, as its IoUMetric adds them up."""
    areas = np.zeros((3, 2))
    for predicted, true in pairs:
        both = predicted[predicted == true]
        for position, labels in enumerate((both, predicted, true)):
            areas[position] += np.histogram(labels.astype(int), bins=2, range=(0, 1))[0]
    intersection, prediction, truth = areas
    expected = {
        "pooled_class_mean_jaccard": np.mean(intersection / (prediction + truth - intersection)),
        "pooled_class_mean_dice": np.mean(2 * intersection / (prediction + truth)),
        "pooled_class_mean_accuracy": np.mean(intersection / truth),
        "pooled_accuracy": intersection.sum() / truth.sum(),
    }
    for name, figure in expected.items():
        assert value(evaluation, "mmseg", name) == pytest.approx(figure, abs=1e-9)


def test_images_without_anything_are_left_out_as_in_nnu_net(
    pairs: Pairs, evaluation: Evaluation
) -> None:
    dice, jaccard = [], []
    for predicted, true in pairs:
        tp, fp, fn = (np.sum(m) for m in (true & predicted, ~true & predicted, true & ~predicted))
        nothing = tp + fp + fn == 0
        dice.append(np.nan if nothing else 2 * tp / (2 * tp + fp + fn))
        jaccard.append(np.nan if nothing else tp / (tp + fp + fn))
    assert np.isnan(dice).any()
    assert value(evaluation, "nnunet", "mean_dice") == pytest.approx(np.nanmean(dice), abs=1e-9)
    assert value(evaluation, "nnunet", "mean_jaccard") == pytest.approx(
        np.nanmean(jaccard), abs=1e-9
    )


def test_pooled_pixels_get_the_matrix_of_scikit_learn(pairs: Pairs, evaluation: Evaluation) -> None:
    """Means of blocks of 3x4 pixels, a threshold at a half, one matrix over all images."""
    blocks = [
        [mask.reshape(16, 3, 16, 4).mean(axis=(1, 3)).ravel() >= 0.5 for mask in pair]
        for pair in pairs
        if pair[0].shape == (48, 64)
    ]
    predicted, true = (np.concatenate([pair[position] for pair in blocks]) for position in (0, 1))
    scaling = find_protocol("pooled:16").scaling
    # The last image, of another size, has no such blocks.
    kept = [score.scaled_counts[scaling] for score in evaluation.scores[: len(blocks)]]
    assert len(kept) == len(pairs) - 1
    counts = np.sum([(each.tn, each.fp, each.fn, each.tp) for each in kept], axis=0)
    np.testing.assert_array_equal(counts, confusion_matrix(true, predicted).ravel())


def test_the_first_seed_s_dice_is_the_accuracy_of_small_masks(
    pairs: Pairs, evaluation: Evaluation
) -> None:
    """160x160 by Pillow, as Keras loads it."""
    nearest = Image.Resampling.NEAREST
    small = [
        [
            np.asarray(Image.fromarray(mask.astype(np.uint8)).resize((160, 160), nearest)).ravel()
            for mask in pair
        ]
        for pair in pairs
    ]
    accuracy = np.mean([accuracy_score(true, predicted) for predicted, true in small])
    jaccard = np.mean([jaccard_score(t, p, zero_division=1.0) for p, t in small])
    dice = np.mean([f1_score(t, p, zero_division=1.0) for p, t in small])
    computed = value(evaluation, "seed000", "mean_dice_as_accuracy")
    assert computed == pytest.approx(accuracy, abs=1e-9)
    assert abs(computed - dice) > 0.05
    assert value(evaluation, "seed000", "mean_jaccard") == pytest.approx(jaccard, abs=1e-9)


def test_seed001_scores_the_lesion_s_box_as_its_notebook_does(tmp_path: Path) -> None:
    """Rows and columns with lesion, shorter side 256; the union plus 1; AUC where a class is."""
    generator = np.random.default_rng(0)
    lesions, jaccards, aucs = {}, [], []
    for folder in ("truth", "predictions", "lesions"):
        (tmp_path / folder).mkdir()
    for number, shape in enumerate([(300, 400), (90, 120), (128, 192)]):
        lesion = np.zeros(shape, np.bool_)
        # Two regions: the rows and columns between them are taken out, too.
        lesion[10:40, 20:60] = lesion[50:80, 70:110] = True
        truth = lesion & (generator.random(shape) < 0.2) & (number != 2)
        levels = generator.integers(0, 156, shape) + 100 * truth * (generator.random(shape) < 0.5)
        levels[~lesion] //= 2  # as a network says of skin
        predicted = levels > 140
        name = f"ISIC_{number:07}"
        for folder, ending, values in (
            ("truth", "_attribute_streaks", truth * 255),
            ("predictions", "_attribute_streaks", predicted * 255),
            ("predictions", "_attribute_streaks_probability", levels),
            ("lesions", "_segmentation", lesion * 255),
        ):
            Image.fromarray(values.astype(np.uint8)).save(tmp_path / folder / f"{name}{ending}.png")
        lesions[name] = tmp_path / "lesions" / f"{name}_segmentation.png"

        def cut(values: NDArray[Any], lesion: NDArray[np.bool_] = lesion) -> NDArray[Any]:
            box = torch.from_numpy(values[np.ix_(lesion.any(1), lesion.any(0))]).double()
            size = [256 * side // min(box.shape) for side in box.shape]
            return np.asarray(functional.interpolate(box[None, None], size).numpy()[0, 0])

        y, y_true, score = cut(predicted & lesion), cut(truth), cut(levels)
        intersection = (y * y_true).sum()
        if y.sum() + y_true.sum():
            jaccards.append(intersection / (y.sum() + y_true.sum() - intersection + 1))
        if len(np.unique(y_true)) == 2:
            aucs.append(roc_auc_score(y_true.ravel(), score.ravel()))
    result = evaluate_masks(
        tmp_path / "truth",
        tmp_path / "predictions",
        measures=Measures(probability=True, protocols=(PROTOCOLS["seed001"],), lesions=lesions),
    )
    assert (len(jaccards), len(aucs)) == (3, 2)
    for name in ("mean_jaccard", "mean_jaccard_streaks"):
        assert result.aggregates[name].value == pytest.approx(np.mean(jaccards), abs=1e-9)
    for name in ("mean_auc", "mean_auc_streaks"):
        assert result.aggregates[name].value == pytest.approx(np.mean(aucs), abs=1e-9)
    # Not the one of the whole image, which is mostly skin.
    assert abs(result.means["mean_auc"].value - np.mean(aucs)) > 0.01
