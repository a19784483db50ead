"""What `check_dataset` says about attributes."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from dermseg.datasets import CheckReport, Isic2018, check_dataset, open_dataset
from dermseg.datasets.superpixels import write_features
from dermseg.images import write_image, write_mask

IMAGE = np.full((4, 6, 3), 90, np.uint8)
EMPTY = np.zeros((4, 6), np.bool_)
MASK = np.broadcast_to(np.arange(6) < 3, (4, 6))
# Six superpixels, in columns.
MAP = np.stack([np.tile(np.arange(6, dtype=np.uint8), (4, 1)), *np.zeros((2, 4, 6), np.uint8)], 2)
FLAGS = {
    name: np.array([name == "streaks", *[False] * 5])
    for name in ("pigment_network", "negative_network", "milia_like_cyst", "streaks")
}
FEATURES = "ISIC_0000000_features.json"


@pytest.fixture
def task2(tmp_path: Path) -> Path:
    """Two training images of ISIC 2018 with masks; both have a pigment network."""
    folders = ("Task1-2_Training_Input", "Task1_Training_GroundTruth")
    images, lesions = (tmp_path / f"ISIC2018_{name}" for name in folders)
    truth = tmp_path / "ISIC2018_Task2_Training_GroundTruth_v3"
    for folder in (images, lesions, truth):
        folder.mkdir()
    for id in ("ISIC_0000000", "ISIC_0000001"):
        write_image(images / f"{id}.jpg", IMAGE)
        write_mask(lesions / f"{id}_segmentation.png", MASK)
        for name in Isic2018.attributes:
            mask = MASK if name == "pigment_network" else EMPTY
            write_mask(truth / f"{id}_attribute_{name}.png", mask)
    return tmp_path


@pytest.fixture
def part2(tmp_path: Path) -> Path:
    """One training image of ISIC 2017 with superpixels and features; it has streaks."""
    for folder in ("ISIC-2017_Training_Data", "ISIC-2017_Training_Part2_GroundTruth"):
        (tmp_path / folder).mkdir()
    write_image(tmp_path / "ISIC-2017_Training_Data/ISIC_0000000.jpg", IMAGE)
    write_image(tmp_path / "ISIC-2017_Training_Data/ISIC_0000000_superpixels.png", MAP)
    write_features(tmp_path / "ISIC-2017_Training_Part2_GroundTruth" / FEATURES, FLAGS)
    return tmp_path


def _check(root: Path) -> tuple[CheckReport, list[tuple[str, str, str]]]:
    report = check_dataset(open_dataset(root))
    return report, [(found.path.name, found.kind, found.detail) for found in report.problems]


def test_empty_masks_of_attributes_are_counted_and_no_problem(task2: Path) -> None:
    report, problems = _check(task2)
    assert problems == []
    assert json.loads(json.dumps(report.as_json()))["attributes"] == {
        "globules": {"num_known": 2, "num_present": 0},
        "milia_like_cyst": {"num_known": 2, "num_present": 0},
        "negative_network": {"num_known": 2, "num_present": 0},
        "pigment_network": {"num_known": 2, "num_present": 2},
        "streaks": {"num_known": 2, "num_present": 0},
    }
    assert (report.num_samples, report.num_masks) == (2, 2)


def test_what_is_wrong_with_masks_of_attributes_is_named(task2: Path) -> None:
    truth = task2 / "ISIC2018_Task2_Training_GroundTruth_v3"
    write_mask(truth / "ISIC_0000000_attribute_globules.png", EMPTY[:, :5])
    write_mask(truth / "ISIC_0000000_attribute_streaks.png", ~EMPTY)
    write_image(truth / "ISIC_0000001_attribute_globules.png", IMAGE)
    (truth / "ISIC_0000001_attribute_milia_like_cyst.png").write_bytes(b"no mask")
    (truth / "ISIC_0000001_attribute_streaks.png").unlink()
    (truth / "ISIC_0000002_attribute_streaks.png").write_bytes(b"")
    report, problems = _check(task2)
    assert [found[:2] for found in problems] == [
        ("ISIC_0000000_attribute_globules.png", "size mismatch"),
        ("ISIC_0000000_attribute_streaks.png", "full mask"),
        ("ISIC_0000001_attribute_globules.png", "non-binary mask"),
        ("ISIC_0000001_attribute_milia_like_cyst.png", "unreadable"),
        ("ISIC_0000002_attribute_streaks.png", "orphan"),
    ]
    assert problems[0][2] == "mask of 5x4 for an image of 6x4 (width x height)"
    assert problems[1][2] == "every pixel is streaks"
    known = {name: count.num_known for name, count in report.attributes.items()}
    assert known["streaks"] == known["milia_like_cyst"] == 1
    assert known["globules"] == 2
    unknown = report.attributes["streaks"].unknown
    assert unknown is not None
    assert str(unknown) == "streaks of 1 image, ISIC_0000001.jpg"


def test_features_of_superpixels_are_counted(part2: Path) -> None:
    report, problems = _check(part2)
    assert problems == []
    counts = {
        name: (count.num_known, count.num_present) for name, count in report.attributes.items()
    }
    assert counts == {
        "milia_like_cyst": (1, 0),
        "negative_network": (1, 0),
        "pigment_network": (1, 0),
        "streaks": (1, 1),
    }


def _replace_features(root: Path, flags: dict[str, np.ndarray]) -> None:
    write_features(root / "ISIC-2017_Training_Part2_GroundTruth" / FEATURES, flags)


@pytest.mark.parametrize(
    ("damage", "found"),
    [
        (
            lambda root: _replace_features(root, {name: np.zeros(5) for name in FLAGS}),
            (
                FEATURES,
                "feature mismatch",
                "5 values for each feature, but 6 superpixels in ISIC_0000000_superpixels.png",
            ),
        ),
        (
            lambda root: _replace_features(
                root, {name: FLAGS[name] for name in FLAGS if name != "streaks"}
            ),
            (FEATURES, "feature mismatch", "it lacks the features streaks"),
        ),
        (
            lambda root: _replace_features(root, {**FLAGS, "globules": FLAGS["streaks"]}),
            (FEATURES, "feature mismatch", "it adds the features globules"),
        ),
        (
            lambda root: _replace_features(root, {**FLAGS, "streaks": np.full(6, 0.4)}),
            (
                *(FEATURES, "non-binary mask"),
                "streaks has scores other than 0 and 1; read as above 0.5",
            ),
        ),
        (
            lambda root: (root / "ISIC-2017_Training_Part2_GroundTruth" / FEATURES).write_text(
                "[1, 0]"
            ),
            (
                *(FEATURES, "unreadable"),
                "expected a JSON object with a list of numbers for each feature",
            ),
        ),
        (
            lambda root: write_image(
                root / "ISIC-2017_Training_Data/ISIC_0000000_superpixels.png", MAP[:3]
            ),
            (
                *("ISIC_0000000_superpixels.png", "size mismatch"),
                "map of 6x3 for an image of 6x4 (width x height)",
            ),
        ),
        (
            lambda root: (
                root / "ISIC-2017_Training_Data/ISIC_0000000_superpixels.png"
            ).write_bytes(b""),
            ("ISIC_0000000_superpixels.png", "unreadable", "the file is empty"),
        ),
    ],
)
def test_what_is_wrong_with_features_is_named_once(
    damage: Callable[[Path], object], found: tuple[str, str, str], part2: Path
) -> None:
    damage(part2)
    report, problems = _check(part2)
    assert problems == [found]
    if found[1] in ("unreadable", "feature mismatch") and "adds" not in found[2]:
        assert report.attributes["streaks"].num_known == 0
