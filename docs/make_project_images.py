"""Write generated images in the folders of a published project, to try its tutorial on.

python docs/make_project_images.py xception|attributes|keras-unet|ham10000|improved-unet FOLDER
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np

from dermseg.datasets.superpixels import score_superpixels, write_features
from dermseg.images import write_image, write_mask
from dermseg.phantom import PhantomOptions, create_phantom
from dermseg.types import BoolMask, ImageArray

_SIZE = (96, 128)
_CELL = 8
_FEATURES = ("pigment_network", "negative_network", "milia_like_cyst", "streaks")
_DIAGNOSES = ("MEL", "NV", "BCC", "AKIEC", "BKL", "DF", "VASC")


def main(name: str, folder: Path) -> None:
    """Write the images of a project.

    Args:
        name: A key of `PROJECTS`.
        folder: The project's folder; made if it is missing.
    """
    PROJECTS[name](folder)


def _write_xception(folder: Path) -> None:
    """``dataset/Training_Data`` and ``dataset/Training_GroundTruth``, as ISIC 2016."""
    for number, image, mask in _draw(24):
        root, name = folder / "dataset", f"ISIC_{number:07}"
        write_image(_in(root / "Training_Data") / f"{name}.jpg", image)
        write_mask(_in(root / "Training_GroundTruth") / f"{name}_Segmentation.png", mask)


def _write_attributes(folder: Path) -> None:
    """``db_isic`` with the folders of ISIC 2017, Parts 1 and 2."""
    root = folder / "db_isic"
    parts = ["Training"] * 16 + ["Validation"] * 4 + ["Test_v2"] * 6
    rows, columns = np.indices(_SIZE) // _CELL
    labels = (rows * -(-_SIZE[1] // _CELL) + columns).astype(np.int32)
    colors = np.stack([labels & 255, labels >> 8, np.zeros_like(labels)], axis=-1)
    for (number, image, mask), part in zip(_draw(len(parts)), parts, strict=True):
        prefix, name = root / f"ISIC-2017_{part}", f"ISIC_{number:07}"
        data, lesions, features = (
            _in(Path(f"{prefix}_{folder}"))
            for folder in ("Data", "Part1_GroundTruth", "Part2_GroundTruth")
        )
        inside = (np.roll(mask, shift, axis=1) & mask for shift in (-24, 24, -48, 48))
        masks = dict(zip(_FEATURES, inside, strict=True))
        write_image(data / f"{name}.jpg", _mark(image, masks))
        write_image(data / f"{name}_superpixels.png", colors.astype(np.uint8))
        write_mask(lesions / f"{name}_segmentation.png", mask)
        scores = {key: score_superpixels(labels, value) >= 0.5 for key, value in masks.items()}
        write_features(features / f"{name}_features.json", scores)


def _write_pairs(place: str, folder: Path) -> None:
    """``images`` and ``masks`` below a folder of that name."""
    for number, image, mask in _draw(24):
        root, name = folder / place, f"ISIC_{number:07}"
        write_image(_in(root / "images") / f"{name}.jpg", image)
        write_mask(_in(root / "masks") / f"{name}_segmentation.png", mask)


def _write_ham10000(folder: Path) -> None:
    """The copy on Kaggle, and the table of lesions beside it."""
    diagnoses, lesions = [f"image,{','.join(_DIAGNOSES)}"], ["lesion_id,image_id,dx"]
    for number, image, mask in _draw(24):
        root, name = folder / "ham10000", f"ISIC_{24306 + number:07}"
        write_image(_in(root / "images") / f"{name}.jpg", image)
        write_mask(_in(root / "masks") / f"{name}_segmentation.png", mask)
        marks = ["1.0" if place == number % 7 else "0.0" for place in range(7)]
        diagnoses.append(f"{name},{','.join(marks)}")
        # Every third image shows the lesion of the one before.
        lesion = number - (number % 3 == 2)
        lesions.append(f"HAM_{lesion:07},{name},{_DIAGNOSES[number % 7].lower()}")
    (folder / "ham10000" / "GroundTruth.csv").write_text("\n".join([*diagnoses, ""]))
    (folder / "HAM10000_metadata.csv").write_text("\n".join([*lesions, ""]))


PROJECTS: dict[str, Callable[[Path], None]] = {
    "xception": _write_xception,
    "attributes": _write_attributes,
    "keras-unet": lambda folder: _write_pairs("data", folder),
    "ham10000": _write_ham10000,
    "improved-unet": lambda folder: _write_pairs("dataset", folder),
}


def _draw(number: int) -> Iterator[tuple[int, ImageArray, BoolMask]]:
    options = PhantomOptions(contrast=0.5, area_share=0.25, artefacts={})
    for seed in range(number):
        phantom = create_phantom(seed, size=_SIZE, options=options)
        yield seed, phantom.image, phantom.mask


def _in(folder: Path) -> Path:
    """A folder that is there."""
    folder.mkdir(parents=True, exist_ok=True)
    return folder


def _mark(image: ImageArray, masks: dict[str, BoolMask]) -> ImageArray:
    """Give the pixels of each feature a tint of its own."""
    tints = ((40, -20, -20), (-20, 40, -20), (-20, -20, 40), (40, 40, -20))
    marked = image.astype(np.int16)
    for mask, tint in zip(masks.values(), tints, strict=True):
        marked[mask] += np.array(tint, np.int16)
    return marked.clip(0, 255).astype(np.uint8)


if __name__ == "__main__":
    main(sys.argv[1], Path(sys.argv[2]))
