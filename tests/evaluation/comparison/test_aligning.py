from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from dermseg.errors import DatasetError, UsageError
from dermseg.evaluation.comparison import Aligned, align, coverage_warnings, read_evaluation

Write = Callable[..., Path]


def read(*folders: Path, common: bool = False) -> Aligned:
    return align([read_evaluation(folder) for folder in folders], common=common)


def test_images_are_matched_by_id_whatever_their_order(write: Write) -> None:
    aligned = read(
        write("a", {"jaccard": [0.1, 0.2]}, ids=["x", "y"]),
        write("b", {"jaccard": [0.4, 0.3]}, ids=["y", "x"]),
    )
    assert aligned.ids == ("x", "y")
    assert aligned.evaluations[1].scores["jaccard"].tolist() == [0.3, 0.4]
    assert aligned.groups is None


def test_one_evaluation_is_too_few(write: Write) -> None:
    with pytest.raises(UsageError, match="1 evaluation was given; give two or more"):
        read(write("a", {"jaccard": [0.1]}))


def test_a_folder_given_twice_is_refused_however_it_is_written(write: Write) -> None:
    folder = write("a", {"jaccard": [0.1]})
    with pytest.raises(UsageError, match="a: this folder was given 2 times"):
        read(folder, folder / ".." / "a")


def test_other_images_are_named_where_they_are_missing(write: Write) -> None:
    folders = (
        write("a", {"jaccard": [0.1, 0.2, 0.3]}, ids=["x", "y", "z"]),
        write("b", {"jaccard": [0.1, 0.2]}, ids=["x", "w"]),
    )
    with pytest.raises(
        UsageError, match=r"a lacks 1 \(w\); b lacks 2 \(y, z\).* the 1 that all scored .*--common"
    ):
        read(*folders)
    aligned = read(*folders, common=True)
    assert aligned.ids == ("x",)
    assert aligned.left_out == (("y", "z"), ("w",))
    assert coverage_warnings(aligned)[0] == (
        "2 images of a are left out, because not every evaluation scored them: y, z"
    )


def test_no_common_image_is_refused(write: Write) -> None:
    folders = (
        write("a", {"jaccard": [0.1]}, ids=["x"]),
        write("b", {"jaccard": [0.1]}, ids=["y"]),
    )
    with pytest.raises(DatasetError, match="no image in common; for example a: x, b: y"):
        read(*folders, common=True)


def test_other_sizes_and_other_truths_are_named(write: Write) -> None:
    base = write("a", {"jaccard": [0.1, 0.2]}, counts=[(50, 5, 5, 40), (50, 5, 5, 40)])
    size = write("b", {"jaccard": [0.1, 0.2]}, counts=[(50, 5, 5, 40), (50, 5, 5, 41)])
    truth = write("c", {"jaccard": [0.1, 0.2]}, counts=[(50, 0, 8, 42), (55, 0, 0, 45)])
    with pytest.raises(
        DatasetError, match=r"sizes of 1 of 2 images differ, image_001 \(100 and 101 pixels\)"
    ):
        read(base, size)
    with pytest.raises(
        DatasetError, match=r"true masks of 1 of 2 images differ, image_000 \(55 and 58 pixels\)"
    ):
        read(base, truth)


def test_equal_names_are_told_apart_by_folder_and_then_by_path(write: Write) -> None:
    scores = {"jaccard": [0.1]}
    one, two = write("one", scores, model="m"), write("two", scores, model="m")
    assert read(one, two).names == ("m (one)", "m (two)")
    deep = write("deep/one", scores, model="m")
    assert read(one, two, deep).names == (
        f"m ({one.resolve()})",
        "m (two)",
        f"m ({deep.resolve()})",
    )


def test_groups_of_one_evaluation_serve_all_and_must_agree(write: Write) -> None:
    scores = {"jaccard": [0.1, 0.2]}
    plain, grouped = write("a", scores), write("b", scores, groups=["g", "g"])
    assert read(plain, grouped).groups == ("g", "g")
    other = write("c", scores, groups=["g", "h"])
    with pytest.raises(DatasetError, match=r"b and c have other groups: image_001 \(g and h\)"):
        read(plain, grouped, other)
