"""Models of attributes, from image to figures."""

from __future__ import annotations

import csv
import json
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from sklearn.metrics import average_precision_score, roc_auc_score

from dermseg.datasets import open_dataset
from dermseg.datasets.superpixels import write_features
from dermseg.errors import DatasetError, UsageError
from dermseg.evaluation import (
    Evaluation,
    Measures,
    evaluate_model,
    find_protocol,
    summary,
    write_evaluation,
)
from dermseg.evaluation.report import render_report, write_report
from dermseg.images import read_mask, write_image, write_mask
from dermseg.metrics import to_levels
from dermseg.prediction import load_model

MakeAttributes = Callable[..., Path]
PROBABILITY = Measures(probability=True)
BOTH = ("globules", "streaks")
SHOWN = (BOTH, ("globules",), (), ("streaks",), (), ("globules",))


def _truth(root: Path, number: int, name: str) -> Path:
    folder = root / "ISIC2018_Task2_Training_GroundTruth_v3"
    return folder / f"ISIC_{number:07}_attribute_{name}.png"


def _evaluate(package: Path, root: Path, measures: Measures = PROBABILITY) -> Evaluation:
    return evaluate_model(load_model(package), open_dataset(root).samples, measures=measures)


def test_masks_that_are_all_right_score_one_in_every_class(
    attribute_package: Path, make_attributes: MakeAttributes
) -> None:
    result = _evaluate(attribute_package, make_attributes(SHOWN))
    assert (result.num_scored, result.num_images, result.skipped) == (12, 6, ())
    assert [(row.name, row.num_images, row.num_present) for row in result.classes] == [
        ("all", 6, 4),
        ("globules", 6, 3),
        ("streaks", 6, 2),
    ]
    for row in result.classes:
        assert {name: figure.value for name, figure in row.figures.items()} == {
            "jaccard": 1,
            "dice": 1,
            "pixel_auc": 1,
            "pixel_average_precision": 1,
        }


def test_figures_of_masks_are_those_of_the_official_rules(
    attribute_package: Path, make_attributes: MakeAttributes
) -> None:
    root = make_attributes([BOTH, BOTH])
    # Of image 0, the truth has 24 pixels more than are found; of image 1, nothing at all.
    mask = read_mask(_truth(root, 0, "globules"))
    mask[30:36, 30:34] = True
    write_mask(_truth(root, 0, "globules"), mask)
    write_mask(_truth(root, 1, "globules"), np.zeros_like(mask))
    result = _evaluate(attribute_package, root)
    rows = {row.name: row for row in result.classes}
    assert rows["globules"].figures["jaccard"].value == pytest.approx(12 / (12 + 24 + 12))
    assert rows["streaks"].figures["jaccard"].value == 1
    assert rows["all"].figures["jaccard"].value == pytest.approx(36 / (36 + 24 + 12))
    assert rows["all"].figures["dice"].value == pytest.approx(72 / (72 + 24 + 12))
    assert rows["globules"].num_present == 1


def test_a_class_that_is_not_known_of_an_image_counts_neither_for_nor_against(
    attribute_package: Path, make_attributes: MakeAttributes
) -> None:
    root = make_attributes(SHOWN)
    _truth(root, 0, "globules").unlink()  # found there, and nobody says that it is not
    for name in BOTH:
        _truth(root, 4, name).unlink()
    result = _evaluate(attribute_package, root)
    rows = {row.name: row for row in result.classes}
    assert [rows[name].num_images for name in ("all", *BOTH)] == [5, 4, 5]
    assert rows["all"].figures["jaccard"].value == rows["globules"].figures["jaccard"].value == 1
    assert [(skipped.id, skipped.kind) for skipped in result.skipped] == [
        ("ISIC_0000004", "no truth")
    ]
    assert "nothing is known of it about globules, streaks" in result.skipped[0].reason
    assert result.presence is not None
    assert {row.name: row.num_images for row in result.presence.classes} == {
        "globules": 4,
        "streaks": 5,
    }


def test_figures_of_pixels_are_those_of_scikit_learn(
    attribute_package: Path, make_attributes: MakeAttributes
) -> None:
    root = make_attributes(SHOWN)
    rng = np.random.default_rng(0)
    for number in range(len(SHOWN)):
        for name in BOTH:
            mask = read_mask(_truth(root, number, name))
            write_mask(_truth(root, number, name), mask ^ (rng.random(mask.shape) < 0.1))
    predictor, samples = load_model(attribute_package), open_dataset(root).samples
    result = evaluate_model(predictor, samples, measures=PROBABILITY)
    predicted = [predictor.predict(sample.image).probabilities for sample in samples]
    levels, truths = {}, {}
    for name in BOTH:
        levels[name] = np.concatenate([to_levels(maps[name]).ravel() for maps in predicted])
        truths[name] = np.concatenate(
            [read_mask(_truth(root, number, name)).ravel() for number in range(len(SHOWN))]
        )
    levels["all"] = np.concatenate([levels[name] for name in BOTH])
    truths["all"] = np.concatenate([truths[name] for name in BOTH])
    assert [row.name for row in result.classes] == ["all", *BOTH]
    for row in result.classes:
        target, scores = truths[row.name], levels[row.name]
        auc, precision = row.figures["pixel_auc"], row.figures["pixel_average_precision"]
        assert auc.value == pytest.approx(roc_auc_score(target, scores))
        assert precision.value == pytest.approx(average_precision_score(target, scores))
        assert auc.low < auc.value < auc.high
    pooled = summary(result)["pooled"]
    assert result.classes[0].figures["pixel_auc"].value == pooled["auc"]


def test_features_of_superpixels_are_truth_too(attribute_package: Path, tmp_path: Path) -> None:
    data = tmp_path / "ISIC-2017_Training_Data"
    truth = tmp_path / "ISIC-2017_Training_Part2_GroundTruth"
    data.mkdir()
    truth.mkdir()
    image = np.full((40, 40, 3), (225, 190, 170), np.uint8)
    image[10:30, 10:30] = 60
    image[10:30, 10:20] = (60, 60, 200)
    labels = np.zeros((40, 40, 3), np.uint8)
    labels[10:30, 10:30, 0] = 1
    labels[10:30, 10:20, 0] = 2
    write_image(data / "ISIC_0000000.png", image)
    write_image(data / "ISIC_0000000_superpixels.png", labels)
    names = ("pigment_network", "negative_network", "milia_like_cyst", "streaks")
    flags = {name: np.array([False, False, name == "streaks"]) for name in names}
    write_features(truth / "ISIC_0000000_features.json", flags)
    result = _evaluate(attribute_package, tmp_path)
    # Globules are none of the four features: not known.
    assert [score.id for score in result.scores] == ["ISIC_0000000_attribute_streaks"]
    assert result.scores[0].counts.tp == 200
    assert result.scores[0].jaccard == 1


def test_the_protocol_of_what_is_inside_takes_the_lesions_of_the_dataset(
    attribute_package: Path, make_attributes: MakeAttributes
) -> None:
    root = make_attributes([BOTH])
    mask = read_mask(_truth(root, 0, "globules"))
    mask[30:36, 30:34] = True  # outside the lesion, where nothing is found
    write_mask(_truth(root, 0, "globules"), mask)
    asked = (find_protocol("seed001"),)
    result = _evaluate(attribute_package, root, Measures(protocols=asked))
    assert not any("want of a lesion" in warning for warning in result.warnings)
    figure = result.protocols[0].figures["mean_jaccard_globules"]
    # 12 of 12 pixels, at 256 x 256 about 41 times as many, of which one is taken.
    assert figure.value > 0.99


def test_images_can_be_judged_without_any_mask(
    attribute_package: Path, make_attributes: MakeAttributes, tmp_path: Path
) -> None:
    root = make_attributes(SHOWN)
    for file in (root / "ISIC2018_Task2_Training_GroundTruth_v3").iterdir():
        file.unlink()
    named = {
        f"ISIC_{number:07}": {name: name in names for name in BOTH}
        for number, names in enumerate(SHOWN[:5])
    }
    result = evaluate_model(
        load_model(attribute_package),
        open_dataset(root).samples,
        presence=named,
        measures=PROBABILITY,
    )
    assert (result.scores, result.classes, result.aggregates) == ((), (), {})
    assert [skipped.id for skipped in result.skipped] == ["ISIC_0000005"]
    assert result.presence is not None
    assert (result.presence.num_images, result.presence.num_true_areas) == (5, 5)
    assert [(row.name, row.auc.value) for row in result.presence.classes] == [
        ("globules", 1),
        ("streaks", 1),
    ]
    out = tmp_path / "out"
    write_evaluation(out, result)
    write_report(out, result)
    content = json.loads((out / "summary.json").read_text())
    assert content["presence"]["classes"]["streaks"]["num_present"] == 2
    assert "Which of 5 images show what" in (out / "report.html").read_text()


def test_a_mask_has_the_last_word_on_what_an_image_shows(
    attribute_package: Path, make_attributes: MakeAttributes
) -> None:
    root = make_attributes(SHOWN)
    _truth(root, 2, "streaks").unlink()
    samples = open_dataset(root).samples
    named = {sample.id: {"streaks": True} for sample in samples}
    result = evaluate_model(load_model(attribute_package), samples, presence=named)
    assert result.presence is not None
    (streaks,) = (row for row in result.presence.classes if row.name == "streaks")
    assert (streaks.num_images, streaks.num_present) == (6, 3)


def test_without_a_lesion_mask_the_area_is_that_of_the_lesion_that_was_found(
    attribute_package: Path, make_attributes: MakeAttributes
) -> None:
    root = make_attributes(SHOWN, sides=[30, 28, 12, 26, 14, 24])
    folder = root / "ISIC2018_Task1_Training_GroundTruth"
    for file in folder.iterdir():
        file.unlink()
    folder.rmdir()
    result = _evaluate(attribute_package, root)
    assert result.presence is not None
    assert (result.presence.num_true_areas, result.presence.num_predicted_areas) == (0, 6)
    assert result.presence.area_from == "the lesions that the model found"
    for row in result.presence.classes:
        assert row.area_auc is not None
        assert row.area_auc.value > 0.5


def test_tables_and_masks_have_a_row_and_a_file_for_each_image_and_class(
    attribute_package: Path, make_attributes: MakeAttributes, tmp_path: Path
) -> None:
    out = tmp_path / "out"
    (out / "masks").mkdir(parents=True)
    root = make_attributes(SHOWN)
    result = evaluate_model(
        load_model(attribute_package),
        open_dataset(root).samples,
        measures=PROBABILITY,
        masks_dir=out / "masks",
    )
    write_evaluation(out, result)
    with (out / "per_image.csv").open() as file:
        rows = list(csv.DictReader(file))
    assert [(row["id"], row["image"], row["class"]) for row in rows[:2]] == [
        (f"ISIC_0000000_attribute_{name}", "ISIC_0000000", name) for name in BOTH
    ]
    assert len(rows) == 12
    assert rows[1]["tp"] == "12"
    for name in BOTH:
        written = out / "masks" / f"ISIC_0000003_attribute_{name}.png"
        assert (read_mask(written) == read_mask(_truth(root, 3, name))).all()
    classes = json.loads((out / "summary.json").read_text())["classes"]
    assert list(classes) == ["all", *BOTH]
    assert classes["streaks"]["num_present"] == 2
    assert classes["streaks"]["figures"]["jaccard"]["value"] == 1
    assert classes["streaks"]["threshold_free"] == ["pixel_auc", "pixel_average_precision"]
    page = render_report(result)
    assert "12 masks of attributes in 6 images" in page
    assert "<h2>Attributes</h2>" in page
    assert '<th scope="row">globules</th>' in page
    assert "Which images show it" in page


def test_images_that_cannot_be_read_are_skipped_by_class(
    attribute_package: Path, make_attributes: MakeAttributes
) -> None:
    root = make_attributes(SHOWN)
    (root / "ISIC2018_Task1-2_Training_Input" / "ISIC_0000001.png").write_bytes(b"no image")
    _truth(root, 2, "streaks").write_bytes(b"no mask")
    result = _evaluate(attribute_package, root)
    assert [(skipped.id, skipped.kind) for skipped in result.skipped] == [
        ("ISIC_0000001_attribute_globules", "unreadable"),
        ("ISIC_0000001_attribute_streaks", "unreadable"),
        ("ISIC_0000002_attribute_streaks", "unreadable"),
    ]
    assert result.num_scored == 9
    assert any("3 of 12 masks were skipped" in warning for warning in result.warnings)


def test_nothing_to_score_is_refused(
    attribute_package: Path, make_attributes: MakeAttributes
) -> None:
    root = make_attributes([BOTH])
    for name in BOTH:
        _truth(root, 0, name).unlink()
    with pytest.raises(DatasetError, match="nothing is known of it about globules, streaks"):
        _evaluate(attribute_package, root)


def test_presence_is_refused_for_a_model_of_lesions(dark_package: Path) -> None:
    with pytest.raises(UsageError, match="the model dark finds the lesion and no attribute"):
        evaluate_model(load_model(dark_package), [], presence={})
