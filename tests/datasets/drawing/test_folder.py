"""The folder of a drawing: continued, refused, overwritten."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import pytest

from dermseg.datasets.drawing import DrawingOptions, DrawingPlan, DrawingTask, open_drawing
from dermseg.datasets.isic2018 import Isic2018
from dermseg.errors import OutputError, UsageError
from dermseg.types import Sample

OPTIONS = DrawingOptions(side=64)
PLAN = DrawingPlan(
    tuple(
        DrawingTask(Sample(id, Path("a.jpg"), Path("a.png"), id), ("streaks",))
        for id in ("ISIC_0000000", "ISIC_0000001")
    ),
    0,
    0,
)


@pytest.fixture
def half_drawn(tmp_path: Path) -> Path:
    """A folder whose first image is finished, and of the second only a mask."""
    folder = tmp_path / "out"
    first, second = open_drawing(folder, PLAN, OPTIONS)
    first.lesion_file(folder).touch()
    first.image_file(folder).touch()
    second.lesion_file(folder).touch()
    return folder


def test_the_same_call_continues_with_what_is_missing(half_drawn: Path) -> None:
    assert open_drawing(half_drawn, PLAN, OPTIONS) == [PLAN.tasks[1]]


@pytest.mark.parametrize(
    ("plan", "options", "message"),
    [
        (PLAN, replace(OPTIONS, seed=1), "seed 0, now 1"),
        (PLAN, replace(OPTIONS, side=65), "side 64, now 65"),
        (PLAN, replace(OPTIONS, frequencies={}), "frequencies .* now {}"),
        (replace(PLAN, tasks=PLAN.tasks[:1]), OPTIONS, "num_images 2, now 1"),
    ],
)
def test_another_drawing_is_refused_or_overwritten(
    half_drawn: Path, plan: DrawingPlan, options: DrawingOptions, message: str
) -> None:
    with pytest.raises(UsageError, match=message):
        open_drawing(half_drawn, plan, options)
    assert open_drawing(half_drawn, plan, options, overwrite=True) == list(plan.tasks)
    assert list(half_drawn.rglob("*.png")) == []
    assert open_drawing(half_drawn, plan, options) == list(plan.tasks)


def test_another_table_of_presence_is_another_drawing(half_drawn: Path, tmp_path: Path) -> None:
    table = tmp_path / "presence.csv"
    table.write_text("id,streaks\n")
    with pytest.raises(UsageError, match="presence_sha256 None, now"):
        open_drawing(half_drawn, PLAN, OPTIONS, presence=table)


@pytest.mark.parametrize("overwrite", [False, True])
@pytest.mark.parametrize("content", ["", "[]", '{"seed": 0}'])
def test_a_folder_of_something_else_is_never_touched(
    tmp_path: Path, content: str, *, overwrite: bool
) -> None:
    images = tmp_path / "ISIC2018_Task1-2_Training_Input"
    images.mkdir()
    (images / "ISIC_0000000.png").touch()
    (tmp_path / "drawing.json").write_text(content)
    with pytest.raises(UsageError, match="something else than drawings"):
        open_drawing(tmp_path, PLAN, OPTIONS, overwrite=overwrite)
    assert (images / "ISIC_0000000.png").exists()


def test_the_record_names_seed_options_and_versions(half_drawn: Path) -> None:
    record = json.loads((half_drawn / "drawing.json").read_text())
    assert (record["seed"], record["side"], record["num_images"]) == (0, 64, 2)
    assert record["frequencies"] == dict(OPTIONS.frequencies)
    assert set(record["versions"]) == {"dermseg", "numpy", "opencv-python-headless"}


def test_a_folder_that_cannot_be_made_is_named(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(OutputError, match="cannot be made"):
        open_drawing(tmp_path / "file" / "out", PLAN, OPTIONS)
    with pytest.raises(UsageError, match="something else"):
        open_drawing(tmp_path / "file", PLAN, OPTIONS)


def test_the_origin_of_the_dataset_says_that_structures_were_drawn(half_drawn: Path) -> None:
    assert Isic2018(half_drawn).origin == "isic2018 with drawn structures"
    (half_drawn / "drawing.json").unlink()
    assert Isic2018(half_drawn).origin == "isic2018"
