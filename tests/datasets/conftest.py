"""Small trees in the layouts of the datasets."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from pathlib import Path

import pytest

_ISIC2017 = [
    f"ISIC-2017_{part}_{name}"
    for part, numbers in {"Training": (0, 1, 2), "Validation": (3, 4), "Test_v2": (5, 6)}.items()
    for number in numbers
    for name in (
        f"Data/ISIC_{number:07}.jpg",
        f"Data/ISIC_{number:07}_superpixels.png",
        f"Part1_GroundTruth/ISIC_{number:07}_segmentation.png",
    )
]
_ISIC2016 = [
    f"ISBI2016_ISIC_Part1_{part}_{name}"
    for part, numbers in {"Training": (0, 1, 2), "Test": (3, 4)}.items()
    for number in numbers
    for name in (
        f"Data/ISIC_{number:07}.jpg",
        f"GroundTruth/ISIC_{number:07}_Segmentation.png",
    )
]
_ISIC2018 = [
    name
    for part, numbers in {"Training": (0, 1, 2), "Validation": (3,), "Test": (4,)}.items()
    for number in numbers
    for name in (
        f"ISIC2018_Task1-2_{part}_Input/ISIC_{number:07}.jpg",
        f"ISIC2018_Task1-2_{part}_Input/ATTRIBUTION.txt",
        f"ISIC2018_Task1_{part}_GroundTruth/ISIC_{number:07}_segmentation.png",
        f"ISIC2018_Task1_{part}_GroundTruth/LICENSE.txt",
    )
]
_ATTRIBUTES = ("globules", "milia_like_cyst", "negative_network", "pigment_network", "streaks")
_ISIC2018_TASK2 = [
    name
    for folder, task2, numbers in (
        ("Training", "Training_GroundTruth_v3", (0, 1, 2)),
        ("Validation", "Validation_GroundTruth", (3,)),
        ("Test", "Test_GroundTruth", (4,)),
    )
    for number in numbers
    for name in (
        f"ISIC2018_Task1-2_{folder}_Input/ISIC_{number:07}.jpg",
        f"ISIC2018_Task2_{task2}/ATTRIBUTION.txt",
        f"ISIC2018_Task2_{task2}/LICENSE.txt",
        *(
            f"ISIC2018_Task2_{task2}/ISIC_{number:07}_attribute_{attribute}.png"
            for attribute in _ATTRIBUTES
        ),
    )
]
_ISIC2017_PART2 = [
    f"ISIC-2017_{part}_{name}"
    for part, numbers in {"Training": (0, 1, 2), "Validation": (3, 4), "Test_v2": (5, 6)}.items()
    for number in numbers
    for name in (
        f"Data/ISIC_{number:07}.jpg",
        f"Data/ISIC_{number:07}_superpixels.png",
        f"Part2_GroundTruth/ISIC_{number:07}_features.json",
    )
]
_PH2 = [
    "PH2_dataset.txt",
    "PH2_dataset.xlsx",
    *(
        f"PH2 Dataset images/{case}/{case}_{name}"
        for case in ("IMD002", "IMD003", "IMD417")
        for name in (
            f"Dermoscopic_Image/{case}.bmp",
            f"lesion/{case}_lesion.bmp",
            f"roi/{case}_R1_Label3.bmp",
        )
    ),
]
_HAM10000 = [
    *(f"HAM10000_images_part_1/ISIC_{number:07}.jpg" for number in (24306, 24307)),
    *(f"HAM10000_images_part_2/ISIC_{number:07}.jpg" for number in (29306, 29307)),
    *(
        f"HAM10000_segmentations_lesion_tschandl/ISIC_{number:07}_segmentation.png"
        for number in (24306, 24307, 29306, 29307)
    ),
]
_HAM10000_KAGGLE = [
    name
    for number in (24306, 24307, 29306, 29307)
    for name in (f"images/ISIC_{number:07}.jpg", f"masks/ISIC_{number:07}_segmentation.png")
]
_HAM10000_DIAGNOSES = """\
image,MEL,NV,BCC,AKIEC,BKL,DF,VASC
ISIC_0024306,0.0,1.0,0.0,0.0,0.0,0.0,0.0
ISIC_0024307,1.0,0.0,0.0,0.0,0.0,0.0,0.0
ISIC_0029306,0.0,1.0,0.0,0.0,0.0,0.0,0.0
ISIC_0029307,0.0,0.0,0.0,0.0,1.0,0.0,0.0
"""
_HAM10000_METADATA = """\
lesion_id,image_id,dx,dx_type,age,sex,localization
HAM_0000001,ISIC_0024306,nv,histo,70.0,female,back
HAM_0000002,ISIC_0024307,mel,histo,,male,face
HAM_0000001,ISIC_0029306,nv,histo,70.0,female,back
HAM_0000003,ISIC_0029307,bkl,consensus,45.0,unknown,unknown
"""
_PH2_TABLE = """\
||   Name || Histological Diagnosis || Clinical Diagnosis || Asymmetry | Streaks || Colors ||
|| IMD002 ||                        ||                  1 ||         0 |       A ||      4 ||
|| IMD003 ||                        ||                  0 ||         0 |       A ||      4 ||
|| IMD417 ||               Melanoma ||                  2 ||         2 |       A ||   1  3 ||
"""
_TREES = {
    "ham10000": _HAM10000,
    "ham10000_kaggle": _HAM10000_KAGGLE,
    "isic2016": _ISIC2016,
    "isic2017": _ISIC2017,
    "isic2017_part2": _ISIC2017_PART2,
    "isic2018": _ISIC2018,
    "isic2018_task2": _ISIC2018_TASK2,
    "ph2": _PH2,
    "folder": [
        *("images/a.jpg", "images/b.PNG", "images/c.bmp", "images/notes.txt"),
        *("masks/a_segmentation.png", "masks/b_mask.png", "masks/c.png"),
    ],
}


@pytest.fixture
def make_files(tmp_path: Path) -> Callable[[Iterable[str]], Path]:
    """Make files with their path as content in a folder, and return the folder."""

    def make(names: Iterable[str]) -> Path:
        root = tmp_path / "data"
        for name in names:
            path = root / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(name)
        return root

    return make


@pytest.fixture
def make_dataset(make_files: Callable[[Iterable[str]], Path]) -> Callable[[str], Path]:
    """Make a complete small download of a dataset, and return its folder."""

    def make(name: str) -> Path:
        root = make_files(_TREES[name])
        if name == "ph2":
            (root / "PH2_dataset.txt").write_text(_PH2_TABLE)
        if name == "ham10000_kaggle":
            (root / "GroundTruth.csv").write_text(_HAM10000_DIAGNOSES)
        if name.startswith("ham10000"):
            (root / "HAM10000_metadata.csv").write_text(_HAM10000_METADATA)
        return root

    return make
