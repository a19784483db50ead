from __future__ import annotations

import hashlib
import shutil
import time
from dataclasses import replace
from pathlib import Path

import pytest

from dermseg.datasets import dataset_fingerprint, open_dataset
from dermseg.errors import ImageError
from dermseg.types import ClassMask, Sample, SuperpixelFeature


@pytest.fixture
def samples(tmp_path: Path) -> list[Sample]:
    made = []
    for id in ("a", "b"):
        image, mask = tmp_path / f"{id}.jpg", tmp_path / f"{id}.png"
        image.write_bytes(f"image {id}".encode())
        mask.write_bytes(f"mask {id}".encode())
        made.append(Sample(id, image, mask, group=id))
    return made


def test_it_is_the_hash_of_ids_and_contents(samples: list[Sample]) -> None:
    lines = [
        f"{id}\0{hashlib.sha256(f'image {id}'.encode()).hexdigest()}"
        f"\0{hashlib.sha256(f'mask {id}'.encode()).hexdigest()}\0"
        for id in ("a", "b")
    ]
    assert dataset_fingerprint(samples) == hashlib.sha256("".join(lines).encode()).hexdigest()


def test_the_order_of_samples_does_not_matter(samples: list[Sample]) -> None:
    assert dataset_fingerprint(samples) == dataset_fingerprint(samples[::-1])


def test_the_place_of_the_files_does_not_matter(samples: list[Sample], tmp_path: Path) -> None:
    before = dataset_fingerprint(samples)
    moved = []
    (tmp_path / "moved").mkdir()
    for sample in samples:
        assert sample.mask is not None
        image = Path(shutil.move(sample.image, tmp_path / "moved"))
        moved.append(Sample(sample.id, image, sample.mask, group="other", part="train"))
    assert dataset_fingerprint(moved) == before


@pytest.mark.parametrize("suffix", [".jpg", ".png"])
def test_one_changed_file_changes_it(samples: list[Sample], suffix: str) -> None:
    before = dataset_fingerprint(samples)
    samples[1].image.with_suffix(suffix).write_bytes(b"other")
    assert dataset_fingerprint(samples) != before


def test_a_missing_mask_or_sample_changes_it(samples: list[Sample]) -> None:
    first, second = samples
    bare = Sample(second.id, second.image, None, group="b")
    prints = {dataset_fingerprint(chosen) for chosen in ([first], [first, bare], [first, second])}
    assert len(prints) == 3


def test_attributes_count_by_name_and_content(samples: list[Sample], tmp_path: Path) -> None:
    for name in ("x", "y"):
        (tmp_path / name).write_text(name)
    first, second = samples

    def fingerprint(**attributes: ClassMask) -> str:
        return dataset_fingerprint([replace(first, attributes=attributes), second])

    x, y = tmp_path / "x", tmp_path / "y"
    different = [
        fingerprint(),
        fingerprint(streaks=x),
        fingerprint(streaks=y),
        fingerprint(globules=x),
        fingerprint(streaks=x, globules=y),
        fingerprint(streaks=y, globules=x),
        fingerprint(streaks=SuperpixelFeature(x, y, "streaks")),
        fingerprint(streaks=SuperpixelFeature(y, x, "streaks")),
        dataset_fingerprint([first, replace(second, attributes={"streaks": x})]),
    ]
    assert len(set(different)) == len(different)
    assert different[0] == dataset_fingerprint(samples)
    assert fingerprint(streaks=x, globules=y) == fingerprint(globules=y, streaks=x)
    moved = x.rename(tmp_path / "elsewhere")
    assert fingerprint(streaks=moved) == different[1]
    moved.write_text("other")
    assert fingerprint(streaks=moved) != different[1]


def test_only_the_classes_that_are_learned_count(samples: list[Sample], tmp_path: Path) -> None:
    (tmp_path / "x").write_text("x")
    plain = dataset_fingerprint(samples)
    marked = [replace(sample, attributes={"streaks": tmp_path / "x"}) for sample in samples]
    assert dataset_fingerprint(samples, classes=["lesion"]) == plain
    assert dataset_fingerprint(marked, classes=["lesion"]) == plain
    assert dataset_fingerprint(marked, classes=["globules", "lesion"]) == plain
    streaks = dataset_fingerprint(marked, classes=["streaks"])
    assert streaks not in {plain, dataset_fingerprint(marked)}
    bare = [replace(sample, mask=None) for sample in marked]
    assert dataset_fingerprint(bare, classes=["streaks"]) == streaks
    assert dataset_fingerprint(marked, classes=["streaks", "lesion"]) == dataset_fingerprint(marked)


def test_presence_counts_where_there_is_no_mask(samples: list[Sample], tmp_path: Path) -> None:
    (tmp_path / "x").write_text("x")
    marked = [replace(sample, attributes={"streaks": tmp_path / "x"}) for sample in samples]

    def tell(told: list[Sample], **presence: bool) -> str:
        samples = [replace(sample, presence=presence) for sample in told]
        return dataset_fingerprint(samples, classes=["streaks", "globules"])

    assert len({tell(samples), tell(samples, streaks=True), tell(samples, streaks=False)}) == 3
    assert tell(marked) == tell(marked, streaks=True)
    assert tell(marked) != tell(marked, globules=True)
    assert tell(samples, milia_like_cyst=True) == tell(samples)


def test_a_file_that_is_gone_is_named(samples: list[Sample]) -> None:
    samples[0].image.unlink()
    with pytest.raises(ImageError, match=r"a\.jpg: No such file"):
        dataset_fingerprint(samples)


@pytest.mark.data
def test_two_thousand_small_files_take_seconds(real_data: Path) -> None:
    samples = open_dataset(real_data / "isic2017_256x192").part("train")
    start = time.perf_counter()
    fingerprint = dataset_fingerprint(samples)
    assert time.perf_counter() - start < 10
    assert dataset_fingerprint(samples[::-1]) == fingerprint
