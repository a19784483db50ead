"""Whole audits of small folders."""

from __future__ import annotations

import csv
import json
import shutil
from collections.abc import Callable
from pathlib import Path

import cv2
import numpy as np
import pytest

from dermseg.audit import (
    Audit,
    audit_datasets,
    draw_pair,
    summarise,
    write_groups,
    write_report,
    write_sheets,
)
from dermseg.datasets import create_split, official_split, open_dataset, read_groups, regroup
from dermseg.images import read_image, write_image, write_mask
from dermseg.types import ImageArray, Split

MakeFolder = Callable[..., Path]


def audit(*folders: Path, split: Split | None = None) -> Audit:
    datasets = [open_dataset(folder) for folder in folders]
    splits = [official_split(dataset) for dataset in datasets]
    if split is not None:
        splits[0] = split
    return audit_datasets(datasets, splits, num_workers=2)


def findings(result: Audit) -> set[tuple[str, str, str]]:
    return {
        (result.items[pair.first].id, result.items[pair.second].id, pair.kind)
        for pair in result.pairs
    }


@pytest.fixture
def copies(make_folder: MakeFolder, phantoms: list[ImageArray]) -> tuple[Path, Path]:
    """Two folders that share three of five images: as a file, as pixels, mirrored."""
    first = make_folder("first", {f"a{index}": image for index, image in enumerate(phantoms[:5])})
    second = make_folder(
        "second",
        {
            "mirrored": np.ascontiguousarray(phantoms[0][:, ::-1]),
            "other": phantoms[7],
        },
    )
    shutil.copy(first / "images" / "a1.jpg", second / "images" / "file.jpg")
    write_image(second / "images" / "pixels.png", read_image(first / "images" / "a2.jpg"))
    return first, second


def test_each_kind_of_copy_between_two_folders_is_named(copies: tuple[Path, Path]) -> None:
    result = audit(*copies)
    assert findings(result) == {
        ("a0", "mirrored", "same_image"),
        ("a1", "file", "same_bytes"),
        ("a2", "pixels", "same_pixels"),
    }
    assert len(result.leaks) == 3
    assert not result.failures
    (mirrored,) = [pair for pair in result.pairs if pair.kind == "same_image"]
    assert mirrored.transform().startswith("mirrored, scale 1.0")


def test_a_copy_within_one_part_is_no_leak(
    make_folder: MakeFolder, phantoms: list[ImageArray]
) -> None:
    folder = make_folder("one", {"a": phantoms[0], "b": phantoms[0], "c": phantoms[1]})
    result = audit(folder)
    assert findings(result) == {("a", "b", "same_bytes")}
    assert not result.leaks
    parted = audit(folder, split=Split({"train": ("a", "c"), "test": ("b",)}, source="test"))
    assert len(parted.leaks) == 1
    left_out = audit(folder, split=Split({"train": ("a", "c")}, source="test"))
    assert len(left_out.items) == 2
    assert not left_out.pairs


def test_an_isic_number_is_the_same_image_and_other_names_are_not(
    make_folder: MakeFolder, phantoms: list[ImageArray]
) -> None:
    first = make_folder("first", {"ISIC_0000001": phantoms[0], "mole": phantoms[1]})
    smaller = "isic_0000001_downsampled"
    second = make_folder("second", {smaller: phantoms[2], "mole": phantoms[3]})
    assert findings(audit(first, second)) == {("ISIC_0000001", smaller, "same_id")}


def test_a_lesion_in_two_parts_is_found_by_its_group(
    tmp_path: Path, phantoms: list[ImageArray]
) -> None:
    images, masks = (
        tmp_path / "HAM10000_images_part_1",
        tmp_path / ("HAM10000_segmentations_lesion_tschandl"),
    )
    images.mkdir()
    masks.mkdir()
    rows = ["lesion_id,image_id"]
    for index, image in enumerate(phantoms[:4]):
        write_image(images / f"ISIC_002430{index}.jpg", image)
        write_mask(masks / f"ISIC_002430{index}_segmentation.png", np.ones((192, 256), bool))
        rows.append(f"HAM_{index // 2},ISIC_002430{index}")
    (tmp_path / "HAM10000_metadata.csv").write_text("\n".join(rows))
    ids = [f"ISIC_002430{index}" for index in range(4)]
    split = Split({"train": (ids[0], ids[2], ids[3]), "test": (ids[1],)}, source="test")
    result = audit(tmp_path, split=split)
    assert findings(result) == {(ids[0], ids[1], "same_lesion")}
    (pair,) = result.leaks
    assert pair.evidence == {"group"}
    write_groups(tmp_path / "groups.csv", result)
    groups = read_groups(tmp_path / "groups.csv")
    assert groups == {ids[0]: ids[0], ids[1]: ids[0], ids[2]: ids[2], ids[3]: ids[2]}


def test_one_broken_image_is_named_and_the_others_are_compared(
    copies: tuple[Path, Path],
) -> None:
    (copies[0] / "images" / "broken.jpg").write_bytes(b"no image")
    result = audit(*copies)
    assert len(result.pairs) == 3
    (failure,) = result.failures
    assert failure.source.endswith("broken.jpg")
    assert len(result.items) == 10


def test_many_identical_files_give_few_pairs(
    make_folder: MakeFolder, phantoms: list[ImageArray]
) -> None:
    folder = make_folder("many", {f"{index:03}": phantoms[0] for index in range(40)})
    result = audit(folder)
    assert len(result.pairs) == 39


def test_a_similar_copy_of_a_file_that_is_in_two_places_leaks_twice(
    make_folder: MakeFolder, phantoms: list[ImageArray]
) -> None:
    first = make_folder("first", {"a": phantoms[0], "b": phantoms[0]})
    smaller = cv2.resize(phantoms[0], (128, 96), interpolation=cv2.INTER_AREA)
    second = make_folder("second", {"small": np.asarray(smaller, np.uint8)})
    split = Split({"train": ("a",), "test": ("b",)}, source="test")
    assert findings(audit(first, second, split=split)) == {
        ("a", "b", "same_bytes"),
        ("a", "small", "same_image"),
        ("b", "small", "same_image"),
    }


def test_the_report_lists_pairs_counts_and_failures(
    copies: tuple[Path, Path], tmp_path: Path
) -> None:
    (copies[1] / "images" / "broken.jpg").write_bytes(b"no image")
    result = audit(*copies)
    write_report(tmp_path / "out", result)
    with (tmp_path / "out" / "pairs.csv").open(newline="") as file:
        rows = list(csv.DictReader(file))
    assert [row["kind"] for row in rows] == ["same_bytes", "same_pixels", "same_image"]
    assert rows[0]["id"] == "a1"
    assert rows[0]["file2"] == str(copies[1] / "images" / "file.jpg")
    assert float(rows[2]["score"]) > 0.85
    summary = json.loads((tmp_path / "out" / "audit.json").read_text())
    assert summary == summarise(result)
    assert summary["num_images"] == 10
    assert summary["num_leaks"] == 3
    assert summary["kinds"]["same_pixels"] == 1
    assert summary["leaks"][0]["num"] == 3
    assert len(summary["failures"]) == 1


def test_groups_keep_copies_together_in_a_split(copies: tuple[Path, Path], tmp_path: Path) -> None:
    result = audit(*copies)
    write_groups(tmp_path / "groups.csv", result)
    groups = read_groups(tmp_path / "groups.csv")
    assert groups["mirrored"] == groups["a0"] == "a0"
    assert groups["other"] == "other"
    samples = [sample for folder in copies for sample in open_dataset(folder).samples]
    grouped = regroup(samples, groups, source=tmp_path / "groups.csv")
    parts = create_split(grouped, seed=0).parts
    (part,) = [part for part, ids in parts.items() if "a1" in ids]
    assert "file" in parts[part]


def test_pictures_show_both_images_and_one_laid_over_the_other(
    copies: tuple[Path, Path], tmp_path: Path
) -> None:
    result = audit(*copies)
    (mirrored,) = [pair for pair in result.pairs if pair.kind == "same_image"]
    picture = draw_pair(result, mirrored)
    assert picture.shape == (190, 600, 3)
    middle, right = picture[40:, 200:400].astype(int), picture[40:, 400:].astype(int)
    assert np.abs(middle - right)[10:-10, 10:-10].mean() < 6
    (tmp_path / "pairs_07.jpg").write_bytes(b"from before")
    (sheet,) = write_sheets(tmp_path, result)
    assert read_image(sheet).shape[2] == 3
    assert not (tmp_path / "pairs_07.jpg").exists()


def test_no_more_pairs_are_drawn_than_asked_for(copies: tuple[Path, Path], tmp_path: Path) -> None:
    result = audit(*copies)
    assert len(write_sheets(tmp_path, result, max_pairs=2)) == 1
    assert write_sheets(tmp_path, result, max_pairs=0) == []


@pytest.mark.data
@pytest.mark.slow
def test_images_of_two_years_are_found_from_pixels(real_data: Path) -> None:
    result = audit(real_data / "isic2017_256x192", real_data / "isic2018_512")
    across = [
        pair
        for pair in result.leaks
        if result.items[pair.first].place.folder != result.items[pair.second].place.folder
    ]
    shared = [pair for pair in across if "id" in pair.evidence]
    assert len(shared) == 1921
    found = [pair for pair in across if pair.kind == "same_image"]
    right = [pair for pair in found if "id" in pair.evidence]
    assert len(right) >= 0.98 * len(shared)
    # What is found beyond are the same photographs under two numbers: docs/audit.md shows them.
    assert len(right) >= 0.98 * len(found)
