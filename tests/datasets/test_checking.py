from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from dermseg.datasets import check_dataset, open_dataset, open_source
from dermseg.images import write_image

IMAGE = np.full((6, 8, 3), 90, np.uint8)
MASK = np.zeros((6, 8), np.uint8)
MASK[2:4, 2:5] = 255


@pytest.fixture
def root(tmp_path: Path) -> Path:
    for name in ("a", "b"):
        _write(tmp_path / "images" / f"{name}.png", IMAGE)
        _write(tmp_path / "masks" / f"{name}.png", MASK)
    return tmp_path


def _write(path: Path, values: np.ndarray) -> None:
    path.parent.mkdir(exist_ok=True)
    rgb = values if values.ndim == 3 else np.repeat(values[..., None], 3, axis=2)
    write_image(path, rgb)


def _problems(root: Path) -> list[tuple[str, str]]:
    report = check_dataset(open_dataset(root))
    return [
        (problem.path.relative_to(root).as_posix(), problem.kind) for problem in report.problems
    ]


def test_a_sound_dataset_is_counted_and_has_no_problems(root: Path) -> None:
    report = check_dataset(open_dataset(root))
    assert json.loads(json.dumps(report.as_json())) == {
        "dataset": "folder",
        "num_samples": 2,
        "num_masks": 2,
        "num_groups": 2,
        "parts": {},
        "attributes": {},
        "problems": [],
    }


@pytest.mark.parametrize(
    ("mask", "kind"),
    [
        (MASK * 0, "empty mask"),
        (MASK * 0 + 255, "full mask"),
        (MASK // 2, "non-binary mask"),
        (MASK[:, :7], "size mismatch"),
    ],
)
def test_a_bad_mask_is_named_with_what_is_wrong(mask: np.ndarray, kind: str, root: Path) -> None:
    _write(root / "masks" / "b.png", mask)
    assert _problems(root) == [("masks/b.png", kind)]


def test_a_map_of_labels_is_binary(root: Path) -> None:
    _write(root / "masks" / "b.png", MASK // 255)
    assert _problems(root) == []


def test_unreadable_files_and_orphans_are_all_named(root: Path) -> None:
    (root / "images" / "a.png").write_bytes(b"no image")
    (root / "masks" / "b.png").write_bytes(b"")
    _write(root / "images" / "c.png", IMAGE)
    assert _problems(root) == [
        ("images/a.png", "unreadable"),
        ("images/c.png", "orphan"),
        ("masks/b.png", "unreadable"),
    ]


def test_a_group_in_two_official_parts_is_named(
    make_dataset: Callable[[str], Path], tmp_path: Path
) -> None:
    table = tmp_path / "groups.csv"
    groups = {0: "x", 1: "b", 2: "c", 3: "x", 4: "e"}
    rows = "".join(f"ISIC_{number:07},{group}\n" for number, group in groups.items())
    table.write_text("id,group\n" + rows)
    report = check_dataset(open_source(make_dataset("isic2018"), groups=table))
    torn = [problem for problem in report.problems if problem.kind == "torn group"]
    assert [problem.detail for problem in torn] == ["'x' is in the parts train and validation"]
    assert report.num_groups == 4
