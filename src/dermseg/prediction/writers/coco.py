"""Masks of many images in one file: lines of JSON while a run goes on, COCO at its end.

``predictions.jsonl`` has a line for each image, with its masks as run lengths. From it
``predictions.coco.json`` is written when all images are done, holding one line in memory.

References:
    Run lengths as in pycocotools' ``rleToString``: https://github.com/cocodataset/cocoapi
"""

from __future__ import annotations

import json
from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from typing import Any, ClassVar, TypeGuard

import cv2
import numpy as np
from numpy.typing import NDArray

from dermseg.errors import OutputError
from dermseg.prediction.inputs import Job
from dermseg.prediction.naming import COCO, LINES
from dermseg.prediction.prediction import Prediction
from dermseg.prediction.writers.base import LESION, MaskFormat
from dermseg.storage import Sink
from dermseg.types import BoolMask, FloatArray, Size

__all__ = ["CocoMasks", "encode_coco", "encode_runs"]


class CocoMasks(MaskFormat):
    """All masks of a run in one file, and no file for any image."""

    lines: ClassVar[str | None] = LINES
    with_overlay: ClassVar[bool] = False

    def __init__(self, sink: Sink, job: Job, prediction: Prediction) -> None:
        super().__init__(sink, job, prediction)
        self._attributes: list[dict[str, Any] | None] = []

    def add_attribute(self, name: str, probability: FloatArray, mask: BoolMask) -> None:
        """Keep the mask as run lengths."""
        del probability
        self._attributes.append(_entry(name, mask))

    def finish(self) -> None:
        """Make the line of the image: its name, size, and every mask that is not empty."""
        entries = [_entry(LESION, self.prediction.mask), *self._attributes]
        record = _record(self.mask_name(self.job), self.prediction.size, entries)
        self.line = _encode(record) + b"\n"

    @classmethod
    def complete(cls, sink: Sink, classes: Sequence[str]) -> None:
        """Write ``predictions.coco.json`` from the lines of a finished run.

        Raises:
            OutputError: If a file cannot be read or written.
        """

        def records() -> Iterator[dict[str, Any]]:
            return (record for _, record in _whole_lines(sink))

        sink.write(COCO, _coco_chunks(records, classes))

    @classmethod
    def mask_name(cls, job: Job) -> str:
        """The image's id with its suffix."""
        return str(job.stem.with_name(job.source.name))

    @classmethod
    def find_masks(cls, sink: Sink) -> Callable[[str], bool]:
        """Looks for a whole line."""
        return {record["file_name"] for _, record in _whole_lines(sink)}.__contains__

    @classmethod
    def kept_lines(cls, sink: Sink, names: Collection[str]) -> Iterator[bytes]:
        """The whole lines of some images, each once."""
        wanted = set(names)
        for line, record in _whole_lines(sink):
            if record["file_name"] in wanted:
                wanted.remove(record["file_name"])
                yield line


def encode_runs(mask: BoolMask) -> str:
    """COCO's compressed run lengths of a mask, as pycocotools decodes them.

    Runs go down the columns and begin with background, of length 0 where the first pixel is set.
    From the fourth on, each is given as its difference from the last but one; then in groups of
    five bits, the lowest first, as characters.

    Args:
        mask: (H, W) bool, not empty.

    Example:
        >>> encode_runs(np.array([[0, 1], [1, 1]], dtype=bool))
        '13'
    """
    runs = np.diff(_borders(mask), prepend=0, append=mask.size)
    # Nothing follows where the last pixel is set.
    runs = runs[:-1] if runs[-1] == 0 else runs
    values = runs.copy()
    values[3:] -= runs[1:-2]
    return _encode_numbers(values)


def _borders(mask: BoolMask) -> NDArray[np.int64]:
    """Where, counted down the columns, the mask begins and ends in turns."""
    x, y, width, height = cv2.boundingRect(mask.view(np.uint8))
    if width == 0:
        return np.empty(0, np.int64)
    # Each column of the box between two pixels of background, so that it has whole runs.
    padded = np.zeros((width, height + 2), np.uint8)
    padded[:, 1:-1] = cv2.transpose(mask[y : y + height, x : x + width].view(np.uint8))
    pixels = padded.ravel()
    column, row = np.divmod(np.flatnonzero(pixels[1:] != pixels[:-1]), height + 2)
    borders = (column + x) * mask.shape[0] + row + y
    # A run that goes on at the top of the next column is one.
    joined = np.flatnonzero(borders[1:-1:2] == borders[2::2]) * 2 + 1
    return np.delete(borders, np.concatenate([joined, joined + 1]))


def _encode_numbers(values: NDArray[np.int64]) -> str:
    """Signed numbers in groups of five bits; a sixth says that more follow."""
    columns, pending = [], np.ones(values.shape, np.bool_)
    while pending.any():
        group = values & 0x1F
        values = values >> 5
        # Done when what remains is the sign that the highest bit of the group repeats.
        more = values != np.where(group & 0x10, -1, 0)
        columns.append(np.where(pending, group + 32 * more + 48, 0))
        pending = pending & more
    grid = np.stack(columns, axis=1)
    return grid[grid > 0].astype(np.uint8).tobytes().decode("ascii")


def _entry(category: str, mask: BoolMask) -> dict[str, Any] | None:
    """The record of one mask; None if it is empty."""
    area = int(np.count_nonzero(mask))
    if not area:
        return None
    box = [int(value) for value in cv2.boundingRect(mask.view(np.uint8))]
    return {"category": category, "area": area, "bbox": box, "counts": encode_runs(mask)}


def encode_coco(name: str, mask: BoolMask) -> bytes:
    """A lesion's mask as the whole content of a COCO file.

    Args:
        name: The image's.
        mask: (H, W) bool, not without pixels.
    """
    record = _record(name, (mask.shape[0], mask.shape[1]), [_entry(LESION, mask)])
    return b"".join(_coco_chunks(lambda: [record], [LESION]))


def _record(name: str, size: Size, entries: Sequence[dict[str, Any] | None]) -> dict[str, Any]:
    masks = [entry for entry in entries if entry is not None]
    return {"file_name": name, "height": size[0], "width": size[1], "masks": masks}


def _coco_chunks(
    records: Callable[[], Iterable[dict[str, Any]]], classes: Sequence[str]
) -> Iterator[bytes]:
    numbers = {name: number for number, name in enumerate(classes, 1)}
    categories = [{"id": number, "name": name} for name, number in numbers.items()]
    yield b'{"categories":' + _encode(categories)
    for key, items in (("images", _images), ("annotations", _annotations(numbers))):
        yield f',\n"{key}":['.encode()
        separator = b"\n"
        for image_id, record in enumerate(records(), 1):
            for item in items(image_id, record):
                yield separator + _encode(item)
                separator = b",\n"
        yield b"\n]"
    yield b"}\n"


def _images(image_id: int, record: dict[str, Any]) -> list[dict[str, Any]]:
    return [{"id": image_id} | {key: record[key] for key in ("file_name", "height", "width")}]


def _annotations(
    numbers: dict[str, int],
) -> Callable[[int, dict[str, Any]], Iterator[dict[str, Any]]]:
    last = 0

    def annotations(image_id: int, record: dict[str, Any]) -> Iterator[dict[str, Any]]:
        nonlocal last
        for mask in record["masks"]:
            last += 1
            size = [record["height"], record["width"]]
            yield {
                "id": last,
                "image_id": image_id,
                "category_id": numbers[mask["category"]],
                "segmentation": {"size": size, "counts": mask["counts"]},
                "area": mask["area"],
                "bbox": mask["bbox"],
                "iscrowd": 0,
            }

    return annotations


def _whole_lines(sink: Sink) -> Iterator[tuple[bytes, dict[str, Any]]]:
    """Whole lines of an image; not those that never quite reached the disk."""
    try:
        with sink.open(LINES) as file:
            for line in file:
                try:
                    record = json.loads(line) if line.endswith(b"\n") else None
                except ValueError:
                    continue
                if _is_whole(record):
                    yield line, record
    except FileNotFoundError:
        return
    except OSError as error:
        message = f"{sink.locate(LINES)}: cannot be read: {error.strerror}"
        raise OutputError(message) from error


def _is_whole(record: object) -> TypeGuard[dict[str, Any]]:
    keys = {"file_name": str, "height": int, "width": int, "masks": list}
    return (
        isinstance(record, dict)
        and all(isinstance(record.get(key), kind) for key, kind in keys.items())
        and all(
            isinstance(mask, dict) and {"category", "area", "bbox", "counts"} <= mask.keys()
            for mask in record["masks"]
        )
    )


def _encode(value: object) -> bytes:
    return json.dumps(value, separators=(",", ":")).encode()
