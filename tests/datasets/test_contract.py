"""What holds for every dataset in the table."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from dermseg.datasets import DATASETS, create_split, open_dataset

every_dataset = pytest.mark.parametrize("name", DATASETS)
MakeDataset = Callable[[str], Path]


@every_dataset
def test_the_table_uses_the_dataset_s_own_name(name: str) -> None:
    assert DATASETS[name].name == name


@every_dataset
def test_the_facts_are_stated(name: str) -> None:
    dataset = DATASETS[name]
    assert dataset.title
    assert dataset.licence
    assert all(num > 0 for num in dataset.num_images.values())
    assert all(defect.strip() for defect in dataset.known_defects)
    assert all(marker.split("_")[0] in dataset.layout for marker in dataset.markers())


@every_dataset
def test_a_download_is_recognised(name: str, make_dataset: MakeDataset) -> None:
    assert type(open_dataset(make_dataset(name))) is DATASETS[name]


@every_dataset
def test_images_and_masks_are_paired_by_id(name: str, make_dataset: MakeDataset) -> None:
    dataset = open_dataset(make_dataset(name))
    assert dataset.orphans == ()
    assert len(dataset.samples) >= 3
    for sample in dataset.samples:
        assert sample.image.stem == sample.id
        assert sample.mask is not None
        assert sample.mask.stem.startswith(sample.id)


@every_dataset
def test_samples_are_sorted_by_id_and_unique(name: str, make_dataset: MakeDataset) -> None:
    ids = [sample.id for sample in open_dataset(make_dataset(name)).samples]
    assert ids == sorted(set(ids))


@every_dataset
def test_an_image_without_mask_is_named_and_left_out(name: str, make_dataset: MakeDataset) -> None:
    root = make_dataset(name)
    gone = open_dataset(root).samples[0]
    assert gone.mask is not None
    gone.mask.unlink()
    dataset = open_dataset(root)
    assert [str(orphan) for orphan in dataset.orphans] == [f"{gone.image.name}: image without mask"]
    assert gone.id not in {sample.id for sample in dataset.samples}


@every_dataset
def test_a_mask_without_image_is_named(name: str, make_dataset: MakeDataset) -> None:
    root = make_dataset(name)
    gone = open_dataset(root).samples[0]
    assert gone.mask is not None
    gone.image.unlink()
    orphans = open_dataset(root).orphans
    assert [(orphan.path, orphan.problem) for orphan in orphans] == [
        (gone.mask, "mask without image")
    ]


@every_dataset
def test_the_same_seed_gives_the_same_split(name: str, make_dataset: MakeDataset) -> None:
    root = make_dataset(name)
    splits = [create_split(open_dataset(root).samples, seed=7) for _ in range(2)]
    assert splits[0] == splits[1]
