"""Masks as run lengths: COCO's down the columns, CVAT's along the rows, Label Studio's as bits.

COCO's are written by :func:`dermseg.prediction.writers.coco.encode_runs`.

References:
    https://github.com/cocodataset/cocoapi (``rleFrString``)
    https://docs.cvat.ai/docs/dataset_management/formats/format-cvat/ (``mask``)
    https://github.com/thi-ng/umbrella/tree/develop/packages/rle-pack
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np
from numpy.typing import NDArray

from dermseg.types import BoolMask, Size

__all__ = ["decode_bits", "decode_coco", "decode_rows", "encode_bits", "encode_rows"]

_SIZES = (3, 4, 8, 16)
_LONGEST = 1 << _SIZES[-1]
_CHANNELS = 4


def encode_rows(mask: BoolMask) -> list[int]:
    """Lengths of runs along the rows, beginning with background, of length 0 if there is none.

    Example:
        >>> encode_rows(np.array([[0, 1], [1, 1]], dtype=bool)), encode_rows(np.ones((1, 3), bool))
        ([1, 3], [0, 3])
    """
    pixels = mask.ravel()
    borders = np.flatnonzero(pixels[1:] != pixels[:-1]) + 1
    starts = np.r_[0, borders] if not pixels[0] else np.r_[0, 0, borders]
    return [int(run) for run in np.diff(starts, append=pixels.size)]


def decode_rows(runs: Sequence[int], size: Size) -> BoolMask:
    """The mask of run lengths along the rows.

    Raises:
        ValueError: If the runs do not fill the mask.
    """
    lengths = np.asarray(runs, np.int64)
    height, width = size
    if lengths.ndim != 1 or (lengths < 0).any() or lengths.sum() != height * width:
        message = f"the run lengths do not fill a mask of {width} x {height} pixels"
        raise ValueError(message)
    values = np.arange(lengths.size) % 2 == 1
    return np.repeat(values, lengths).reshape(size)


def decode_coco(counts: str | Sequence[int], size: Size) -> BoolMask:
    """The mask of COCO's run lengths down the columns, compressed or not.

    Raises:
        ValueError: If the runs do not fill the mask, or the text is none of COCO's.

    Example:
        >>> decode_coco("13", (2, 2)).astype(int).tolist()
        [[0, 1], [1, 1]]
    """
    runs = _numbers(counts) if isinstance(counts, str) else list(counts)
    height, width = size
    return np.ascontiguousarray(decode_rows(runs, (width, height)).T)


def _numbers(text: str) -> list[int]:
    """Undo COCO's compression: five bits a character, differences from the fourth number on."""
    runs: list[int] = []
    value = shift = 0
    for character in text:
        code = ord(character) - 48
        if not 0 <= code < 64 or shift > 60:
            raise ValueError("the run lengths are not COCO's")
        value |= (code & 0x1F) << shift
        shift += 5
        if not code & 0x20:
            value -= (code & 0x10) << shift - 4  # the highest bit is the sign
            runs.append(value + runs[-2] if len(runs) > 2 else value)
            value = shift = 0
    if shift:
        raise ValueError("the run lengths end inside a number")
    return runs


def encode_bits(mask: BoolMask) -> list[int]:
    """Label Studio's bytes of a mask: runs of the four channels of a picture, as bits.

    A header holds how many values follow, their width and the four widths of run lengths; then
    each run has a flag, the number of a width, its length less 1 and its value, 0 or 255.
    """
    num_values = mask.size * _CHANNELS
    bits = [f"{num_values:032b}", f"{8 - 1:05b}", *(f"{width - 1:04b}" for width in _SIZES)]
    for number, run in enumerate(encode_rows(mask)):
        value = "1" * 8 if number % 2 else "0" * 8
        for length in _pieces(run * _CHANNELS):
            index = next(i for i, width in enumerate(_SIZES) if length <= 1 << width)
            bits.append(f"1{index:02b}{length - 1:0{_SIZES[index]}b}{value}")
    text = "".join(bits)
    text += "0" * (-len(text) % 8)
    return list(int(text, 2).to_bytes(len(text) // 8, "big"))


def _pieces(length: int) -> Iterator[int]:
    while length > 0:
        yield min(length, _LONGEST)
        length -= _LONGEST


def decode_bits(data: Sequence[int], size: Size) -> BoolMask:
    """The mask of Label Studio's bytes: where the last channel is set.

    Raises:
        ValueError: If the bytes do not fill the mask.
    """
    height, width = size
    num_values = height * width * _CHANNELS
    values = _unpacked(bytes(data), num_values)
    return values.reshape(height, width, _CHANNELS)[..., -1] > 0


def _unpacked(data: bytes, num_values: int) -> NDArray[np.uint8]:
    bits = "".join(f"{byte:08b}" for byte in data)
    position = 0

    def take(width: int) -> int:
        nonlocal position
        position += width
        if position > len(bits):
            raise ValueError("the run lengths end early")
        return int(bits[position - width : position], 2)

    if take(32) != num_values:
        raise ValueError("the run lengths are those of a picture of another size")
    word = take(5) + 1
    sizes = [take(4) + 1 for _ in range(4)]
    values, filled = np.empty(num_values, np.uint8), 0
    while filled < num_values:
        is_run = take(1)
        end = filled + take(sizes[take(2)]) + 1
        if end > num_values:
            raise ValueError("the run lengths do not fit the picture")
        if is_run:
            values[filled:end] = min(take(word), 255)
        else:
            values[filled:end] = [min(take(word), 255) for _ in range(end - filled)]
        filled = end
    return values
