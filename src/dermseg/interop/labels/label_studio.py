"""Label Studio: one JSON file of tasks, masks as the brush's run lengths.

Written as annotations of tasks, ready for Label Studio's import; the labelling configuration needs
``<BrushLabels name="brush" toName="image">`` with the labels. Its polygons are read as well.

References:
    https://labelstud.io/guide/task_format and https://labelstud.io/tags/brushlabels
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from pathlib import PurePosixPath
from typing import Any
from urllib.parse import quote, unquote, urlsplit

from dermseg.interop.labels.annotated import AnnotatedImage, SizeLookup, as_size, label_of
from dermseg.interop.labels.polygons import fill_rings
from dermseg.interop.labels.run_lengths import decode_bits, encode_bits
from dermseg.types import BoolMask, Size

__all__ = ["decode", "encode"]


def encode(images: Iterable[AnnotatedImage]) -> Iterator[bytes]:
    """The file of all images; a task's data also say its size and which labels it was given."""
    yield b"["
    for number, image in enumerate(images):
        height, width = image.size
        task = {
            "data": {
                "image": quote(image.file_name),
                "width": width,
                "height": height,
                "labels": list(image.masks),
            },
            "annotations": [{"result": [*_results(image)]}],
        }
        yield (b",\n" if number else b"\n") + json.dumps(task).encode()
    yield b"\n]\n"


def _results(image: AnnotatedImage) -> Iterator[dict[str, Any]]:
    height, width = image.size
    for label, mask in image.masks.items():
        if mask.any():
            yield {
                "id": label,
                "type": "brushlabels",
                "from_name": "brush",
                "to_name": "image",
                "original_width": width,
                "original_height": height,
                "image_rotation": 0,
                "value": {"format": "rle", "rle": encode_bits(mask), "brushlabels": [label]},
            }


def decode(content: bytes, name: str, sizes: SizeLookup) -> Iterator[AnnotatedImage]:
    """Images of an export; the newest annotation of a task counts, or else its prediction."""
    del name
    for task in json.loads(content):
        data = task["data"]
        file_name = _file_name(str(data["image"]))
        drawn = [*task.get("predictions", ()), *task.get("annotations", ())]
        results = [
            result
            for result in (drawn[-1]["result"] if drawn else ())
            if result["type"] in ("brushlabels", "polygonlabels")
        ]
        size = _size_of(data, results, file_name, sizes)
        parts = [
            (label_of(label), _mask_of(result, size))
            for result in results
            for label in result["value"][result["type"]]
        ]
        labels = [label_of(label) for label in data.get("labels") or ()]
        yield AnnotatedImage.gather(file_name, size, parts, labels)


def _file_name(address: str) -> str:
    """The file behind an address such as ``/data/local-files/?d=moles/a.jpg``."""
    parts = urlsplit(address)
    path = unquote(parts.query.partition("d=")[2] or parts.path)
    return PurePosixPath(path).name


def _size_of(
    data: dict[str, Any], results: list[dict[str, Any]], file_name: str, sizes: SizeLookup
) -> Size:
    if results:
        return as_size(results[0]["original_height"], results[0]["original_width"])
    if "height" in data:
        return as_size(data["height"], data["width"])
    return sizes(file_name)


def _mask_of(result: dict[str, Any], size: Size) -> BoolMask:
    if result.get("image_rotation"):
        raise ValueError("an image was turned in Label Studio; turn it back there")
    value = result["value"]
    if result["type"] == "brushlabels":
        return decode_bits(value["rle"], size)
    height, width = size
    # In hundredths of the picture's sides.
    return fill_rings([[(x * width / 100, y * height / 100) for x, y in value["points"]]], size)
