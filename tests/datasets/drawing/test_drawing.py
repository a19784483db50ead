"""What is drawn into the images of a dataset, and which masks are written."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from dermseg.datasets import Isic2018, open_dataset, read_class_mask
from dermseg.datasets.drawing import (
    DrawingOptions,
    draw_all,
    open_drawing,
    plan_drawing,
    write_groups,
)
from dermseg.datasets.presence import Presence, read_presence
from dermseg.errors import DatasetError, ImageError
from dermseg.images import read_image, read_mask, write_image, write_mask
from dermseg.phantom import ATTRIBUTES, create_phantom
from dermseg.preprocessing import resize_image, resize_mask

NAMES = ("out", "bare")
ALL = dict.fromkeys(ATTRIBUTES, 1.0)
IMAGES, LESIONS, MASKS = (
    "ISIC2018_Task1-2_Training_Input",
    "ISIC2018_Task1_Training_GroundTruth",
    "ISIC2018_Task2_Training_GroundTruth_v3",
)


@pytest.fixture
def lesions(tmp_path: Path) -> Path:
    """Three generated lesions of 96x128 pixels as ISIC 2018, Task 1."""
    root = tmp_path / "lesions"
    for folder in (IMAGES, LESIONS):
        (root / folder).mkdir(parents=True)
    for number in range(3):
        phantom = create_phantom(number, size=(96, 128))
        write_image(root / IMAGES / f"ISIC_{number:07}.png", phantom.image)
        write_mask(root / LESIONS / f"ISIC_{number:07}_segmentation.png", phantom.mask)
    return root


def draw(
    root: Path, output: Path, options: DrawingOptions, presence: Presence | None = None
) -> dict[str, Exception | None]:
    plan = plan_drawing(open_dataset(root), presence)
    todo = open_drawing(output, plan, options)
    return {task.sample.id: error for task, error in draw_all(todo, output, options)}


def files(folder: Path) -> dict[str, bytes]:
    return {
        str(path.relative_to(folder)): path.read_bytes()
        for path in folder.rglob("*.png")
        if path.is_file()
    }


def test_the_result_is_an_isic_2018_dataset_with_all_masks(lesions: Path, tmp_path: Path) -> None:
    assert draw(lesions, tmp_path / "out", DrawingOptions(side=64)) == {
        f"ISIC_{number:07}": None for number in range(3)
    }
    dataset = open_dataset(tmp_path / "out")
    assert isinstance(dataset, Isic2018)
    assert (dataset.orphans, dataset.gaps) == ((), ())
    for sample in dataset.samples:
        assert tuple(sample.attributes) == ATTRIBUTES
        assert read_image(sample.image).shape == (48, 64, 3)  # the aspect of 96x128
        assert sample.mask is not None
        lesion = read_mask(sample.mask)
        source = read_mask(lesions / LESIONS / sample.mask.name)
        assert np.array_equal(lesion, resize_mask(source, (48, 64)))


def test_images_change_only_where_something_was_drawn(lesions: Path, tmp_path: Path) -> None:
    draw(lesions, tmp_path / "out", DrawingOptions(side=64, frequencies={"streaks": 1.0}))
    draw(lesions, tmp_path / "bare", DrawingOptions(side=64, frequencies={}))
    for sample in open_dataset(tmp_path / "out").samples:
        drawn, bare = (read_image(tmp_path / name / IMAGES / sample.image.name) for name in NAMES)
        streaks = read_mask(tmp_path / "out" / MASKS / f"{sample.id}_attribute_streaks.png")
        assert streaks.any()
        assert (drawn != bare)[streaks].any()
        # Both have the same look-alikes; nothing else may differ.
        assert np.array_equal(drawn[~streaks], bare[~streaks])
        globules = read_mask(tmp_path / "out" / MASKS / f"{sample.id}_attribute_globules.png")
        assert not globules.any()


def test_where_nothing_is_drawn_the_pixels_are_those_of_the_photograph(
    lesions: Path, tmp_path: Path
) -> None:
    draw(lesions, tmp_path / "out", DrawingOptions(side=64, frequencies=ALL))
    num_same = 0
    for sample in open_dataset(tmp_path / "out").samples:
        real = resize_image(read_image(lesions / IMAGES / sample.image.name), (48, 64))
        num_same += int((read_image(sample.image) == real).all(axis=2).sum())
    assert num_same > 0.2 * 3 * 48 * 64


def test_what_a_photograph_shows_is_neither_drawn_nor_given_a_mask(
    lesions: Path, tmp_path: Path
) -> None:
    nothing = dict.fromkeys(ATTRIBUTES, False)
    presence = {
        "ISIC_0000000": {**nothing, "globules": True},
        "ISIC_0000001": {"streaks": False},  # nothing is known of the others
    }
    plan = plan_drawing(open_dataset(lesions), presence)
    assert plan.num_unnamed == 1
    options = DrawingOptions(side=128, frequencies=ALL)
    draw(lesions, tmp_path / "out", options, presence)
    first, second = open_dataset(tmp_path / "out").samples
    assert set(first.attributes) == set(ATTRIBUTES) - {"globules"}
    assert set(second.attributes) == {"streaks"}
    draw(lesions, tmp_path / "all", options)
    every = open_dataset(tmp_path / "all").samples[1]
    first_mask, second_mask = (
        read_class_mask(sample.attributes["streaks"]) for sample in (every, second)
    )
    assert first_mask.any()
    assert np.array_equal(first_mask, second_mask)
    assert not np.array_equal(read_image(every.image), read_image(second.image))


def test_a_drawing_depends_on_seed_and_id_only(lesions: Path, tmp_path: Path) -> None:
    options = DrawingOptions(side=64, frequencies=ALL)
    draw(lesions, tmp_path / "a", options)
    (lesions / IMAGES / "ISIC_0000000.png").unlink()
    (lesions / LESIONS / "ISIC_0000000_segmentation.png").unlink()
    draw(lesions, tmp_path / "b", options)
    draw(lesions, tmp_path / "c", DrawingOptions(side=64, seed=1, frequencies=ALL))
    fewer, all_of_them, others = (files(tmp_path / name) for name in "bac")
    assert len(all_of_them) == 3 * 7
    assert fewer == {name: all_of_them[name] for name in fewer}
    assert len(fewer) == 2 * 7
    images = [name for name in others if name.startswith(IMAGES)]
    assert all(others[name] != fewer[name] for name in images)


def test_what_cannot_be_read_does_not_stop_the_rest(lesions: Path, tmp_path: Path) -> None:
    (lesions / IMAGES / "ISIC_0000000.png").write_bytes(b"damaged")
    write_mask(lesions / LESIONS / "ISIC_0000001_segmentation.png", np.ones((5, 5), np.bool_))
    result = draw(lesions, tmp_path / "out", DrawingOptions(side=64))
    assert [type(error) for error in result.values()] == [ImageError, DatasetError, type(None)]
    (sample,) = open_dataset(tmp_path / "out").samples
    assert sample.id == "ISIC_0000002"


def test_ids_that_the_layout_cannot_hold_are_refused(disc_dataset: Path) -> None:
    with pytest.raises(DatasetError, match=r"20 of 20 .* disc_00, .*expected ISIC_ and seven"):
        plan_drawing(open_dataset(disc_dataset), None)


def test_a_table_of_other_images_is_refused(lesions: Path) -> None:
    with pytest.raises(DatasetError, match=r"none of its 3 images, for example ISIC_0000000"):
        plan_drawing(open_dataset(lesions), {"ISIC_0000009": {"streaks": False}})


def test_official_test_images_are_left_out(lesions: Path, tmp_path: Path) -> None:
    for folder in (IMAGES, LESIONS):
        other = lesions / folder.replace("Training", "Test")
        other.mkdir()
        for path in (lesions / folder).glob("ISIC_0000002*"):
            path.rename(other / path.name)
    plan = plan_drawing(open_dataset(lesions), None)
    assert [task.sample.id for task in plan.tasks] == ["ISIC_0000000", "ISIC_0000001"]
    assert plan.num_held_out == 1


def test_groups_that_the_layout_cannot_tell_are_written(
    make_dataset: Callable[[str], Path], lesions: Path, tmp_path: Path
) -> None:
    plan = plan_drawing(open_dataset(make_dataset("ham10000")), None)
    path = write_groups(tmp_path, plan)
    assert path is not None
    lines = path.read_text().splitlines()
    assert lines[:2] == ["id,group", "ISIC_0024306,HAM_0000001"]
    assert len(lines) == 5
    assert write_groups(tmp_path, plan_drawing(open_dataset(lesions), None)) is None


@pytest.mark.data
def test_real_lesions_are_drawn_into_by_what_their_table_says(
    real_data: Path, tmp_path: Path
) -> None:
    root = real_data / "isic2018_512"
    presence = read_presence(root / "attribute_presence.csv", ATTRIBUTES)
    plan = plan_drawing(open_dataset(root), presence)
    assert (len(plan.tasks), plan.num_unnamed, plan.num_held_out) == (2065, 0, 0)
    options = DrawingOptions()
    todo = open_drawing(tmp_path, plan, options)
    assert len(todo) == 2065
    assert all(error is None for _, error in draw_all(todo[:4], tmp_path, options))
    for sample in open_dataset(tmp_path).samples:
        assert read_image(sample.image).shape == (256, 256, 3)
        shown = {name for name, value in presence[sample.id].items() if value}
        assert set(sample.attributes) == set(ATTRIBUTES) - shown
