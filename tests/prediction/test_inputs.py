"""Which image goes to which output."""

from __future__ import annotations

from pathlib import Path

import pytest

from dermseg.errors import UsageError
from dermseg.prediction import MASK_FORMATS, OutputOptions, plan_jobs
from dermseg.prediction.naming import all_endings, is_output_name
from dermseg.prediction.writers import EXTRA_WRITERS, MaskWriter

ATTRIBUTES = ("globules", "negative_network")


def make(folder: Path, *names: str) -> Path:
    for name in names:
        (folder / name).write_bytes(b"")
    return folder


def test_what_a_prediction_wrote_is_no_image(tmp_path: Path) -> None:
    make(tmp_path, "a.jpg", "a_segmentation.png", "a_overlay.jpg", "a_probability.png")
    make(tmp_path, "a_attribute_globules.png", "a_attribute_negative_network_probability.png")
    assert [job.source.name for job in plan_jobs([tmp_path], recursive=False)] == ["a.jpg"]


@pytest.mark.parametrize("writer", [*MASK_FORMATS.values(), *EXTRA_WRITERS.values()])
def test_every_format_takes_its_endings_from_the_names_that_are_kept_apart(
    writer: type[MaskWriter],
) -> None:
    endings = writer.endings(ATTRIBUTES)
    assert set(endings) <= set(all_endings(ATTRIBUTES))
    assert all(is_output_name(f"a{ending}") for ending in endings)


def test_every_extra_writer_has_its_option() -> None:
    assert EXTRA_WRITERS.keys() <= vars(OutputOptions()).keys()
    with pytest.raises(UsageError, match="format of masks is 'gif', expected png or coco"):
        OutputOptions(masks="gif")


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
