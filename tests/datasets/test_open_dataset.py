from __future__ import annotations

from collections.abc import Callable, Iterable
from pathlib import Path

import pytest

from dermseg.datasets import DATASETS, open_dataset
from dermseg.errors import DatasetError

MakeFiles = Callable[[Iterable[str]], Path]


def test_a_missing_folder_is_named(tmp_path: Path) -> None:
    with pytest.raises(DatasetError, match=r"gone: no such folder"):
        open_dataset(tmp_path / "gone")


def test_an_unknown_layout_says_what_is_there_and_what_was_looked_for(
    make_files: MakeFiles,
) -> None:
    with pytest.raises(DatasetError) as error:
        open_dataset(make_files(["photos/a.jpg", "readme.txt"]))
    message = str(error.value)
    assert "It holds photos, readme.txt." in message
    assert "folder: looked for images/" in message
    assert "isic2017: looked for ISIC-2017_Training_Data/ or " in message
    assert all(f"{name}: looked for" in message for name in DATASETS)
    assert "with --images and --masks" in message


@pytest.mark.parametrize("place", ["", "data/", "dataset/"])
@pytest.mark.parametrize(
    ("images", "masks", "name"),
    [
        ("images/ISIC_0000000.jpg", "masks/ISIC_0000000_segmentation.png", "folder"),
        (
            "Training_Data/ISIC_0000000.jpg",
            "Training_GroundTruth/ISIC_0000000_Segmentation.png",
            "isic2016",
        ),
    ],
)
def test_the_folders_of_published_projects_are_recognised(
    place: str, images: str, masks: str, name: str, make_files: MakeFiles
) -> None:
    dataset = open_dataset(make_files([place + images, place + masks]))
    (sample,) = dataset.samples
    assert (dataset.name, sample.id) == (name, "ISIC_0000000")
    assert sample.mask is not None


def test_an_empty_root_is_said_to_be_empty(tmp_path: Path) -> None:
    with pytest.raises(DatasetError, match="It is empty"):
        open_dataset(tmp_path)


def test_two_layouts_in_one_folder_need_a_name(make_files: MakeFiles) -> None:
    root = make_files(["images/a.jpg", "ISIC-2017_Training_Data/ISIC_0000000.jpg"])
    with pytest.raises(DatasetError, match="several datasets: folder, isic2017"):
        open_dataset(root)
    assert [sample.id for sample in open_dataset(root, "folder").samples] == ["a"]
    assert [sample.id for sample in open_dataset(root, "isic2017").samples] == ["ISIC_0000000"]


def test_an_unknown_name_lists_the_known_ones(tmp_path: Path) -> None:
    with pytest.raises(DatasetError, match=r"unknown dataset 'isic'.*folder, .*isic2017"):
        open_dataset(tmp_path, "isic")


def test_a_name_that_does_not_fit_the_folder_is_refused(make_files: MakeFiles) -> None:
    with pytest.raises(DatasetError, match=r"not laid out as 'isic2017'\. It holds images"):
        open_dataset(make_files(["images/a.jpg"]), "isic2017")


@pytest.mark.parametrize("names", [["images/readme.txt"], ["images/a.jpg", "masks/b.png"]])
def test_a_dataset_without_usable_images_is_refused(
    names: list[str], make_files: MakeFiles
) -> None:
    with pytest.raises(DatasetError, match="no usable image is in it"):
        open_dataset(make_files(names))
