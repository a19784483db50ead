"""Attributes drawn on the image, each in a colour of its own, with a legend below."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import cv2
import numpy as np

from dermseg.prediction.quality import Quality
from dermseg.prediction.quality_overlay import draw_quality
from dermseg.preprocessing import limited_size, resize_image, resize_mask
from dermseg.types import BoolMask, ImageArray, Size

__all__ = ["PALETTE", "add_legend", "color_of", "draw_attributes", "mark_attributes"]

Color = tuple[int, int, int]

PALETTE: tuple[Color, ...] = (
    (192, 255, 0),
    (255, 0, 0),
    (0, 255, 255),
    (0, 128, 192),
    (128, 0, 255),
)
"""Colours that stay apart from each other and from skin for colour-blind eyes.

Found by search: to normal sight, and to eyes without red, green or blue cones (Machado et al. 2009,
doi:10.1109/TVCG.2009.113), any two of them are at least 36 apart in CIELAB, and each at least 28
from seven tones between light skin and a black lesion.
"""

_LESION: Color = (255, 255, 255)
_PAPER: Color = (255, 255, 255)
_INK: Color = (30, 30, 30)
_NOTE: Color = (110, 110, 110)
_SKIN: Color = (110, 80, 65)
_FILL = 0.3
_LEAST_SIDE = 600
_FONT = cv2.FONT_HERSHEY_SIMPLEX
_NOTHING = "no attribute found"


@dataclass(frozen=True)
class _Entry:
    """One line of the legend.

    Attributes:
        text: What it says.
        color: Colour of its sample; None for a remark without one.
        dashed: Whether the sample is that of the lesion's contour.
    """

    text: str
    color: Color | None = None
    dashed: bool = False


def color_of(number: int) -> Color:
    """The (red, green, blue) of the class of this number; after the last one they start again."""
    return PALETTE[number % len(PALETTE)]


def draw_attributes(
    image: ImageArray,
    masks: Mapping[str, BoolMask],
    lesion: BoolMask,
    *,
    max_side: int | None = None,
    note: str = "",
    quality: Quality | None = None,
) -> ImageArray:
    """Draw attributes and the lesion's contour on a copy of their image, with a legend below.

    The legend names what was found.

    Args:
        image: (H, W, 3) uint8.
        masks: As for `mark_attributes`.
        lesion: (H, W) bool, or at another size.
        max_side: As for `mark_attributes`.
        note: Said at the end of the legend.
        quality: Of the lesion's mask, written into a corner; None writes nothing.

    Returns:
        (H + legend, W, 3) uint8, reduced or enlarged; wider where the longest name needs it.
    """
    picture = mark_attributes(image, masks, lesion, max_side=max_side)
    if quality is not None:
        picture = draw_quality(picture, lesion, quality)
    return add_legend(picture, masks, shows_lesion=bool(lesion.any()), note=note)


def mark_attributes(
    image: ImageArray,
    masks: Mapping[str, BoolMask],
    lesion: BoolMask,
    *,
    max_side: int | None = None,
) -> ImageArray:
    """Draw attributes and the lesion's contour on a copy of their image.

    Each attribute has a translucent fill and an opaque contour, whose rim is light or dark,
    whichever contrasts; where several overlap, their colours alternate in stripes. The lesion has
    a dashed contour. Images of few pixels are enlarged two or more times, so that lines do not
    cover what they surround.

    Args:
        image: (H, W, 3) uint8.
        masks: (H, W) bool by attribute, or at other sizes of the same picture. All that were
            looked for, so that each keeps its colour in all pictures.
        lesion: (H, W) bool, or at another size.
        max_side: Reduce the image so that its longer side is at most this; None does not.

    Returns:
        (H, W, 3) uint8, reduced or enlarged.
    """
    size = _shown_size((image.shape[0], image.shape[1]), max_side)
    picture = image.copy() if image.shape[:2] == size else resize_image(image, size)
    line = max(2, round(max(size) / 500))
    found = [
        (color_of(number), mask if mask.shape == size else resize_mask(mask, size))
        for number, mask in enumerate(masks.values())
        if mask.any()
    ]
    _fill(picture, found, 4 * line)
    outline = lesion if lesion.shape == size else resize_mask(lesion, size)
    _draw_dashed(picture, outline, line)
    for color, mask in found:
        contours, _ = cv2.findContours(mask.view(np.uint8), cv2.RETR_CCOMP, cv2.CHAIN_APPROX_NONE)
        _draw_lines(picture, contours, color, line, closed=True)
    return picture


def add_legend(
    picture: ImageArray, masks: Mapping[str, BoolMask], *, shows_lesion: bool, note: str = ""
) -> ImageArray:
    """Set a legend of the attributes that some pixel has below a picture.

    Args:
        picture: (H, W, 3) uint8, drawn by `mark_attributes`.
        masks: The same that were drawn.
        shows_lesion: Whether a lesion's contour is on it.
        note: Said at the end of the legend.

    Returns:
        (H + legend, W, 3) uint8; wider where the longest name needs it.
    """
    found = [
        _Entry(name.replace("_", " "), color_of(number))
        for number, (name, mask) in enumerate(masks.items())
        if mask.any()
    ]
    entries = [_Entry("lesion", _LESION, dashed=True)] if shows_lesion else []
    entries += found or [_Entry(_NOTHING)]
    entries += [_Entry(note)] if note else []
    return _put_below(picture, entries)


def _shown_size(size: Size, max_side: int | None) -> Size:
    """Reduced to ``max_side``, or enlarged a whole number of times to about 600 pixels."""
    factor = _LEAST_SIDE // max(size)
    if factor < 2 or (max_side is not None and factor * max(size) > max_side):
        return limited_size(size, max_side)
    return factor * size[0], factor * size[1]


def _fill(picture: ImageArray, found: Sequence[tuple[Color, BoolMask]], stripe: int) -> None:
    """Tint each mask; where k of them overlap, each has every k-th diagonal stripe."""
    if not found:
        return
    rows, columns = np.ogrid[: picture.shape[0], : picture.shape[1]]
    turn = (rows + columns) // stripe
    # A mixture of two colours would be a third one, which the legend does not know.
    turn = turn % np.maximum(1, np.sum([mask for _, mask in found], axis=0, dtype=np.uint8))
    rank = np.zeros(turn.shape, np.uint8)
    for color, mask in found:
        shown = mask & (rank == turn)
        tinted = (1 - _FILL) * picture[shown] + _FILL * np.array(color)
        picture[shown] = np.rint(tinted).astype(np.uint8)
        rank += mask


def _draw_dashed(picture: ImageArray, mask: BoolMask, line: int) -> None:
    contours, _ = cv2.findContours(mask.view(np.uint8), cv2.RETR_EXTERNAL, cv2.CHAIN_APPROX_NONE)
    dash, gap = 8 * line, 6 * line
    dashes = [
        contour[start : start + dash]
        for contour in contours
        for start in range(0, len(contour), dash + gap)
    ]
    _draw_lines(picture, dashes, _LESION, line, closed=False)


def _draw_lines(
    picture: ImageArray, lines: Sequence[np.ndarray], color: Color, width: int, *, closed: bool
) -> None:
    rim = _rim_of(color)
    for paint, thickness in ((rim, width + 2), (color, width)):
        cv2.polylines(picture, lines, closed, paint, thickness=thickness, lineType=cv2.LINE_AA)


def _rim_of(color: Color) -> Color:
    red, green, blue = color
    is_light = 0.299 * red + 0.587 * green + 0.114 * blue > 100
    return (0, 0, 0) if is_light else (255, 255, 255)


def _put_below(picture: ImageArray, entries: Sequence[_Entry]) -> ImageArray:
    """Set the legend below the picture, in as many rows as its width asks for."""
    scale = max(0.4, picture.shape[1] / 1700)
    stroke = max(1, round(1.3 * scale))
    (_, letter), baseline = cv2.getTextSize("Ag", _FONT, scale, stroke)
    sample, gap, row_height = 2 * letter, letter, round(1.6 * (letter + baseline))
    places, x, row = [], gap, 0
    for entry in entries:
        text = cv2.getTextSize(entry.text, _FONT, scale, stroke)[0][0]
        length = text + (sample + gap // 2 if entry.color else 0)
        if x > gap and x + length + gap > picture.shape[1]:
            x, row = gap, row + 1
        places.append((x, row, length))
        x += length + 2 * gap
    width = max(picture.shape[1], *(x + length + gap for x, _, length in places))
    legend = np.full(((row + 1) * row_height + gap, width, 3), _PAPER, np.uint8)
    for entry, (x, row, _) in zip(entries, places, strict=True):
        bottom = gap // 2 + row * row_height + (row_height + letter) // 2
        ink, indent = _NOTE, 0
        if entry.color is not None:
            _draw_sample(legend, entry, (x, bottom - letter), (sample, letter))
            ink, indent = _INK, sample + gap // 2
        place = (x + indent, bottom)
        cv2.putText(legend, entry.text, place, _FONT, scale, ink, stroke, cv2.LINE_AA)
    missing = width - picture.shape[1]
    padded = cv2.copyMakeBorder(picture, 0, 0, 0, missing, cv2.BORDER_CONSTANT, value=_PAPER)
    return np.vstack([padded, legend])


def _draw_sample(
    legend: ImageArray, entry: _Entry, corner: tuple[int, int], size: tuple[int, int]
) -> None:
    """A small box in the entry's colour, or a dashed line; ``corner`` is (x, y)."""
    (x, y), (width, height) = corner, size
    color = entry.color or _INK
    if not entry.dashed:
        cv2.rectangle(legend, (x, y), (x + width, y + height), color, cv2.FILLED)
        cv2.rectangle(legend, (x, y), (x + width, y + height), _INK, 1)
        return
    cv2.rectangle(legend, (x, y), (x + width, y + height), _SKIN, cv2.FILLED)
    middle, third = y + height // 2, width // 3
    dashes = [
        np.array([[[x + start, middle]], [[x + start + third, middle]]], np.int32)
        for start in (0, 2 * third)
    ]
    _draw_lines(legend, dashes, color, max(1, height // 6), closed=False)
