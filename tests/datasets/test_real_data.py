from __future__ import annotations

from pathlib import Path

import pytest

from dermseg.datasets import (
    LESION,
    check_dataset,
    official_split,
    open_dataset,
    read_class_masks,
)
from dermseg.images import read_mask, read_size

pytestmark = pytest.mark.data


def test_isic2017_has_its_official_parts(real_data: Path) -> None:
    dataset = open_dataset(real_data / "isic2017_256x192")
    assert dataset.name == "isic2017"
    assert dataset.orphans == ()
    for part in ("train", "validation"):
        assert len(dataset.part(part)) == dataset.num_images[part]


def test_no_id_is_in_two_parts(real_data: Path) -> None:
    split = official_split(open_dataset(real_data / "isic2017_256x192"))
    assert split is not None
    assert not set(split.parts["train"]) & set(split.parts["validation"])
    assert sum(map(len, split.parts.values())) == 2150


def test_native_pairs_have_the_same_size(real_data: Path) -> None:
    samples = open_dataset(real_data / "isic2017_native").samples
    assert len(samples) == 36
    for sample in samples[:6]:
        assert sample.mask is not None
        assert read_mask(sample.mask).shape == read_size(sample.image)


def test_isic2018_pairs_are_training_images(real_data: Path) -> None:
    dataset = open_dataset(real_data / "isic2018_512")
    assert dataset.name == "isic2018"
    assert len(dataset.part("train")) == len(dataset.samples) == 2065
    assert dataset.orphans == ()


def test_isic2018_images_without_truth_are_samples_without_mask(real_data: Path) -> None:
    samples = open_dataset(real_data / "isic2018_test_unlabelled_128").samples
    assert len(samples) == 1000
    assert {(sample.part, sample.mask) for sample in samples} == {("test", None)}


def test_ham10000_groups_are_its_lesions(real_data: Path) -> None:
    dataset = open_dataset(real_data / "ham10000_sample_200x150")
    assert dataset.name == "ham10000"
    assert dataset.orphans == ()
    assert len(dataset.samples) == 125
    assert len({sample.group for sample in dataset.samples}) == 70
    for sample in dataset.samples[:10]:
        assert sample.mask is not None
        mask = read_mask(sample.mask)
        assert mask.shape == read_size(sample.image)
        assert 0 < mask.mean() < 1


def test_task_2_marks_a_pigment_network_in_the_sample_and_nothing_else(real_data: Path) -> None:
    dataset = open_dataset(real_data / "isic2018_task2_sample")
    (sample,) = dataset.samples
    assert (sample.part, dataset.orphans, dataset.gaps) == ("train", (), ())
    read = read_class_masks(sample, [*dataset.attributes, LESION])
    assert read.masks.shape == (6, *read_size(sample.image))
    assert read.known.all()
    shares = dict(zip([*dataset.attributes, LESION], read.masks.mean(axis=(1, 2)), strict=True))
    assert [name for name, share in shares.items() if share] == ["pigment_network", LESION]
    assert shares["pigment_network"] == pytest.approx(0.2112, abs=1e-4)
    assert shares[LESION] == pytest.approx(0.4697, abs=1e-4)


def test_the_sample_of_task_2_has_no_problems(real_data: Path) -> None:
    report = check_dataset(open_dataset(real_data / "isic2018_task2_sample"))
    assert report.problems == ()
    assert {name: count.num_present for name, count in report.attributes.items()} == {
        "globules": 0,
        "milia_like_cyst": 0,
        "negative_network": 0,
        "pigment_network": 1,
        "streaks": 0,
    }
