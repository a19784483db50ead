"""What is not predicted is counted and named."""

from __future__ import annotations

from pathlib import Path

from dermseg.prediction.inputs import plan_jobs
from dermseg.prediction.left_out import find_left_out


def left_out(root: Path, *, recursive: bool = False) -> str:
    jobs = plan_jobs([root], recursive=recursive)
    return str(find_left_out([root], [str(job.source) for job in jobs], recursive=recursive))


def test_other_files_sub_folders_and_links_are_named(tmp_path: Path) -> None:
    for name in ("a.jpg", "b.JFIF", "c.heic", "d.dcm", "e.pdf", "Thumbs.db", ".hidden"):
        (tmp_path / name).touch()
    (tmp_path / "sub").mkdir()
    (tmp_path / "sub" / "f.png").touch()
    (tmp_path / "link").symlink_to(tmp_path / "sub")
    assert left_out(tmp_path) == (
        "not looked at: 2 other files and 1 sub-folder (--recursive) and 1 link to a folder (give "
        "the folder itself): Thumbs.db, e.pdf, sub, link"
    )
    assert "sub-folder" not in left_out(tmp_path, recursive=True)
    assert "1 link to a folder" in left_out(tmp_path, recursive=True)


def test_results_do_not_count_and_superpixel_maps_are_no_photographs(tmp_path: Path) -> None:
    for name in ("ISIC_0000000.jpg", "ISIC_0000000_segmentation.png", "predictions.csv"):
        (tmp_path / name).touch()
    assert left_out(tmp_path) == ""
    (tmp_path / "ISIC_0000000_superpixels.png").touch()
    assert [job.source.name for job in plan_jobs([tmp_path], recursive=False)] == [
        "ISIC_0000000.jpg"
    ]
    assert left_out(tmp_path) == (
        "not looked at: 1 other file: ISIC_0000000_superpixels.png; 1 of them are superpixel maps"
    )
