from __future__ import annotations

import csv
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest

from dermseg.errors import RefusedImageError
from dermseg.images import write_image
from dermseg.package import (
    LinearModel,
    ModelPackage,
    OutOfDistributionModel,
    QualityModel,
    load_package,
)
from dermseg.phantom import create_phantom, create_plain_skin
from dermseg.prediction import (
    OutputOptions,
    Prediction,
    Predictor,
    open_output,
    plan_jobs,
    predict_jobs,
)
from dermseg.prediction.quality import NO_LESION, NOT_DERMOSCOPIC, Quality
from dermseg.prediction.quality_overlay import draw_quality


def _model(feature: str, centre: float, *, intercept: float = 0.0) -> LinearModel:
    return LinearModel(
        features=[feature], centres=[centre], scales=[0.1], weights=[2.0], intercept=intercept
    )


QUALITY = QualityModel(jaccard=_model("expected_overlap", 0.5), review_below=0.65)
# Pictures that are grey are out of scope, and those in which nothing is found.
OUT_OF_DISTRIBUTION = OutOfDistributionModel(
    threshold=0.5,
    photograph=LinearModel(
        features=["grey"], centres=[0.5], scales=[0.1], weights=[-2.0], intercept=0.0
    ),
    least_photograph=0.3,
    lesion=_model("presence", 0.5),
    least_lesion=0.4,
)


def _predictor(**values: Any) -> Predictor:
    package = load_package()
    spec = package.spec.model_copy(
        update={"quality": QUALITY, "out_of_distribution": OUT_OF_DISTRIBUTION, **values}
    )
    return Predictor(ModelPackage(package.folder, spec))


@pytest.fixture(scope="module")
def predictor() -> Predictor:
    return _predictor()


@pytest.fixture(scope="module")
def grey() -> np.ndarray:
    return np.repeat(create_phantom(1).image[..., 1:2], 3, axis=2)


def test_a_clear_lesion_is_expected_to_be_right(predictor: Predictor) -> None:
    prediction = predictor.predict(create_phantom(1).image)
    overlap = prediction.described["expected_overlap"]
    expected = 1 / (1 + np.exp(-min(20 * (overlap - 0.5), 8)))
    assert prediction.quality is not None
    assert prediction.quality.expected_jaccard == pytest.approx(expected)
    assert prediction.quality.review == (expected < 0.65)
    assert prediction.refusal is None


def test_without_fitted_models_nothing_is_said() -> None:
    prediction = _predictor(quality=None, out_of_distribution=None).predict(create_plain_skin(1))
    assert prediction.quality is None
    assert prediction.refusal is None


def test_what_the_model_was_not_made_for_is_refused_with_the_reason(
    predictor: Predictor, grey: np.ndarray
) -> None:
    prediction = predictor.predict(grey)
    assert prediction.refusal == NOT_DERMOSCOPIC
    assert prediction.quality == Quality(0.0, review=True)
    flat = np.full((192, 256, 3), (220, 170, 150), np.uint8)
    assert predictor.predict(flat).refusal == NO_LESION


@pytest.mark.parametrize(
    "ask",
    [
        lambda prediction: prediction.mask,
        lambda prediction: prediction.masks,
        lambda prediction: prediction.probability,
        lambda prediction: prediction.measurements,
        lambda prediction: prediction.overlay(),
        lambda prediction: prediction.at_size((48, 64)).mask,
    ],
)
def test_a_refused_image_has_no_mask_in_python_unless_forced(
    predictor: Predictor, grey: np.ndarray, ask: Callable[[Prediction], object]
) -> None:
    with pytest.raises(RefusedImageError, match=f"{NOT_DERMOSCOPIC}.*force=True"):
        ask(predictor.predict(grey))
    forced = predictor.predict(grey, force=True)
    assert forced.refusal == NOT_DERMOSCOPIC
    assert ask(forced) is not None


def test_a_refused_image_can_be_described_and_shown(predictor: Predictor, grey: np.ndarray) -> None:
    refused = predictor.predict(grey)
    described = refused.to_dict(spacing_mm=0.1)
    usual = predictor.predict(grey, force=True).to_dict()
    assert described["refusal"] == NOT_DERMOSCOPIC
    assert (described["area_pixels"], described["review"]) == (None, True)
    assert list(described) == list(usual)
    picture = cv2.imdecode(np.frombuffer(refused._repr_png_(), np.uint8), cv2.IMREAD_COLOR)
    assert picture is not None
    assert picture[-1, 0].tolist() == [0, 48, 176]  # the label's red, as OpenCV reads it


def test_refusal_does_not_depend_on_the_threshold_that_was_asked_for() -> None:
    area = OUT_OF_DISTRIBUTION.model_copy(
        update={"lesion": _model("log_area", -3.2), "photograph": _model("lit", 0.0)}
    )
    package = load_package()
    spec = package.spec.model_copy(update={"quality": QUALITY, "out_of_distribution": area})
    image = create_phantom(1).image
    usual, strict = (
        Predictor(ModelPackage(package.folder, spec), threshold=threshold).predict(image)
        for threshold in (None, 0.999)
    )
    # At the threshold that was asked for, it would be too small for a lesion.
    assert strict.described["log_area"] < -3.25
    assert usual.described["log_area"] > -3.15
    assert usual.refusal is strict.refusal is None
    # The mask is another one, and so is its quality.
    assert usual.quality is not None
    assert strict.quality is not None
    assert strict.quality.expected_jaccard < usual.quality.expected_jaccard


def test_doubts_do_not_depend_on_batches_and_workers(predictor: Predictor) -> None:
    images = [create_phantom(seed).image for seed in range(5)] + [create_plain_skin(1)]
    one, other = (
        list(predictor.predict_many(images, batch_size=batch, workers=workers))
        for batch, workers in ((1, 1), (4, 3))
    )
    for left, right in zip(one, other, strict=True):
        assert left.refusal == right.refusal
        assert left.described == pytest.approx(right.described, abs=1e-3)


def test_of_attributes_the_lesion_has_the_doubts(predictor: Predictor) -> None:
    package = load_package("attributes")
    both = Predictor(package, lesion=predictor)
    prediction = both.predict(create_phantom(1).image)
    assert prediction.quality is not None
    assert prediction.quality == predictor.predict(create_phantom(1).image).quality
    flat = np.full((192, 256, 3), (220, 170, 150), np.uint8)
    refused = both.predict(flat)
    assert refused.refusal == NO_LESION
    assert refused.lesion is not None
    for asked in (refused, refused.lesion):
        with pytest.raises(RefusedImageError):
            asked.masks  # noqa: B018
    assert both.predict(flat, force=True).mask.shape == flat.shape[:2]


def test_what_was_seen_is_the_image_at_the_networks_size(predictor: Predictor) -> None:
    image = create_phantom(2, size=load_package().spec.input_size).image
    seen = predictor.predict(image).seen
    assert seen is not None
    assert np.abs(seen.astype(int) - image).max() <= 1


def _run(predictor: Predictor, folder: Path, images: Path, *, force: bool) -> list[dict[str, str]]:
    options = OutputOptions(force=force)
    todo, kept = open_output(
        folder, plan_jobs([images], recursive=False), predictor, options, existing="overwrite"
    )
    for _ in predict_jobs(predictor, todo, folder, options, kept=kept):
        pass
    with (folder / "predictions.csv").open(newline="") as file:
        return list(csv.DictReader(file))


def test_a_refused_image_has_a_row_and_no_mask_unless_forced(
    predictor: Predictor, grey: np.ndarray, tmp_path: Path
) -> None:
    images, masks, forced = (tmp_path / name for name in ("images", "masks", "forced"))
    images.mkdir()
    write_image(images / "grey.png", grey)
    write_image(images / "lesion.png", create_phantom(1).image)
    refused, lesion = _run(predictor, masks, images, force=False)
    assert refused["error"] == NOT_DERMOSCOPIC
    assert refused["mask"] == refused["expected_jaccard"] == refused["review"] == ""
    assert not list(masks.glob("grey*"))
    assert 0 < float(lesion["expected_jaccard"]) < 1
    assert lesion["review"] == str(int(float(lesion["expected_jaccard"]) < 0.65))
    assert (masks / lesion["mask"]).is_file()
    refused, again = _run(predictor, forced, images, force=True)
    assert refused["error"] == ""
    assert (refused["expected_jaccard"], refused["review"]) == ("0", "1")
    assert (forced / refused["mask"]).is_file()
    assert again["expected_jaccard"] == lesion["expected_jaccard"]
    assert json.loads((forced / "predictions.json").read_text())["force"] is True


def test_the_overlay_says_how_good_the_mask_is() -> None:
    picture = np.zeros((96, 128, 3), np.uint8)
    mask = np.zeros((96, 128), np.bool_)
    calm = draw_quality(picture, mask, Quality(0.9, review=False))
    warning = draw_quality(picture, mask, Quality(0.4, review=True))
    assert calm.shape == picture.shape
    assert not picture.any()
    assert not calm[:48].any()
    assert warning[-1, 0].tolist() == [176, 48, 0]
    assert calm[-1, 0].tolist() != warning[-1, 0].tolist()


@pytest.mark.parametrize("corner", [(-1, 0), (-1, -1), (0, 0), (0, -1)])
@pytest.mark.parametrize("enlarged", [1, 10])
def test_the_overlay_writes_where_no_lesion_is(corner: tuple[int, int], enlarged: int) -> None:
    picture = np.zeros((96, 128, 3), np.uint8)
    lesion = np.ones((96, 128), np.bool_)
    lesion[64:, :100] = False  # the lower left corner is free
    lesion = lesion[:: 1 if corner[0] else -1, :: -1 if corner[1] else 1]
    mask = lesion.repeat(enlarged, axis=0).repeat(enlarged, axis=1)
    written = draw_quality(picture, mask, Quality(0.4, review=True)).max(axis=2) > 0
    assert written[corner]
    assert not (written & lesion).any()
