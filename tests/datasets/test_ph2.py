from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from dermseg.datasets import open_dataset

MakeDataset = Callable[[str], Path]


def test_nested_files_are_paired_and_regions_of_interest_ignored(
    make_dataset: MakeDataset,
) -> None:
    root = make_dataset("ph2")
    dataset = open_dataset(root)
    case = root / "PH2 Dataset images" / "IMD002"
    assert [sample.id for sample in dataset.samples] == ["IMD002", "IMD003", "IMD417"]
    assert dataset.samples[0].image == case / "IMD002_Dermoscopic_Image" / "IMD002.bmp"
    assert dataset.samples[0].mask == case / "IMD002_lesion" / "IMD002_lesion.bmp"
    assert dataset.orphans == ()


def test_a_file_in_the_wrong_folder_is_named(make_dataset: MakeDataset) -> None:
    root = make_dataset("ph2")
    stray = root / "PH2 Dataset images" / "IMD002" / "IMD002_lesion" / "IMD003_lesion.bmp"
    stray.touch()
    orphans = open_dataset(root).orphans
    assert [(orphan.path, orphan.problem) for orphan in orphans] == [
        (stray, "not a file name of this dataset")
    ]
