"""The images on which models differ most, with the contours of truth and masks side by side."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final, TypeVar

import cv2
import numpy as np

from dermseg.datasets.listing import list_some
from dermseg.errors import DatasetError, ImageError
from dermseg.evaluation.comparison.outcome import Comparison
from dermseg.evaluation.comparison.summarizing import most_different
from dermseg.evaluation.masks import MaskFile
from dermseg.evaluation.matching import ImageFiles, read_files
from dermseg.images import read_image, read_mask, write_image
from dermseg.preprocessing import limited_size, resize_image, resize_mask
from dermseg.types import BoolMask, ImageArray

__all__ = ["MASK_COLOR", "TRUTH_COLOR", "SideBySide", "draw_most_different", "write_sheet"]

# As in the report of an evaluation.
TRUTH_COLOR: Final = (255, 240, 77)
MASK_COLOR: Final = (63, 182, 255)
_RIM, _INK, _PAPER, _UNKNOWN = (0, 0, 0), (40, 40, 40), (255, 255, 255), (150, 150, 150)
_Found = TypeVar("_Found")
_LONG_SIDE = 400
_CAPTION, _GAP = 22, 8


@dataclass(frozen=True)
class SideBySide:
    """One image with the masks of all models.

    Attributes:
        id: The image.
        truth: The image with the contour of the true mask, (h, w, 3) uint8.
        masks: For each model in the order of the ranking, the same with the contour of its mask;
            None where its mask was not found.
        scores: The score of each model.
    """

    id: str
    truth: ImageArray
    masks: tuple[ImageArray | None, ...]
    scores: tuple[float, ...]


def draw_most_different(
    comparison: Comparison, images: int | Sequence[str]
) -> tuple[list[SideBySide], list[str]]:
    """Draw the images that `most_different` names, as far as their files are found.

    An image that is not found is grey, with its contours. The files are those that ``files.csv``
    of the evaluations names.

    Returns:
        The pictures, each with a long side of at most 400 pixels, and a sentence for what is not
        shown.
    """
    notes: list[str] = []
    known: dict[str, Mapping[str, ImageFiles]] = {}
    for evaluation in comparison.aligned.evaluations:
        try:
            known[evaluation.name] = read_files(evaluation.folder)
        except DatasetError as error:
            known[evaluation.name] = {}
            notes.append(str(error))
    wanted = most_different(comparison, images)
    shown: list[SideBySide] = []
    unseen: list[str] = []
    maskless: dict[str, int] = {}
    for entry in wanted:
        scores: Mapping[str, float] = entry["scores"]
        files = [known[name].get(entry["id"], ImageFiles()) for name in scores]
        drawn = _draw(entry["id"], files, tuple(scores.values()))
        if drawn is None:
            unseen.append(entry["id"])
            continue
        shown.append(drawn)
        for name, mask in zip(scores, drawn.masks, strict=True):
            if mask is None:
                maskless[name] = maskless.get(name, 0) + 1
    if unseen:
        notes.append(
            f"no picture of {len(unseen)} of the {len(wanted)} images to show, because "
            f"files.csv of the evaluations names no mask that can be read: {list_some(unseen)}"
        )
    notes += [
        f"{number} masks of {name} were not found and are not shown"
        for name, number in maskless.items()
    ]
    return shown, notes


def write_sheet(path: Path, names: Sequence[str], pictures: Sequence[SideBySide]) -> None:
    """Write the pictures as one, a row per image and a column for the truth and each model.

    Args:
        path: A file that ends in ``.jpg``.
        names: The models in the order of the masks.
        pictures: One or more.

    Raises:
        OutputError: If it cannot be written.
    """
    width = max(picture.truth.shape[1] for picture in pictures)
    rows = [_row(picture, names, width) for picture in pictures]
    write_image(path, np.vstack(rows))


def _draw(id: str, files: Sequence[ImageFiles], scores: tuple[float, ...]) -> SideBySide | None:
    """None where no mask is found."""
    masks = [_read_mask(entry.prediction) for entry in files]
    if all(mask is None for mask in masks):
        return None
    truth = _first(_read_mask(entry.truth) for entry in files)
    image = _first(_read_image(entry.image) for entry in files)
    size = next(part.shape[:2] for part in (image, truth, *masks) if part is not None)
    small = limited_size((size[0], size[1]), _LONG_SIDE)
    ground = np.full((*small, 3), _UNKNOWN, np.uint8)
    if image is not None:
        ground = resize_image(image, small)
    if truth is not None:
        _outline(ground, truth, TRUTH_COLOR)
    pictures: list[ImageArray | None] = []
    for mask in masks:
        picture = None
        if mask is not None:
            picture = ground.copy()
            _outline(picture, mask, MASK_COLOR)
        pictures.append(picture)
    return SideBySide(id, ground, tuple(pictures), scores)


def _read_mask(file: MaskFile | None) -> BoolMask | None:
    try:
        return None if file is None else read_mask(file)
    except ImageError:
        return None


def _read_image(path: Path | None) -> ImageArray | None:
    try:
        return None if path is None else read_image(path)
    except ImageError:
        return None


def _first(found: Iterator[_Found | None]) -> _Found | None:
    return next((part for part in found if part is not None), None)


def _outline(picture: ImageArray, mask: BoolMask, color: tuple[int, int, int]) -> None:
    small = resize_mask(mask, picture.shape[:2]).astype(np.uint8)
    contours, _ = cv2.findContours(small, cv2.RETR_CCOMP, cv2.CHAIN_APPROX_NONE)
    cv2.drawContours(picture, contours, -1, _RIM, thickness=4, lineType=cv2.LINE_AA)
    cv2.drawContours(picture, contours, -1, color, thickness=2, lineType=cv2.LINE_AA)


def _row(picture: SideBySide, names: Sequence[str], width: int) -> ImageArray:
    height = picture.truth.shape[0]
    cells = [_cell(picture.truth, f"{picture.id}: truth (yellow)", (height, width))]
    for name, mask, score in zip(names, picture.masks, picture.scores, strict=True):
        cells.append(_cell(mask, f"{score:.3f} {name}", (height, width)))
    return np.asarray(np.hstack(cells), np.uint8)


def _cell(picture: ImageArray | None, caption: str, size: tuple[int, int]) -> ImageArray:
    """The picture in the middle below its caption."""
    height, width = size
    cell = np.full((height + _CAPTION + _GAP, width + _GAP, 3), _PAPER, np.uint8)
    left = _GAP // 2
    if picture is None:
        cell[_CAPTION : _CAPTION + height, left : left + width] = _UNKNOWN
        caption = f"{caption}: no mask"
    else:
        start = left + (width - picture.shape[1]) // 2
        cell[_CAPTION : _CAPTION + height, start : start + picture.shape[1]] = picture
    _write(cell, caption, width)
    return cell


def _write(cell: ImageArray, text: str, width: int) -> None:
    """Write a caption, shortened at its end where it does not fit."""
    font, scale = cv2.FONT_HERSHEY_SIMPLEX, 0.45
    shown = text.encode("ascii", "replace").decode()
    fits = next(
        end
        for end in range(len(shown), -1, -1)
        if cv2.getTextSize(shown[:end], font, scale, 1)[0][0] <= width
    )
    shown = shown if fits == len(shown) else f"{shown[: max(0, fits - 2)]}.."
    cv2.putText(cell, shown, (_GAP // 2, 15), font, scale, _INK, 1, cv2.LINE_AA)
