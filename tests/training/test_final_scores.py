"""Several classes: scores over all pixels, fitted thresholds and kernels, and their pictures."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import tomlkit
import torch

from dermseg.calibration.thresholds import KERNELS, fit_kernels, fit_thresholds
from dermseg.datasets.class_masks import known_masks
from dermseg.errors import DatasetError
from dermseg.evaluation import PROTOCOLS, evaluate_masks
from dermseg.evaluation.image_score import Measures
from dermseg.export import ExportOptions, RunRecord, export_run, tune_package
from dermseg.images import read_image, write_mask
from dermseg.metrics import RocCounts
from dermseg.package import Score, load_package
from dermseg.prediction import Predictor, load_model
from dermseg.prediction.postprocessing import postprocess
from dermseg.preprocessing import UNIT_RANGE
from dermseg.recipes import Postprocessing, Recipe
from dermseg.training.final_scores import score_model
from dermseg.training.module import SegmentationModule
from dermseg.training.pictures import draw_curves, draw_overlays, draw_predictions, draw_roc
from dermseg.training.run import _finish
from dermseg.types import Sample

MakeRecipe = Callable[..., Recipe]

CLASSES = ["globules", "streaks"]
SURE = Postprocessing(thresholds={"globules": 0.2, "streaks": 0.5})
"""Thresholds that part the colours of the two classes from all else."""

METRICS = """\
epoch,lr,train_loss,selection_loss,selection_pooled_jaccard,selection_jaccard_globules,\
selection_jaccard_streaks,seconds
1,0.1,2,2,0.1,0.1,nan,3
2,0.1,1,1,0.2,0.2,nan,3
"""


@pytest.fixture(scope="module")
def predictor(color_package: Path) -> Predictor:
    return load_model(color_package)


def pooled_jaccard(
    predictor: Predictor, samples: list[Sample], name: str, options: Postprocessing
) -> float:
    """Jaccard index of the pixels of all images, which have one size."""
    common, union = 0, 0
    for sample in samples:
        truths = known_masks(sample, [name])
        if truths:
            probability = predictor.predict(sample.image, force=True).probabilities[name]
            mask = postprocess(probability, options, name)
            common += int((mask & truths[name]).sum())
            union += int((mask | truths[name]).sum())
    return common / union


def test_figures_are_those_of_the_official_protocol_on_masks_in_files(
    color_package: Path, color_samples: list[Sample], tmp_path: Path
) -> None:
    package = shutil.copytree(color_package, tmp_path / "model")
    tune_package(package, Postprocessing(thresholds={"globules": 0.2, "streaks": 0.95}))
    predictor = load_model(package)
    for folder in ("truth", "predictions"):
        (tmp_path / folder).mkdir()
    for sample in color_samples:
        masks = predictor.predict(sample.image, force=True).masks
        for name, truth in known_masks(sample, CLASSES).items():
            file = f"{sample.id}_attribute_{name}.png"
            write_mask(tmp_path / "truth" / file, truth)
            write_mask(tmp_path / "predictions" / file, masks[name])
    measures = Measures(protocols=(PROTOCOLS["isic2018_task2"],))
    evaluation = evaluate_masks(tmp_path / "truth", tmp_path / "predictions", measures=measures)
    found = score_model(predictor, color_samples).figures
    assert found == evaluation.protocols[0].figures
    assert sorted(found) == sorted(
        f"pooled_{score}{part}"
        for score in ("jaccard", "dice")
        for part in ("", "_globules", "_streaks")
    )
    # No green is that sure: no streaks are found.
    assert found["pooled_jaccard_streaks"].value == 0
    expected = pooled_jaccard(predictor, color_samples, "globules", predictor.postprocessing)
    assert found["pooled_jaccard_globules"].value == pytest.approx(expected)
    assert 0 < found["pooled_jaccard"].value < expected < 1


def test_images_count_for_the_classes_whose_masks_are_known(
    predictor: Predictor, color_samples: list[Sample]
) -> None:
    final = score_model(predictor, color_samples)
    assert [score.id for score in final.scores] == [sample.id for sample in color_samples]
    num_masks = [
        (score.counts.tp + score.counts.fp + score.counts.fn + score.counts.tn) / (192 * 256)
        for score in final.scores
    ]
    assert num_masks == [2, 2, 2, 2, 2, 1]
    # Each image counts 1 in the curves of its classes.
    sums = {
        name: counts.positives.sum() + counts.negatives.sum()
        for name, counts in final.pixels.items()
    }
    assert sums == pytest.approx({"globules": 6, "streaks": 5})
    assert final.pixels["streaks"].area() == pytest.approx(1)


def test_image_of_which_no_class_is_known_is_left_out(
    predictor: Predictor, color_samples: list[Sample]
) -> None:
    unknown = replace(color_samples[0], id="ISIC_0000099", attributes={})
    with_it = score_model(predictor, [unknown, *color_samples])
    assert with_it.figures == score_model(predictor, color_samples).figures
    assert len(with_it.scores) == len(color_samples)
    with pytest.raises(DatasetError, match=r"none of 1 images .* no mask of globules, streaks"):
        score_model(predictor, [unknown])


@pytest.mark.slow
def test_thresholds_part_the_classes_from_all_else(
    predictor: Predictor, color_samples: list[Sample]
) -> None:
    pixels = score_model(predictor, color_samples).pixels
    fitted = fit_thresholds(predictor.postprocessing, CLASSES, pixels)
    # Probabilities of red 0.4 and 0.1, of green 0.8 and 0.3.
    low, high = (1 / (1 + 19 ** (1 - 2 * red)) for red in (0.1, 0.4))
    assert low < fitted.thresholds["globules"] <= high
    low, high = (1 / (1 + 19 ** (1 - 2 * green)) for green in (0.3, 0.8))
    assert low < fitted.thresholds["streaks"] <= high
    for name in CLASSES:
        best = pixels[name].best_threshold()[1]
        assert best == pytest.approx(pooled_jaccard(predictor, color_samples, name, fitted))
        levels = [Postprocessing(threshold=level / 20) for level in range(1, 20)]
        others = [pooled_jaccard(predictor, color_samples, name, level) for level in levels]
        assert best >= max(others)


def test_thresholds_of_the_recipe_and_of_absent_classes_stay(
    predictor: Predictor, color_samples: list[Sample]
) -> None:
    pixels = score_model(predictor, color_samples).pixels
    named = Postprocessing(threshold=0.4, thresholds={"globules": 0.7})
    fitted = fit_thresholds(named, CLASSES, pixels)
    assert fitted.threshold_of("globules") == 0.7
    assert fitted.threshold_of("streaks") != 0.4
    # Streaks are in the second image only.
    pixels = score_model(predictor, color_samples[2:]).pixels
    assert fit_thresholds(named, CLASSES, pixels).thresholds == {"globules": 0.7}


def test_erosion_that_takes_hairs_away_is_found(
    predictor: Predictor, color_samples: list[Sample]
) -> None:
    fitted = fit_kernels(predictor, color_samples, SURE)
    # The hair is four pixels wide: a kernel of five takes it away, and puts the disc back.
    assert fitted.erosion["globules"] == fitted.dilation["globules"] == 0.026
    before, after = (
        pooled_jaccard(predictor, color_samples, "globules", options) for options in (SURE, fitted)
    )
    assert before < 0.9 < after
    tried = [
        SURE.model_copy(update={"erosion": {"globules": first}, "dilation": {"globules": second}})
        for first in KERNELS
        for second in KERNELS
    ]
    scores = [pooled_jaccard(predictor, color_samples, "globules", options) for options in tried]
    assert after == max(scores)
    # A square stays as it is: no kernel is named.
    assert "streaks" not in fitted.erosion
    assert "streaks" not in fitted.dilation
    assert fitted.thresholds == SURE.thresholds


def test_kernels_of_the_recipe_stay(predictor: Predictor, color_samples: list[Sample]) -> None:
    named = SURE.model_copy(update={"erosion": {"globules": 0.0}})
    fitted = fit_kernels(predictor, color_samples, named)
    assert fitted.erosion == {"globules": 0.0}
    both = dict.fromkeys(CLASSES, 0.0)
    named = SURE.model_copy(update={"erosion": both, "dilation": both})
    assert fit_kernels(predictor, color_samples, named) == named


def test_class_that_is_in_no_mask_gets_no_kernels(
    predictor: Predictor, color_samples: list[Sample]
) -> None:
    assert "globules" not in fit_kernels(predictor, color_samples[4:], SURE).erosion


def test_package_keeps_what_was_before_the_fit_and_the_card_says_so(
    color_package: Path, tmp_path: Path
) -> None:
    package = shutil.copytree(color_package, tmp_path / "model")
    before = load_package(package).spec.postprocessing
    tune_package(package, SURE)
    spec = load_package(package).spec
    assert spec.postprocessing == SURE
    assert spec.provenance.untuned_postprocessing == before
    assert load_model(package).postprocessing == SURE
    card = (package / "MODEL_CARD.md").read_text("utf-8")
    assert "fitted to the images that chose the checkpoint" in card


def test_pictures_of_several_classes_are_drawn(
    predictor: Predictor, color_samples: list[Sample], tmp_path: Path
) -> None:
    final = score_model(predictor, color_samples)
    draw_overlays(predictor, color_samples, final.scores, tmp_path / "overlays")
    files = sorted((tmp_path / "overlays").iterdir())
    # The last two images have none of the classes, and nothing is found in them.
    assert {file.name[-11:-4] for file in files} == {f"000000{number}" for number in range(4)}
    height, width, _ = read_image(files[0]).shape
    assert height > 2 * 192, "enlarged, with the legend below"
    assert width == 2 * 2 * 256
    draw_predictions(predictor, color_samples, tmp_path / "predictions.png")
    draw_roc(final.pixels, tmp_path / "roc.png")
    (tmp_path / "metrics.csv").write_text(METRICS)
    draw_curves(tmp_path, CLASSES, kept_epoch=2)
    for name in ("predictions", "roc", "curves"):
        assert read_image(tmp_path / f"{name}.png").std() > 0


def test_a_class_that_is_known_to_be_absent_has_an_empty_mask(
    color_samples: list[Sample],
) -> None:
    name, other = CLASSES
    sample = replace(
        color_samples[0],
        attributes={name: color_samples[0].attributes[name]},
        presence={other: False},
    )
    masks = known_masks(sample, CLASSES)
    assert list(masks) == [name, other]
    assert not masks[other].any()
    assert masks[other].shape == masks[name].shape
    assert list(known_masks(replace(sample, presence={other: True}), CLASSES)) == [name]


@pytest.fixture
def run(tmp_path: Path, make_recipe: MakeRecipe) -> Path:
    """A run folder of two classes as training leaves it, with random weights."""
    recipe = make_recipe(f"classes={CLASSES}", "postprocessing.thresholds={ streaks = 0.6 }")
    (tmp_path / "checkpoints").mkdir()
    (tmp_path / "recipe.toml").write_text(tomlkit.dumps(recipe.to_dict()), "utf-8")
    record = RunRecord(
        normalization=UNIT_RANGE, data=[], training_ids=[], selection_ids=["c"], commit="0123abc"
    )
    (tmp_path / "run.json").write_text(record.model_dump_json(), "utf-8")
    torch.manual_seed(0)
    weights = SegmentationModule(recipe, num_steps=1).state_dict()
    torch.save({"state_dict": weights, "epoch": 0}, tmp_path / "checkpoints" / "best.ckpt")
    (tmp_path / "metrics.csv").write_text(METRICS)
    return tmp_path


@pytest.mark.slow
def test_finished_run_has_scores_with_and_without_what_was_fitted(
    run: Path, color_samples: list[Sample]
) -> None:
    assert _finish(run, color_samples, []) == run / "model"
    spec = load_package(run / "model").spec
    assert spec.provenance.untuned_postprocessing == Postprocessing(thresholds={"streaks": 0.6})
    assert set(spec.postprocessing.thresholds) == set(CLASSES)
    assert spec.postprocessing.thresholds["streaks"] == 0.6
    before, after = spec.provenance.scores
    assert before.on.endswith("with the thresholds and kernels of the recipe")
    assert after.on.endswith("with thresholds and kernels fitted to them")
    assert before.num_images == after.num_images == 6
    assert before.used_for_selection
    assert after.used_for_selection
    name = "pooled_jaccard_globules"
    assert after.values[name][0] >= before.values[name][0]
    found = score_model(load_model(run / "model"), color_samples).figures
    assert after.values == {
        key: (value.value, value.low, value.high) for key, value in found.items()
    }
    for picture in ("curves.png", "roc.png", "predictions.png"):
        assert (run / picture).is_file()


@pytest.mark.slow
def test_export_takes_over_what_was_fitted(
    run: Path, color_samples: list[Sample], tmp_path: Path
) -> None:
    fitted = load_package(_finish(run, color_samples, [])).spec
    measured = Score(on="elsewhere", num_images=3, used_for_selection=False, values={})
    spec = export_run(run, tmp_path / "half", ExportOptions(half_weights=True), scores=(measured,))
    assert spec.postprocessing == fitted.postprocessing
    assert spec.provenance.untuned_postprocessing == fitted.provenance.untuned_postprocessing
    assert spec.provenance.scores == [*fitted.provenance.scores, measured]


def test_threshold_of_a_class_that_is_hardly_recognised_is_that_of_all_together() -> None:
    sure, unsure = RocCounts(), RocCounts()
    sure.add(np.repeat([0.9, 0.1], [90, 900]), np.repeat([True, False], [90, 900]))
    # Alone, its index is best (0.2) where half of the image is marked; all together it is 0.9
    # where next to none is.
    unsure.add(
        np.repeat([0.9, 0.5, 0.5, 0.1], [1, 9, 41, 50]),
        np.repeat([True, True, False, False], [1, 9, 41, 50]),
    )
    pixels = {"globules": sure, "streaks": unsure}
    assert unsure.best_threshold()[0] < 0.51
    fitted = fit_thresholds(Postprocessing(), CLASSES, pixels)
    assert 0.1 < fitted.thresholds["globules"] <= 0.9
    assert 0.51 < fitted.thresholds["streaks"] <= 0.91
