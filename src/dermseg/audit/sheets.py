"""Contact sheets of the pairs that an audit found, to judge them by eye."""

from __future__ import annotations

import contextlib
from collections.abc import Iterable
from pathlib import Path
from typing import Final

import cv2
import numpy as np
from numpy.typing import NDArray

from dermseg.audit.auditing import Audit
from dermseg.audit.pairs import KINDS, Pair
from dermseg.errors import ImageError
from dermseg.images import read_image, write_image
from dermseg.preprocessing import resize_image
from dermseg.types import ImageArray

__all__ = ["draw_pair", "write_sheets"]

_NUM_PER_PAGE, _NUM_COLUMNS = 24, 2
_TILE: Final = (150, 200)
_BAR = 40
_INK, _SIGNAL, _PAPER, _EMPTY = (40, 40, 40), (190, 30, 30), (255, 255, 255), (225, 225, 225)


def write_sheets(folder: Path, audit: Audit, *, max_pairs: int = 240) -> list[Path]:
    """Write ``pairs_01.jpg`` and so on, 24 pairs each; sheets of an earlier audit are removed.

    Of each kind of leak some are shown, then of each kind within one place; of a kind those
    first whose ids differ, and of these the least certain, as they are worth a look.

    Args:
        folder: An existing folder.
        audit: What was found.
        max_pairs: How many pairs are drawn at most.

    Returns:
        The files.

    Raises:
        OutputError: If a file cannot be written.
    """
    for old in folder.glob("pairs_[0-9][0-9].jpg"):
        with contextlib.suppress(OSError):
            old.unlink()
    chosen = _choose(audit, max_pairs)
    pages = []
    for start in range(0, len(chosen), _NUM_PER_PAGE):
        path = folder / f"pairs_{start // _NUM_PER_PAGE + 1:02d}.jpg"
        tiles = [draw_pair(audit, pair) for pair in chosen[start : start + _NUM_PER_PAGE]]
        write_image(path, _arrange(tiles))
        pages.append(path)
    return pages


def draw_pair(audit: Audit, pair: Pair) -> ImageArray:
    """Draw the first image, the first laid over the second, and the second, with a caption.

    Returns:
        (190, 600, 3) uint8. An image that cannot be read is left grey.
    """
    first, second = audit.items[pair.first], audit.items[pair.second]
    one, other = _read(first.path), _read(second.path)
    height, width = _TILE
    middle = np.full((height, width, 3), _EMPTY, np.uint8)
    if pair.alignment is not None and one is not None and other is not None:
        middle = _overlay(one, other, pair.alignment.matrix)
    row = np.hstack([_fit(one), middle, _fit(other)])
    bar = np.full((_BAR, row.shape[1], 3), _PAPER, np.uint8)
    score = "" if pair.alignment is None else f" {pair.alignment.similarity:.2f}"
    color = _SIGNAL if pair.is_leak(audit.items) else _INK
    _write(bar, f"{first.id} {_where(first.place.folder, first.place.part)}", (4, 14), _INK)
    _write(bar, f"{second.id} {_where(second.place.folder, second.place.part)}", (304, 14), _INK)
    _write(bar, f"{pair.kind}{score}  {pair.transform()}", (4, 32), color)
    return np.vstack([bar, row])


def _choose(audit: Audit, max_pairs: int) -> list[Pair]:
    """A fair share of each kind, leaks first."""
    queues: list[list[Pair]] = []
    for leak in (True, False):
        for kind in KINDS:
            pairs = [
                pair
                for pair in audit.pairs
                if pair.kind == kind and pair.is_leak(audit.items) == leak
            ]
            pairs.sort(key=_interest)
            queues.append(pairs)
    share = dict.fromkeys(range(len(queues)), 0)
    while sum(share.values()) < max_pairs:
        open_queues = [index for index in share if share[index] < len(queues[index])]
        if not open_queues:
            break
        share[min(open_queues, key=share.__getitem__)] += 1
    return [pair for index, queue in enumerate(queues) for pair in queue[: share[index]]]


def _interest(pair: Pair) -> tuple[bool, float]:
    """What an id tells anyway comes last."""
    return "id" in pair.evidence, pair.alignment.similarity if pair.alignment else 1


def _read(path: Path) -> ImageArray | None:
    try:
        return read_image(path)
    except ImageError:
        return None


def _fit(image: ImageArray | None) -> ImageArray:
    """The image in the middle of a tile, its aspect kept."""
    tile = np.full((*_TILE, 3), _PAPER if image is not None else _EMPTY, np.uint8)
    if image is None:
        return tile
    matrix = _to_tile(image)
    size = (
        max(1, round(image.shape[0] * matrix[1, 1])),
        max(1, round(image.shape[1] * matrix[0, 0])),
    )
    small = resize_image(image, size)
    top, left = (_TILE[0] - size[0]) // 2, (_TILE[1] - size[1]) // 2
    tile[top : top + size[0], left : left + size[1]] = small
    return tile


def _overlay(one: ImageArray, other: ImageArray, matrix: NDArray[np.float64]) -> ImageArray:
    """The first image as it lies over the second, in the second's tile."""
    shrink = min(1.0, 2 * max(_TILE) / max(one.shape[:2]))
    size = (max(1, round(one.shape[0] * shrink)), max(1, round(one.shape[1] * shrink)))
    small = resize_image(one, size)
    reduce = np.diag([size[1] / one.shape[1], size[0] / one.shape[0], 1])
    whole = reduce @ np.vstack([matrix, [0, 0, 1]]) @ np.linalg.inv(_to_tile(other))
    warped = cv2.warpAffine(
        small,
        whole[:2],
        _TILE[::-1],
        flags=cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP,
        borderMode=cv2.BORDER_CONSTANT,
        borderValue=_PAPER,
    )
    return np.asarray(warped, np.uint8)


def _to_tile(image: ImageArray) -> NDArray[np.float64]:
    """From pixels of an image to pixels of its tile, (3, 3)."""
    height, width = image.shape[:2]
    scale = min(_TILE[0] / height, _TILE[1] / width)
    return np.array(
        [
            [scale, 0, (_TILE[1] - width * scale) / 2],
            [0, scale, (_TILE[0] - height * scale) / 2],
            [0, 0, 1],
        ]
    )


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
