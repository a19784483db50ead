from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from dermseg.datasets import create_split, open_dataset
from dermseg.errors import DatasetError

MakeDataset = Callable[[str], Path]


@pytest.mark.parametrize("layout", ["ham10000", "ham10000_kaggle"])
def test_images_are_grouped_by_lesion(layout: str, make_dataset: MakeDataset) -> None:
    dataset = open_dataset(make_dataset(layout))
    assert dataset.name == "ham10000"
    assert {sample.id: sample.group for sample in dataset.samples} == {
        "ISIC_0024306": "HAM_0000001",
        "ISIC_0024307": "HAM_0000002",
        "ISIC_0029306": "HAM_0000001",
        "ISIC_0029307": "HAM_0000003",
    }


@pytest.mark.parametrize("seed", range(5))
def test_a_lesion_stays_in_one_part(seed: int, make_dataset: MakeDataset) -> None:
    split = create_split(open_dataset(make_dataset("ham10000")).samples, seed=seed)
    repeated = {"ISIC_0024306", "ISIC_0029306"}
    assert [len(repeated & set(ids)) for ids in split.parts.values() if repeated & set(ids)] == [2]


@pytest.mark.parametrize("layout", ["ham10000", "ham10000_kaggle"])
def test_without_lesion_ids_it_is_refused_unless_there_are_other_groups(
    layout: str, make_dataset: MakeDataset, tmp_path: Path
) -> None:
    root = make_dataset(layout)
    table = (root / "HAM10000_metadata.csv").rename(tmp_path / "lesions.csv")
    with pytest.raises(DatasetError, match=r"Put HAM10000_metadata\.csv .* or give --groups"):
        open_dataset(root)
    dataset = open_dataset(root, groups=table)
    assert [sample.group for sample in dataset.samples].count("HAM_0000001") == 2


def test_the_metadata_are_found_beside_the_folder(make_dataset: MakeDataset) -> None:
    root = make_dataset("ham10000_kaggle")
    (root / "HAM10000_metadata.csv").rename(root.parent / "HAM10000_metadata.csv")
    assert len({sample.group for sample in open_dataset(root).samples}) == 3


def test_the_copy_s_own_table_names_the_diagnoses(make_dataset: MakeDataset) -> None:
    root = make_dataset("ham10000_kaggle")
    table = (root / "HAM10000_metadata.csv").rename(root.parent / "lesions.csv")
    samples = open_dataset(root, groups=table).samples
    assert [sample.metadata["diagnosis"] for sample in samples] == [
        "melanocytic nevus",
        "melanoma",
        "melanocytic nevus",
        "benign keratosis",
    ]


def test_a_folder_of_its_images_is_warned_of(
    make_dataset: MakeDataset, caplog: pytest.LogCaptureFixture, tmp_path: Path
) -> None:
    root = make_dataset("ham10000_kaggle")
    (root / "GroundTruth.csv").unlink()
    table = (root / "HAM10000_metadata.csv").rename(tmp_path / "lesions.csv")
    assert open_dataset(root, groups=table).name == "folder"
    assert not caplog.messages
    open_dataset(root)
    (message,) = caplog.messages
    assert "4 images have ids of HAM10000" in message
    assert "--groups" in message


def test_an_image_that_the_metadata_lacks_is_named(make_dataset: MakeDataset) -> None:
    root = make_dataset("ham10000")
    metadata = root / "HAM10000_metadata.csv"
    lines = metadata.read_text().splitlines(keepends=True)
    metadata.write_text("".join(lines[:-1]))
    with pytest.raises(DatasetError, match="1 images have no group: ISIC_0029307"):
        open_dataset(root)


def test_an_image_in_both_parts_is_refused(make_dataset: MakeDataset) -> None:
    root = make_dataset("ham10000")
    (root / "HAM10000_images_part_2" / "ISIC_0024306.jpg").touch()
    with pytest.raises(DatasetError, match="two files have the id 'ISIC_0024306'"):
        open_dataset(root)
