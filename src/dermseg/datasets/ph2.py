"""PH2: dermoscopic images of the Hospital Pedro Hispano."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import ClassVar

from dermseg.datasets.base import Dataset, DatasetIndex, Orphan
from dermseg.datasets.metadata import add_metadata, missing_rows
from dermseg.datasets.pairing import files_by_id, join, pair
from dermseg.datasets.ph2_table import read_ph2_table
from dermseg.images import find_images

__all__ = ["Ph2"]

_IMAGES = "PH2 Dataset images"
_TABLE = "PH2_dataset.txt"
_IMAGE_FOLDER, _MASK_FOLDER, _ROI_FOLDER = "_Dermoscopic_Image", "_lesion", "_roi"


class Ph2(Dataset):
    """PH2: 200 images of melanocytic lesions with lesion masks, all as BMP.

    Research use only, not to be passed on. Every case has folders of its own; sizes differ
    between cases. Regions of interest (``_roi``) are ignored::

        PH2 Dataset images/IMD002/IMD002_Dermoscopic_Image/IMD002.bmp
        PH2 Dataset images/IMD002/IMD002_lesion/IMD002_lesion.bmp
        PH2 Dataset images/IMD002/IMD002_roi/IMD002_R1_Label3.bmp
        PH2_dataset.txt

    With its table, a sample's metadata say its ``diagnosis`` (80 common nevi, 80 atypical nevi and
    40 melanomas), and its ``histology`` where there is one. There are no official parts, and every
    image is a group of its own.

    References:
        Mendonça et al. (2013), doi:10.1109/EMBC.2013.6610779.
    """

    name = "ph2"
    title = "PH2 database: melanocytic lesions"
    num_images: ClassVar[Mapping[str, int]] = {"all": 200}
    licence = "research only, no redistribution"
    url = "https://www.fc.up.pt/addi/ph2%20database.html"
    doi = "10.1109/EMBC.2013.6610779"
    layout = """\
PH2 Dataset images/IMD002/IMD002_Dermoscopic_Image/IMD002.bmp
PH2 Dataset images/IMD002/IMD002_lesion/IMD002_lesion.bmp
PH2_dataset.txt (optional)"""
    known_defects = ()

    @classmethod
    def markers(cls) -> tuple[str, ...]:
        """Name the folder of cases."""
        return (_IMAGES,)

    @classmethod
    def index(cls, root: Path) -> DatasetIndex:
        """Pair each case's image with its lesion mask.

        Image files anywhere else below the folder of cases become orphans.

        Raises:
            DatasetError: If an id occurs twice.
        """
        images, masks, strays = [], [], []
        for path in find_images(root / _IMAGES, recursive=True):
            folder = path.parent.name
            if folder == f"{path.stem}{_IMAGE_FOLDER}":
                images.append(path)
            elif folder == path.stem and folder.endswith(_MASK_FOLDER):
                masks.append(path)
            elif not folder.endswith(_ROI_FOLDER):
                strays.append(Orphan(path, "not a file name of this dataset"))
        paired = pair(
            files_by_id(images, lambda path: path.stem),
            files_by_id(masks, lambda path: path.stem.removesuffix(_MASK_FOLDER)),
        )
        table, problems = read_ph2_table(root / _TABLE)
        problems += missing_rows(paired, table, root / _TABLE)
        described = add_metadata(paired, [table], problems)
        return join([described, DatasetIndex((), tuple(strays))])
