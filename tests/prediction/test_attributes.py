"""Attributes inside the lesion that a lesion model found before."""

from __future__ import annotations

import itertools
import threading
import weakref
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pytest

from dermseg.errors import ImageError, PackageError, UsageError
from dermseg.images import ImageLike, read_image, write_image
from dermseg.package import load_package
from dermseg.prediction import Prediction, Predictor, load_model
from dermseg.preprocessing import Box, lesion_box, preprocess
from dermseg.recipes import LesionCrop, Postprocessing

MakePackage = Callable[..., Path]
GREEN, BLUE, DARK, SKIN = (40, 120, 40), (40, 40, 120), (90, 60, 50), (225, 190, 170)


def draw(
    size: tuple[int, int] = (120, 160), *, corner: tuple[int, int] = (40, 60), side: int = 48
) -> tuple[np.ndarray, dict[str, np.ndarray]]:
    """A square lesion with a green quarter and a blue quarter; a green patch lies outside."""
    top, left = corner
    half = side // 2
    masks = {name: np.zeros(size, np.bool_) for name in ("lesion", "globules", "milia_like_cyst")}
    masks["lesion"][top : top + side, left : left + side] = True
    masks["globules"][top : top + half, left : left + half] = True
    masks["milia_like_cyst"][top + half : top + side, left + half : left + side] = True
    image = np.full((*size, 3), SKIN, np.uint8)
    for name, color in (("lesion", DARK), ("globules", GREEN), ("milia_like_cyst", BLUE)):
        image[masks[name]] = color
    image[top : top + side, left + side + 2 : left + side + 9] = (90, 255, 90)
    return image, masks


def jaccard(one: np.ndarray, other: np.ndarray) -> float:
    return float(np.count_nonzero(one & other) / np.count_nonzero(one | other))


def test_attributes_are_found_at_native_size_inside_the_lesion(color_package: MakePackage) -> None:
    image, truth = draw()
    prediction = load_model(color_package()).predict(image)
    assert prediction.classes == ("globules", "milia_like_cyst", "streaks")
    assert prediction.lesion is not None
    assert prediction.mask is prediction.lesion.mask
    assert jaccard(prediction.mask, truth["lesion"]) > 0.85
    for name in ("globules", "milia_like_cyst"):
        assert prediction.masks[name].shape == (120, 160)
        assert jaccard(prediction.masks[name], truth[name]) > 0.85
    assert not prediction.masks["streaks"].any()
    box = lesion_box(prediction.mask, 0.25)
    assert prediction.box == box
    assert prediction.class_probabilities.shape == (3, 48, 64)
    outside = np.ones((120, 160), np.bool_)
    outside[box.slices] = False
    assert not prediction.probabilities["globules"][outside].any()


def test_a_class_alone_is_the_same_as_among_all(color_package: MakePackage) -> None:
    image, _ = draw()
    prediction = load_model(color_package()).predict(image)
    for name in prediction.classes:
        probability, mask = prediction.class_at_native_size(name)
        assert np.array_equal(probability, prediction.probabilities[name])
        assert np.array_equal(mask, prediction.masks[name])


def test_inside_only_clears_what_lies_outside_the_lesion(color_package: MakePackage) -> None:
    image, _ = draw()
    cleared = load_model(color_package(inside_only=True)).predict(image)
    left = load_model(color_package(inside_only=False)).predict(image)
    assert not (cleared.masks["globules"] & ~cleared.mask).any()
    assert not cleared.probabilities["globules"][~cleared.mask].any()
    assert np.count_nonzero(left.masks["globules"] & ~left.mask) > 200
    inside = left.mask
    assert np.array_equal(left.masks["globules"] & inside, cleared.masks["globules"])


def test_postprocessing_does_not_grow_out_of_the_lesion(color_package: MakePackage) -> None:
    image, _ = draw()
    package = color_package(postprocessing={"dilation": {"globules": 0.2}})
    prediction = load_model(package).predict(image)
    # From 24x24 by 7 pixels, a tenth of the 72 that the network saw, in the two free directions.
    assert prediction.masks["globules"].sum() == pytest.approx(31**2, abs=20)
    assert not (prediction.masks["globules"] & ~prediction.mask).any()


def test_without_a_lesion_the_whole_image_is_looked_at(color_package: MakePackage) -> None:
    image = np.full((90, 100, 3), SKIN, np.uint8)
    image[20:60, 30:70] = (90, 255, 90)
    left = load_model(color_package(inside_only=False)).predict(image)
    assert not left.mask.any()
    assert left.box is not None
    assert (left.box.height, left.box.width) == (90, 100)
    assert left.masks["globules"].sum() == pytest.approx(1600, rel=0.15)
    cleared = load_model(color_package(inside_only=True)).predict(image)
    assert not cleared.masks["globules"].any()


def test_a_package_without_crop_sees_the_whole_image(
    color_package: MakePackage, dark_package: Path
) -> None:
    image, truth = draw()
    package = color_package(lesion_crop=None)
    prediction = load_model(package, lesion_model=dark_package).predict(image)
    assert jaccard(prediction.mask, truth["lesion"]) > 0.85
    assert prediction.masks["globules"][:, 110:115].any()
    assert Predictor(load_package(package)).predict(image).lesion is None


@pytest.mark.parametrize("suffix", ["png", "jpg"])
def test_small_lesions_in_large_images_are_sharp_though_little_is_kept(
    suffix: str, color_package: MakePackage, tmp_path: Path
) -> None:
    # Stripes that a copy of 256 pixels, four times the network's, would blur.
    image, _ = draw((1600, 2000), corner=(700, 900), side=180)
    for top in range(700, 880, 20):
        image[top : top + 10, 900:1080] = GREEN
    path = tmp_path / f"large.{suffix}"
    write_image(path, image, quality=100)
    predictor = load_model(color_package())
    (native,) = predictor.predict_many([path])
    (reduced,) = predictor.predict_many([path], image_side=100)
    assert reduced.image.shape == (80, 100, 3)
    assert reduced.lesion is not None
    assert reduced.lesion.image is reduced.image
    assert reduced.size == (1600, 2000)
    assert reduced.box == native.box
    spec = predictor.spec
    tensor = preprocess(read_image(path), spec.input_size, spec.normalization, box=native.box)
    (expected,) = predictor.runtime(tensor[np.newaxis])
    assert expected[0].std() > 0.3
    for prediction in (native, reduced):
        difference = np.abs(prediction.class_probabilities[0] - expected[0])
        assert difference.mean() < 0.02


def test_a_stream_keeps_its_order_whatever_batch_size_and_workers(
    color_package: MakePackage, tmp_path: Path
) -> None:
    predictor = load_model(color_package())
    images = [draw((100 + 7 * n, 140), corner=(20 + n, 30), side=30 + n)[0] for n in range(11)]
    paths = [tmp_path / f"{number}.png" for number in range(len(images))]
    for path, image in zip(paths, images, strict=True):
        write_image(path, image)
    expected = [predictor.predict(image) for image in images]
    for batch_size, workers in ((1, 1), (4, 3), (50, 2)):
        stream = predictor.predict_many(paths, batch_size=batch_size, workers=workers)
        for prediction, one in zip(stream, expected, strict=True):
            assert prediction.box == one.box
            assert np.array_equal(prediction.mask, one.mask)
            assert np.array_equal(prediction.class_probabilities, one.class_probabilities)


def test_a_stream_does_not_keep_what_was_made_of_its_predictions(
    color_package: MakePackage,
) -> None:
    image, _ = draw()
    stream = load_model(color_package()).predict_many([image] * 3, on_error="return")
    prediction = next(stream)
    assert isinstance(prediction, Prediction)
    mask = weakref.ref(prediction.mask)
    assert mask() is not None
    del prediction
    assert mask() is None
    assert len(list(stream)) == 2


def test_an_endless_stream_is_read_only_a_little_ahead(color_package: MakePackage) -> None:
    image, _ = draw()
    num_read = 0

    def endless() -> Iterator[np.ndarray]:
        nonlocal num_read
        while True:
            num_read += 1
            yield image

    stream = load_model(color_package()).predict_many(endless(), batch_size=4, workers=2)
    assert len(list(itertools.islice(stream, 10))) == 10
    assert num_read <= 12 + 4 + 2
    stream.close()
    assert not [thread for thread in threading.enumerate() if "dermseg-" in thread.name]


def test_a_bad_image_stops_the_stream_or_takes_its_place(color_package: MakePackage) -> None:
    image, _ = draw()
    predictor = load_model(color_package())
    sources: list[ImageLike] = [image, b"no image", image]
    with pytest.raises(ImageError):
        list(predictor.predict_many(sources))
    results = list(predictor.predict_many(sources, on_error="return"))
    assert [type(result) for result in results] == [Prediction, ImageError, Prediction]


def test_the_threshold_is_the_lesions(color_package: MakePackage) -> None:
    image, _ = draw()
    package = color_package(postprocessing={"thresholds": {"globules": 0.7}})
    predictor = load_model(package, threshold=0.9)
    assert predictor.lesion is not None
    assert predictor.lesion.postprocessing.threshold == 0.9
    assert predictor.postprocessing.threshold_of("globules") == 0.7
    assert predictor.postprocessing.threshold_of("streaks") == 0.5
    strict, usual = predictor.predict(image), load_model(package).predict(image)
    assert strict.mask.sum() < usual.mask.sum()


def test_another_lesion_model_can_be_named(color_package: MakePackage) -> None:
    assert load_model(color_package(), lesion_model="fast").predict(draw()[0]).lesion is not None


def test_what_cannot_find_the_lesion_is_refused(
    color_package: MakePackage, dark_package: Path
) -> None:
    lost = color_package(lesion_crop=LesionCrop(model="nowhere"))
    with pytest.raises(PackageError, match="'nowhere' finds, which cannot be loaded: no model"):
        load_model(lost)
    assert load_model(lost, lesion_model=dark_package).lesion is not None
    with pytest.raises(PackageError, match="no model 'elsewhere'"):
        load_model(lost, lesion_model="elsewhere")
    with pytest.raises(UsageError, match="finds globules, milia_like_cyst, streaks and no lesion"):
        load_model(lost, lesion_model=color_package())
    with pytest.raises(UsageError, match="finds the lesion itself"):
        load_model(dark_package, lesion_model=dark_package)
    with pytest.raises(UsageError, match="needs a lesion model"):
        Predictor(load_package(lost))


@pytest.mark.parametrize(
    ("classes", "message"),
    [
        (["../../a", "b", "c"], "should match pattern"),
        (["a", "a", "b"], "each of them once"),
        (["lesion", "a", "b"], "'lesion' is among them"),
        (["a", "b_probability", "c"], "end in _probability"),
    ],
)
def test_classes_that_cannot_be_files_are_refused(
    classes: list[str], message: str, color_package: MakePackage, tmp_path: Path
) -> None:
    package = color_package()
    text = (package / "model.json").read_text("utf-8")
    named = str(classes).replace("'", '"')
    old = '["globules","milia_like_cyst","streaks"]'
    assert old in text
    (package / "model.json").write_text(text.replace(old, named), "utf-8")
    with pytest.raises(PackageError, match=message):
        load_model(package)


def test_kernels_are_shares_of_what_the_network_saw() -> None:
    box = Box(top=10, left=20, height=30, width=40)
    probability = np.zeros((1, 30, 40), np.float32)
    probability[0, 0:9, 10:19] = 1
    prediction = Prediction(
        image=np.zeros((100, 200, 3), np.uint8),
        size=(100, 200),
        class_probabilities=probability,
        classes=("globules",),
        # A kernel of 3 pixels: a tenth of the 30 that the box is high, not of the image.
        postprocessing=Postprocessing(dilation={"globules": 0.1}),
        seconds=0.0,
        box=box,
    )
    expected = np.zeros((100, 200), np.bool_)
    # One more on each side, but for the upper one, where the box ends.
    expected[10:20, 29:40] = True
    assert np.array_equal(prediction.mask, expected)
