"""A folder scan lists image files, and nothing that only looks like one."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from dermseg.errors import UsageError
from dermseg.images import IMAGE_SUFFIXES, find_images


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    for name in (
        *("b.jpg", "a.PNG", "c.Jpeg", "d.bmp", "e.tif", "f.tiff", "g.webp"),
        *("._b.jpg", ".hidden.png", "notes.txt", "jpg", "h.jpg.txt", "i.svg"),
        *("sub/z.jpg", "sub/deep/y.png", "sub/._z.jpg", ".git/x.png", "__MACOSX/._b.jpg"),
    ):
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.touch()
    (tmp_path / "folder.jpg").mkdir()
    return tmp_path


def names(paths: list[Path], folder: Path) -> list[str]:
    return [path.relative_to(folder).as_posix() for path in paths]


def test_images_are_found_by_suffix_and_sorted(folder: Path) -> None:
    expected = ["a.PNG", "b.jpg", "c.Jpeg", "d.bmp", "e.tif", "f.tiff", "g.webp"]
    assert names(find_images(folder), folder) == expected
    assert find_images(str(folder)) == find_images(folder)


def test_subfolders_are_searched_on_request(folder: Path) -> None:
    found = names(find_images(folder, recursive=True), folder)
    assert found[7:] == ["sub/deep/y.png", "sub/z.jpg"]


def test_an_empty_folder_has_no_images(tmp_path: Path) -> None:
    assert find_images(tmp_path) == []


def test_links_to_files_are_listed_even_if_broken_and_linked_folders_not_entered(
    folder: Path,
) -> None:
    (folder / "link.png").symlink_to("b.jpg")
    (folder / "gone.png").symlink_to("nowhere.png")
    (folder / "sub" / "up").symlink_to(folder)
    found = names(find_images(folder, recursive=True), folder)
    assert {"link.png", "gone.png"} < set(found)
    assert len(found) == 7 + 2 + 2


def test_what_is_no_folder_is_an_error(folder: Path) -> None:
    with pytest.raises(UsageError, match=r"missing does not exist; give a folder"):
        find_images(folder / "missing")
    with pytest.raises(UsageError, match=r"b\.jpg is not a folder; give a folder"):
        find_images(folder / "b.jpg")


@pytest.mark.skipif(
    not hasattr(os, "geteuid") or os.geteuid() == 0, reason="permissions do not bind root"
)
def test_a_folder_that_cannot_be_listed_is_an_error(folder: Path) -> None:
    (folder / "sub").chmod(0)
    try:
        with pytest.raises(UsageError, match="sub cannot be listed: Permission denied"):
            find_images(folder, recursive=True)
    finally:
        (folder / "sub").chmod(0o700)


def test_suffixes_are_in_lower_case_with_a_dot() -> None:
    assert all(suffix == suffix.lower() and suffix.startswith(".") for suffix in IMAGE_SUFFIXES)
