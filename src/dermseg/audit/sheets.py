"""Contact sheets of the pairs that an audit found, to judge them by eye."""

from __future__ import annotations

import contextlib
from collections.abc import Iterable
from pathlib import Path

import cv2
import numpy as np

from dermseg.audit.auditing import Audit
from dermseg.audit.pairs import ImagePair
from dermseg.audit.pictures import TILE, UNCOVERED, choose_pairs, draw_pictures
from dermseg.images import write_image
from dermseg.types import ImageArray

__all__ = ["draw_pair", "write_sheets"]

_NUM_PER_PAGE, _NUM_COLUMNS = 24, 2
_BAR = 40
_INK, _SIGNAL, _PAPER = (40, 40, 40), (190, 30, 30), (255, 255, 255)


def write_sheets(folder: Path, audit: Audit, *, max_pairs: int = 240) -> list[Path]:
    """Write ``pairs_01.jpg`` and so on, 24 pairs each; sheets of an earlier audit are removed.

    Args:
        folder: An existing folder.
        audit: What was found.
        max_pairs: How many pairs are drawn at most, see `choose_pairs`.

    Returns:
        The files.

    Raises:
        OutputError: If a file cannot be written.
    """
    for old in folder.glob("pairs_[0-9][0-9].jpg"):
        with contextlib.suppress(OSError):
            old.unlink()
    chosen = choose_pairs(audit, max_pairs)
    pages = []
    for start in range(0, len(chosen), _NUM_PER_PAGE):
        path = folder / f"pairs_{start // _NUM_PER_PAGE + 1:02d}.jpg"
        tiles = [draw_pair(audit, pair) for pair in chosen[start : start + _NUM_PER_PAGE]]
        write_image(path, _arrange(tiles))
        pages.append(path)
    return pages


def draw_pair(audit: Audit, pair: ImagePair) -> ImageArray:
    """Draw the first image, the first laid over the second, and the second, with a caption.

    Returns:
        (190, 600, 3) uint8. An image that cannot be read is left grey.
    """
    first, second = audit.items[pair.first], audit.items[pair.second]
    pictures = draw_pictures(audit, pair)
    tiles = (pictures.first, pictures.overlay, pictures.second)
    row = np.hstack([_centre(picture) for picture in tiles])
    bar = np.full((_BAR, row.shape[1], 3), _PAPER, np.uint8)
    score = "" if pair.alignment is None else f" {pair.alignment.similarity:.2f}"
    color = _SIGNAL if pair.is_leak(audit.items) else _INK
    _write(bar, f"{first.id} {_where(first.place.folder, first.place.part)}", (4, 14), _INK)
    _write(bar, f"{second.id} {_where(second.place.folder, second.place.part)}", (304, 14), _INK)
    _write(bar, f"{pair.kind}{score}  {pair.transform()}", (4, 32), color)
    return np.vstack([bar, row])


def _centre(picture: ImageArray | None) -> ImageArray:
    """A picture in the middle of a tile."""
    if picture is None:
        return np.full((*TILE, 3), UNCOVERED, np.uint8)
    tile = np.full((*TILE, 3), _PAPER, np.uint8)
    height, width = picture.shape[:2]
    top, left = (TILE[0] - height) // 2, (TILE[1] - width) // 2
    tile[top : top + height, left : left + width] = picture
    return tile


def _where(folder: str, part: str) -> str:
    return f"{Path(folder).name} {part}".strip()


def _write(bar: ImageArray, text: str, position: tuple[int, int], color: Iterable[int]) -> None:
    shown = text.encode("ascii", "replace").decode()
    font = cv2.FONT_HERSHEY_SIMPLEX
    cv2.putText(bar, shown, position, font, 0.4, tuple(color), 1, cv2.LINE_AA)


def _arrange(tiles: list[ImageArray]) -> ImageArray:
    rows = []
    for start in range(0, len(tiles), _NUM_COLUMNS):
        row = tiles[start : start + _NUM_COLUMNS]
        row += [np.full_like(tiles[0], 255)] * (_NUM_COLUMNS - len(row))
        padded = [
            cv2.copyMakeBorder(tile, 6, 6, 8, 8, cv2.BORDER_CONSTANT, value=_PAPER) for tile in row
        ]
        rows.append(np.hstack(padded))
    return np.asarray(np.vstack(rows), np.uint8)
