from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from dermseg.datasets import create_split, open_dataset
from dermseg.errors import DatasetError

MakeDataset = Callable[[str], Path]


def test_images_of_both_parts_are_grouped_by_lesion(make_dataset: MakeDataset) -> None:
    dataset = open_dataset(make_dataset("ham10000"))
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


def test_without_its_metadata_it_is_refused(make_dataset: MakeDataset) -> None:
    root = make_dataset("ham10000")
    (root / "HAM10000_metadata.csv").unlink()
    with pytest.raises(DatasetError, match=r"HAM10000_metadata\.csv: .* cannot be read"):
        open_dataset(root)


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
