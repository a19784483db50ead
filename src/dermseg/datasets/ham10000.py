"""HAM10000: pigmented lesions, with the masks of Tschandl et al."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import ClassVar

from dermseg.datasets.base import Dataset, DatasetIndex
from dermseg.datasets.challenge import isic_images, isic_masks
from dermseg.datasets.grouping import read_groups, regroup
from dermseg.datasets.metadata import add_metadata, read_metadata
from dermseg.datasets.pairing import files_by_id, join, mask_id, pair

__all__ = ["Ham10000"]

_IMAGE_PARTS = ("HAM10000_images_part_1", "HAM10000_images_part_2")
_MASKS = "HAM10000_segmentations_lesion_tschandl"
_METADATA = "HAM10000_metadata.csv"
_COLUMNS = ("dx", "dx_type", "age", "sex", "localization", "dataset")
# The names of Tschandl et al. (2018), table 3.
_DIAGNOSES = {
    "akiec": "actinic keratosis",
    "bcc": "basal cell carcinoma",
    "bkl": "benign keratosis",
    "df": "dermatofibroma",
    "mel": "melanoma",
    "nv": "melanocytic nevus",
    "vasc": "vascular lesion",
}


class Ham10000(Dataset):
    """HAM10000: 10,015 images of 7,470 lesions with lesion masks.

    Dermoscopic photographs of 600x450 pixels, CC BY-NC 4.0. The images come in two parts, either
    of which may be missing; both have their masks in one folder::

        HAM10000_images_part_1/                    ISIC_0024306.jpg
        HAM10000_images_part_2/
        HAM10000_segmentations_lesion_tschandl/    ISIC_0024306_segmentation.png
        HAM10000_metadata.csv                      lesion_id,image_id,dx,...

    The group of an image is its ``lesion_id``. Without the metadata the dataset is refused, as a
    split by image would put the same lesion into training and test. A sample's metadata hold the
    columns ``dx``, ``dx_type``, ``age``, ``sex``, ``localization`` and ``dataset``, and ``dx`` in
    words as ``diagnosis``. There are no official parts.

    Known defects: 2,545 images show a lesion that another image shows too.

    References:
        Tschandl et al. (2018), doi:10.1038/sdata.2018.161; data doi:10.7910/DVN/DBW86T.
    """

    name = "ham10000"
    title = "HAM10000: common pigmented lesions"
    num_images: ClassVar[Mapping[str, int]] = {"all": 10015}
    licence = "CC-BY-NC-4.0"
    url = "https://doi.org/10.7910/DVN/DBW86T"
    doi = "10.1038/sdata.2018.161"
    layout = """\
HAM10000_images_part_{1,2}/ISIC_0024306.jpg
HAM10000_segmentations_lesion_tschandl/ISIC_0024306_segmentation.png
HAM10000_metadata.csv"""
    known_defects = ("2,545 images show a lesion that another image shows too",)

    @classmethod
    def markers(cls) -> tuple[str, ...]:
        """Name the two folders of images."""
        return _IMAGE_PARTS

    @classmethod
    def index(cls, root: Path) -> DatasetIndex:
        """Pair by id, and group by lesion.

        Raises:
            DatasetError: If an id occurs twice, the metadata is missing or not readable, or an
                image is not in it.
        """
        named = [isic_images(root / part) for part in _IMAGE_PARTS if (root / part).is_dir()]
        images = files_by_id((path for paths, _ in named for path in paths), mask_id)
        strays = [orphan for _, orphans in named for orphan in orphans]
        masks = None
        if (root / _MASKS).is_dir():
            mask_paths, stray_masks = isic_masks(root / _MASKS)
            masks = files_by_id(mask_paths, mask_id)
            strays += stray_masks
        paired = pair(images, masks)
        groups = read_groups(root / _METADATA, id_column="image_id", group_column="lesion_id")
        samples = regroup(paired.samples, groups, source=root / _METADATA)
        grouped = DatasetIndex(samples, paired.orphans)
        table, problems = read_metadata(
            root / _METADATA, id_column="image_id", columns={name: name for name in _COLUMNS}
        )
        for values in table.values():
            if values.get("dx") in _DIAGNOSES:
                values["diagnosis"] = _DIAGNOSES[values["dx"]]
        described = add_metadata(grouped, [table], problems)
        return join([described, DatasetIndex((), tuple(strays))])
