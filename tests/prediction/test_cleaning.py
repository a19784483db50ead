"""Cleaned images: the same tensor as in training, and masks back at native geometry."""

from __future__ import annotations

import hashlib
import itertools
from pathlib import Path

import numpy as np
import onnx
import pytest
from onnx import TensorProto, helper

from dermseg.images import read_image, write_image, write_mask
from dermseg.package import ModelPackage, load_package
from dermseg.phantom import PhantomOptions, create_phantom
from dermseg.prediction import Predictor
from dermseg.prediction.postprocessing import keep_largest_region
from dermseg.preprocessing import Box, Normalization, find_field, preprocess
from dermseg.recipes import Cleaning, Postprocessing, parse_recipe
from dermseg.training.data import SegmentationData
from dermseg.types import Sample

SIZE = (48, 64)
NORMALIZATION = Normalization(mean=(0.6, 0.5, 0.4), std=(0.2, 0.25, 0.3))
ALL = Cleaning(crop_field=True, fill_background=True, remove_hair=True, color_constancy=True)

RECIPE = """
name = "clean"
description = "Every step of cleaning"
[preprocessing]
size = [48, 64]
[network]
name = "unet"
[[loss]]
name = "bce"
[training]
epochs = 1
batch_size = 1
lr = 1e-3
"""


def cleaned(package: Path, cleaning: Cleaning, **changes: object) -> ModelPackage:
    """The package as if it had been trained on cleaned images."""
    opened = load_package(package)
    spec = opened.spec.model_copy(update={"preprocessing": cleaning, **changes})
    return ModelPackage(opened.folder, spec)


@pytest.fixture(scope="module")
def mirror_package(tmp_path_factory: pytest.TempPathFactory, dark_package: Path) -> ModelPackage:
    """A package whose logits are its input, so that probabilities tell what the network saw."""
    folder = tmp_path_factory.mktemp("mirror")
    graph = helper.make_graph(
        [helper.make_node("Identity", ["images"], ["logits"])],
        "mirror",
        [helper.make_tensor_value_info("images", TensorProto.FLOAT, ["batch", 3, *SIZE])],
        [helper.make_tensor_value_info("logits", TensorProto.FLOAT, ["batch", 3, *SIZE])],
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 20)], ir_version=10)
    content = model.SerializeToString()
    onnx.checker.check_model(model)
    (folder / "model.onnx").write_bytes(content)
    spec = load_package(dark_package).spec.model_copy(
        update={
            "classes": ["red", "green", "blue"],
            "normalization": NORMALIZATION,
            "onnx_sha256": hashlib.sha256(content).hexdigest(),
        }
    )
    (folder / "model.json").write_text(spec.model_dump_json())
    return load_package(folder)


@pytest.fixture(scope="module")
def sample(tmp_path_factory: pytest.TempPathFactory) -> Sample:
    """A hairy, tinted image with dark corners and a black frame, as files."""
    folder = tmp_path_factory.mktemp("sample")
    strengths = {"hairs": 0.4, "dark_corners": 0.8, "color_cast": 1.0}
    phantom = create_phantom(5, size=(240, 340), options=PhantomOptions(artefacts=strengths))
    image = phantom.image.copy()
    image[:, :50] = image[-30:] = 0
    write_image(folder / "a.png", image)
    write_mask(folder / "a_segmentation.png", phantom.mask)
    return Sample("a", folder / "a.png", folder / "a_segmentation.png", "a")


@pytest.mark.parametrize(
    "cleaning",
    [
        Cleaning(),
        Cleaning(crop_field=True),
        Cleaning(fill_background=True),
        Cleaning(remove_hair=True),
        Cleaning(color_constancy=True),
        ALL,
    ],
    ids=lambda cleaning: "+".join(cleaning.model_dump(exclude_defaults=True)) or "off",
)
def test_training_and_prediction_see_the_same_tensor(
    cleaning: Cleaning, mirror_package: ModelPackage, sample: Sample
) -> None:
    overrides = [f"preprocessing.{key}=true" for key in cleaning.model_dump(exclude_defaults=True)]
    recipe = parse_recipe(RECIPE, overrides)
    assert recipe.preprocessing.cleaning == cleaning
    data = SegmentationData([sample], recipe, NORMALIZATION, augment=False)
    expected = data[0, 0]["image"].sigmoid().numpy()

    package = cleaned(mirror_package.folder, cleaning)
    prediction = Predictor(package).predict(sample.image)
    assert np.abs(prediction.class_probabilities - expected).max() < 1e-6


@pytest.mark.parametrize(
    "steps",
    list(itertools.product([False, True], repeat=len(Cleaning.model_fields))),
)
def test_every_combination_gives_the_very_tensor_of_training(
    steps: tuple[bool, ...], sample: Sample
) -> None:
    cleaning = Cleaning(**dict(zip(Cleaning.model_fields, steps, strict=True)))
    overrides = [f"preprocessing.{key}=true" for key, on in cleaning.model_dump().items() if on]
    recipe = parse_recipe(RECIPE, overrides)
    data = SegmentationData([sample], recipe, NORMALIZATION, augment=False)
    tensor = preprocess(read_image(sample.image), SIZE, NORMALIZATION, cleaning=cleaning)
    assert np.array_equal(data[0, 0]["image"].numpy(), tensor)


def test_each_step_changes_the_tensor(sample: Sample) -> None:
    seen = set()
    for key in (None, *Cleaning.model_fields):
        recipe = parse_recipe(RECIPE, [f"preprocessing.{key}=true"] if key else [])
        data = SegmentationData([sample], recipe, NORMALIZATION, augment=False)
        seen.add(data[0, 0]["image"].numpy().tobytes())
    assert len(seen) == 5


def test_augmentation_works_on_cleaned_images(sample: Sample) -> None:
    recipe = parse_recipe(RECIPE, [f"preprocessing.{key}=true" for key in Cleaning.model_fields])
    # Without any change, the augmented path gives what the plain one gives.
    plain = SegmentationData([sample], recipe, NORMALIZATION, augment=False)[0, 0]
    augmented = SegmentationData([sample], recipe, NORMALIZATION, augment=True)[0, 0]
    assert (plain["image"] - augmented["image"]).abs().max() < 1e-3
    assert (plain["target"] == augmented["target"]).all()


def test_a_cropped_prediction_is_put_back_where_it_was(dark_package: Path) -> None:
    # A black frame of 40 pixels on all sides; a dark square in the field's upper left.
    image = np.full((272, 336, 3), (220, 190, 170), np.uint8)
    image[:40] = image[-40:] = image[:, :40] = image[:, -40:] = 0
    image[72:112, 88:152] = (60, 50, 40)
    box = find_field(image)
    assert (box.top, box.left, box.height, box.width) == pytest.approx((40, 40, 192, 256), abs=2)
    prediction = Predictor(cleaned(dark_package, Cleaning(crop_field=True))).predict(image)
    assert prediction.mask.shape == (272, 336)
    expected = np.zeros((272, 336), np.bool_)
    expected[72:112, 88:152] = True
    assert np.count_nonzero(prediction.mask ^ expected) < 0.1 * expected.sum()
    assert not prediction.probability[:38].any()
    assert not prediction.probability[:, -38:].any()
    assert prediction.size == (272, 336)
    assert prediction.overlay().shape == (272, 336, 3)
    # Without the crop the frame itself is dark, and the square is found all the same.
    whole = Predictor(load_package(dark_package)).predict(image)
    assert whole.mask[:38].all()


@pytest.mark.parametrize("frame", [(40, 0, 0, 90), (0, 64, 33, 17), (30, 30, 30, 30)])
def test_what_was_cropped_lies_where_it_lay_to_a_pixel(
    frame: tuple[int, int, int, int], dark_package: Path
) -> None:
    top, bottom, left, right = frame
    y, x = np.mgrid[:300, :420]
    disc = (y - 150) ** 2 + (x - 170) ** 2 < 50**2
    image = np.where(disc[..., None], (60, 50, 40), (220, 190, 170)).astype(np.uint8)
    image[:top] = image[300 - bottom :] = image[:, :left] = image[:, 420 - right :] = 0
    prediction = Predictor(cleaned(dark_package, Cleaning(crop_field=True))).predict(image)
    assert prediction.box == find_field(image) != Box(0, 0, 300, 420)
    found = keep_largest_region(prediction.mask)
    # A pixel of the network is six of the image.
    centre = np.argwhere(found).mean(axis=0)
    assert centre == pytest.approx((150, 170), abs=1)
    assert found.sum() == pytest.approx(disc.sum(), rel=0.05)


def test_an_uncropped_prediction_has_no_box(dark_package: Path) -> None:
    image = np.full((60, 80, 3), 200, np.uint8)
    assert Predictor(load_package(dark_package)).predict(image).box is None
    cropping = Predictor(cleaned(dark_package, Cleaning(crop_field=True)))
    whole = cropping.predict(image)
    assert whole.box == Box(0, 0, 60, 80)
    assert np.array_equal(
        whole.probability, Predictor(load_package(dark_package)).predict(image).probability
    )


@pytest.mark.parametrize("size", [(1, 1), (3, 200), (200, 3)])
@pytest.mark.parametrize("value", [0, 128, 255])
def test_every_step_predicts_images_of_one_colour_and_any_size(
    size: tuple[int, int], value: int, dark_package: Path
) -> None:
    image = np.full((*size, 3), value, np.uint8)
    prediction = Predictor(cleaned(dark_package, ALL)).predict(image)
    assert prediction.mask.shape == size
    assert np.isfinite(prediction.probability).all()


def test_masks_are_cropped_like_their_images(sample: Sample) -> None:
    off = SegmentationData([sample], parse_recipe(RECIPE), NORMALIZATION, augment=False)
    crop = SegmentationData(
        [sample],
        parse_recipe(RECIPE, ["preprocessing.crop_field=true"]),
        NORMALIZATION,
        augment=False,
    )
    # The field is smaller than the image, so that the lesion fills more of it.
    assert crop[0, 0]["target"].mean() > 1.2 * off[0, 0]["target"].mean()


def test_kernels_and_areas_are_used_at_native_size(dark_package: Path) -> None:
    image = np.full((192, 256, 3), (220, 190, 170), np.uint8)
    image[60:120, 80:160] = (20, 20, 20)
    image[10:26, 10:26] = (20, 20, 20)
    eroding = Postprocessing(erosion={"lesion": 0.1}, min_area=0.01)
    package = load_package(dark_package)
    plain = Predictor(package).predict(image).mask
    spec = package.spec.model_copy(update={"postprocessing": eroding})
    mask = Predictor(ModelPackage(package.folder, spec)).predict(image).mask
    assert plain[18, 18]
    assert not mask[18, 18]
    # 0.1 of 192 pixels is 19.2: a kernel of 19, a margin of 9 at each side.
    rows, columns = np.flatnonzero(plain[:, 120]), np.flatnonzero(plain[90])
    assert np.flatnonzero(mask[:, 120]).tolist() == rows[9:-9].tolist()
    assert np.flatnonzero(mask[90]).tolist() == columns[9:-9].tolist()
