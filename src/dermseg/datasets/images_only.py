"""Images in a plain folder, for work that needs no masks."""

from __future__ import annotations

from pathlib import Path

from dermseg.datasets.folder import ImageFolder
from dermseg.datasets.pairing import files_by_id, find_masks, mask_id, pair
from dermseg.errors import DatasetError

__all__ = ["open_images"]

_SUPERPIXELS = "_superpixels"


def open_images(folder: Path) -> ImageFolder:
    """Open all images that lie directly in a folder, without masks.

    Masks, overlays, probabilities and superpixels that lie beside their images are left out.

    Raises:
        DatasetError: If the folder is missing, holds no image, or two of the same name.
    """
    if not folder.is_dir():
        message = f"{folder}: no such folder. Give a folder that holds images."
        raise DatasetError(message)
    files = [path for path in find_masks(folder) if not path.stem.endswith(_SUPERPIXELS)]
    names = {path.stem for path in files}
    images = [path for path in files if (name := mask_id(path)) == path.stem or name not in names]
    if not images:
        message = (
            f"{folder}: no image lies directly in this folder, and no known dataset. Give the "
            "folder of a dataset ('dermseg data list' names them), or one that holds images."
        )
        raise DatasetError(message)
    return ImageFolder(folder, pair(files_by_id(images, lambda path: path.stem), None))
