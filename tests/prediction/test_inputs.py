"""Which image goes to which output."""

from __future__ import annotations

from pathlib import Path

import pytest

from dermseg.errors import UsageError
from dermseg.prediction import plan_jobs

ATTRIBUTES = ("globules", "negative_network")


def make(folder: Path, *names: str) -> Path:
    for name in names:
        (folder / name).write_bytes(b"")
    return folder


def test_what_a_prediction_wrote_is_no_image(tmp_path: Path) -> None:
    make(tmp_path, "a.jpg", "a_segmentation.png", "a_overlay.jpg", "a_probability.png")
    make(tmp_path, "a_attribute_globules.png", "a_attribute_negative_network_probability.png")
    assert [job.source.name for job in plan_jobs([tmp_path], recursive=False)] == ["a.jpg"]


def test_images_whose_files_would_mix_are_refused(tmp_path: Path) -> None:
    make(tmp_path, "a.jpg", "a_attribute_globules.jpg")
    with pytest.raises(UsageError, match=r"to a_attribute_globules_probability\.png: rename"):
        plan_jobs([tmp_path], recursive=False, attributes=ATTRIBUTES)
    assert len(plan_jobs([tmp_path], recursive=False)) == 2
    assert len(plan_jobs([tmp_path], recursive=False, attributes=["streaks"])) == 2


def test_long_names_leave_room_for_the_longest_ending(tmp_path: Path) -> None:
    make(tmp_path, "x" * 230 + ".jpg")
    (lesion,) = plan_jobs([tmp_path], recursive=False)
    assert lesion.stem.name == "x" * 230
    (job,) = plan_jobs([tmp_path], recursive=False, attributes=ATTRIBUTES)
    longest = job.key("_attribute_negative_network_probability.png")
    assert len(longest) == 255
