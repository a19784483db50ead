"""Images with the contours of their masks, drawn for a page."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import cv2
import numpy as np
from markupsafe import Markup

from dermseg.errors import ImageError
from dermseg.evaluation.image_score import ImageScore
from dermseg.evaluation.matching import ImageFiles
from dermseg.images import read_image, read_mask
from dermseg.pages.parts import embed_picture
from dermseg.preprocessing import limited_size, resize_image, resize_mask
from dermseg.types import BoolMask, ImageArray, Size

__all__ = ["Case", "Contour", "choose_cases", "draw_case", "draw_picture"]

_LONG_SIDE = 560
_SKIN = "#8a6a58"


@dataclass(frozen=True)
class Contour:
    """A mask to be drawn.

    Attributes:
        mask: (H, W) bool, of the image's size.
        kind: ``truth`` is drawn dashed, ``prediction`` solid.
    """

    mask: BoolMask
    kind: Literal["truth", "prediction"]


@dataclass(frozen=True)
class Case:
    """Images that show how good or bad the masks are.

    Attributes:
        name: Which ones these are.
        scores: Worst first, or best first.
    """

    name: Literal["worst", "median", "best"]
    scores: tuple[ImageScore, ...]


def choose_cases(
    scores: Sequence[ImageScore], *, num_worst: int = 6, num_others: int = 3
) -> tuple[Case, ...]:
    """Choose the images with the lowest, the middle and the highest Jaccard indices.

    No image is chosen twice; with few images, the worst are chosen first, then the best.

    Args:
        scores: One or more images.
        num_worst: Number of the worst images.
        num_others: Number of the best, and of the median images.
    """
    ordered = sorted(scores, key=lambda score: (score.jaccard, score.id))
    worst, rest = ordered[:num_worst], ordered[num_worst:]
    best = rest[::-1][:num_others]
    rest = rest[: len(rest) - len(best)]
    # Places in `ordered` from num_worst on, the nearest to its middle first.
    centre = (len(ordered) - 1) / 2 - num_worst
    places = sorted(range(len(rest)), key=lambda place: abs(place - centre))[:num_others]
    middle = [rest[place] for place in sorted(places)]
    cases = (Case("worst", tuple(worst)), Case("median", tuple(middle)), Case("best", tuple(best)))
    return tuple(case for case in cases if case.scores)


def draw_case(files: ImageFiles, description: str) -> Markup | None:
    """Draw an image with the contours of its true and its predicted mask.

    Args:
        files: Without an image, the contours are drawn on a plain ground.
        description: For screen readers.

    Returns:
        An SVG element; None if a mask is not known or cannot be read any more.
    """
    if files.truth is None or files.prediction is None:
        return None
    try:
        truth, prediction = read_mask(files.truth), read_mask(files.prediction)
        image = None if files.image is None else read_image(files.image)
    except ImageError:
        return None
    if truth.shape != prediction.shape or (image is not None and image.shape[:2] != truth.shape):
        return None
    return draw_picture(
        image, [Contour(prediction, "prediction"), Contour(truth, "truth")], description
    )


def draw_picture(image: ImageArray | None, contours: Sequence[Contour], description: str) -> Markup:
    """Draw contours over an image that is reduced to a long side of 560 pixels.

    Args:
        image: (H, W, 3) uint8, or None for a plain ground.
        contours: One or more, the last on top.
        description: For screen readers.

    Returns:
        An SVG element with the image inside it.
    """
    height, width = contours[0].mask.shape
    size = limited_size((height, width), _LONG_SIDE)
    ground = Markup('<rect width="{1}" height="{0}" fill="{2}"/>').format(*size, _SKIN)
    if image is not None:
        source = embed_picture(resize_image(image, size))
        ground = Markup('<image width="{1}" height="{0}" href="{2}"/>').format(*size, source)
    paths = [(contour.kind, _path(contour.mask, size)) for contour in contours]
    rims = [Markup('<path class="contour rim" d="{}"/>').format(path) for _, path in paths]
    lines = [Markup('<path class="contour {}" d="{}"/>').format(kind, path) for kind, path in paths]
    return Markup(
        '<svg class="picture" viewBox="0 0 {1} {0}" role="img" aria-label="{2}">{3}</svg>'
    ).format(*size, description, Markup("").join([ground, *rims, *lines]))


def _path(mask: BoolMask, size: Size) -> str:
    """The outlines of a mask as an SVG path, half a pixel exact."""
    small = resize_mask(mask, size).astype(np.uint8)
    contours, _ = cv2.findContours(small, cv2.RETR_CCOMP, cv2.CHAIN_APPROX_NONE)
    parts = []
    for contour in contours:
        points = cv2.approxPolyDP(contour, 0.6, closed=True).reshape(-1, 2) + 0.5
        parts.append("M" + "L".join(f"{x:g} {y:g}" for x, y in points) + "Z")
    return "".join(parts)
