from __future__ import annotations

from collections.abc import Callable, Iterable
from pathlib import Path

import pytest

from dermseg.datasets.base import DatasetIndex
from dermseg.datasets.pairing import files_by_id, find_masks, join, mask_id, pair
from dermseg.errors import DatasetError


@pytest.mark.parametrize(
    ("name", "id"),
    [
        ("ISIC_0000000_segmentation.png", "ISIC_0000000"),
        ("ISIC_0000000_Segmentation.png", "ISIC_0000000"),
        ("ISIC_0000000.png", "ISIC_0000000"),
        ("mole_mask.tif", "mole"),
        ("mole_mask_mask.png", "mole_mask"),
        ("mole.v2_mask.png", "mole.v2"),
        ("mask.png", "mask"),
    ],
)
def test_the_id_is_the_name_without_a_mask_s_ending(name: str, id: str) -> None:
    assert mask_id(Path(name)) == id


def test_overlays_and_probabilities_are_no_masks(
    make_files: Callable[[Iterable[str]], Path],
) -> None:
    root = make_files(
        ["a_segmentation.png", "a_overlay.jpg", "a_probability.png", "predictions.csv"]
    )
    assert [path.name for path in find_masks(root)] == ["a_segmentation.png"]


def test_two_files_with_one_id_are_refused() -> None:
    paths = [Path("x/a.jpg"), Path("x/a.png")]
    with pytest.raises(DatasetError, match=r"id 'a': x/a\.jpg and x/a\.png"):
        files_by_id(paths, lambda path: path.stem)


def test_no_truth_at_all_is_not_a_problem_of_each_image() -> None:
    images = {"a": Path("a.jpg")}
    assert pair(images, None).orphans == ()
    assert [orphan.problem for orphan in pair(images, {}).orphans] == ["image without mask"]


def test_joined_parts_are_sorted_by_id() -> None:
    second = pair({"b": Path("b.jpg")}, None, part="train")
    first = pair({"a": Path("a.jpg")}, None, part="test")
    assert [sample.id for sample in join([second, first, DatasetIndex(())]).samples] == ["a", "b"]


def test_names_with_accents_meet_whatever_system_wrote_them(tmp_path: Path) -> None:
    composed, apart = "M\u00fcller", "Mu\u0308ller"
    images = files_by_id([tmp_path / f"{apart}.jpg"], lambda path: path.stem)
    masks = files_by_id([tmp_path / f"{composed}_segmentation.png"], mask_id)
    (sample,) = pair(images, masks).samples
    assert sample.id == composed
    assert sample.image.stem == apart


@pytest.mark.parametrize(
    "name", ["a_Segmentation.PNG", "a_segmentation_prediction.png", "a_MASK.png", "a.png"]
)
def test_masks_are_called_in_any_of_the_ways_in_use(name: str) -> None:
    assert mask_id(Path(name)) == "a"
