"""Two folders of one's own, in place of the folder of a dataset."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from pathlib import Path

import pytest

from dermseg.datasets import FolderPair, groups_fingerprint, open_source
from dermseg.errors import DatasetError
from dermseg.types import Sample

MakeFiles = Callable[[Iterable[str]], Path]


def test_masks_are_found_by_each_of_their_three_names(make_files: MakeFiles) -> None:
    root = make_files(
        [
            *(f"photos/{name}.jpg" for name in "abcd"),
            *("truth/a.png", "truth/b_segmentation.png", "truth/c_mask.png", "truth/e.png"),
        ]
    )
    dataset = open_source(FolderPair(root / "photos", root / "truth"))
    assert dataset.name == "folder"
    assert {sample.id: sample.mask.name for sample in dataset.samples if sample.mask} == {
        "a": "a.png",
        "b": "b_segmentation.png",
        "c": "c_mask.png",
    }
    assert [str(orphan) for orphan in dataset.orphans] == [
        "d.jpg: image without mask",
        "e.png: mask without image",
    ]


def test_folders_that_cannot_be_a_pair_are_refused(make_files: MakeFiles) -> None:
    root = make_files(["photos/a.jpg", "truth/b.png"])
    for pair, message in {
        FolderPair(root / "gone", root / "truth"): "--images .*gone: no such folder",
        FolderPair(root / "photos", root / "gone"): "--masks .*gone: no such folder",
        FolderPair(root / "photos", root / "truth" / ".." / "photos"): "are the same folder",
        FolderPair(root / "photos", root / "truth"): "a.jpg: image without mask",
    }.items():
        with pytest.raises(DatasetError, match=message):
            open_source(pair)


def test_a_pair_is_no_other_dataset(make_files: MakeFiles) -> None:
    root = make_files(["photos/a.jpg", "truth/a.png"])
    pair = FolderPair(root / "photos", root / "truth")
    assert open_source(pair, "folder").samples
    with pytest.raises(DatasetError, match="two folders are the dataset 'folder', not 'ph2'"):
        open_source(pair, "ph2")


def test_groups_take_the_place_of_the_dataset_s_own(
    make_dataset: Callable[[str], Path], tmp_path: Path
) -> None:
    root, table = make_dataset("folder"), tmp_path / "groups.csv"
    table.write_text("id,group\na,x\nb,y\nc,x\n")
    samples = open_source(root, groups=table).samples
    assert {sample.id: sample.group for sample in samples} == {"a": "x", "b": "y", "c": "x"}
    table.write_text("id,group\na,x\n")
    with pytest.raises(DatasetError, match="2 images have no group: b, c"):
        open_source(root, groups=table)


def test_the_fingerprint_of_groups_is_that_of_the_division() -> None:
    def fingerprint(**groups: str) -> str | None:
        return groups_fingerprint(
            Sample(id, Path(id), None, group=group) for id, group in groups.items()
        )

    assert fingerprint(a="a", b="b") is None
    assert fingerprint(a="x", b="x", c="c") == fingerprint(c="other", b="1", a="1")
    assert fingerprint(a="x", b="x", c="c") != fingerprint(a="x", b="b", c="x")
    assert fingerprint(a="x", b="x", c="y", d="y") != fingerprint(a="x", b="x", c="x", d="x")
