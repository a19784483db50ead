"""COCO: one JSON file for all images, with run lengths or polygons.

A region with holes is one polygon, cut open to its holes, since COCO's polygons have none.
pycocotools decodes both to the same mask. Polygons are filled by the pixels' centres, see
``polygons``, and several of one annotation are united.

References:
    https://cocodataset.org/#format-data
"""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Any

import cv2
import numpy as np

from dermseg.interop.labels.annotated import AnnotatedImage, SizeLookup, as_size, label_of
from dermseg.interop.labels.polygons import fill_rings, join_holes, trace_regions
from dermseg.interop.labels.run_lengths import decode_coco
from dermseg.prediction.writers.coco import encode_runs
from dermseg.types import BoolMask, Size

__all__ = ["decode", "encode_polygons", "encode_run_lengths"]


def encode_run_lengths(images: Iterable[AnnotatedImage]) -> Iterator[bytes]:
    """COCO with compressed run lengths, one annotation for each mask."""
    return _encode(images, lambda mask: {"size": [*mask.shape], "counts": encode_runs(mask)})


def encode_polygons(images: Iterable[AnnotatedImage]) -> Iterator[bytes]:
    """COCO with polygons, one annotation for each mask."""
    return _encode(
        images, lambda mask: [join_holes(region).ravel().tolist() for region in trace_regions(mask)]
    )


def _encode(
    images: Iterable[AnnotatedImage], segmentation: Callable[[BoolMask], Any]
) -> Iterator[bytes]:
    records, numbers, last = [], dict[str, int](), 0
    yield b'{"annotations":['
    for image_id, image in enumerate(images, 1):
        height, width = image.size
        record = {"id": image_id, "file_name": image.file_name, "height": height, "width": width}
        records.append(record)
        for label, mask in image.masks.items():
            category = numbers.setdefault(label, len(numbers) + 1)
            if not mask.any():
                continue
            last += 1
            annotation = {
                "id": last,
                "image_id": image_id,
                "category_id": category,
                "segmentation": segmentation(mask),
                "area": int(np.count_nonzero(mask)),
                "bbox": [int(value) for value in cv2.boundingRect(mask.view(np.uint8))],
                "iscrowd": 0,
            }
            yield (b",\n" if last > 1 else b"\n") + json.dumps(annotation).encode()
    categories = [{"id": number, "name": name} for name, number in numbers.items()]
    yield b'\n],\n"images":' + json.dumps(records).encode()
    yield b',\n"categories":' + json.dumps(categories).encode() + b"}\n"


def decode(content: bytes, name: str, sizes: SizeLookup) -> Iterator[AnnotatedImage]:
    """Images of a COCO file; every category has a mask in each of them, perhaps an empty one."""
    del name, sizes
    document = json.loads(content)
    labels = {category["id"]: label_of(category["name"]) for category in document["categories"]}
    annotations: defaultdict[Any, list[dict[str, Any]]] = defaultdict(list)
    for annotation in document["annotations"]:
        annotations[annotation["image_id"]].append(annotation)
    for image in document["images"]:
        size = as_size(image["height"], image["width"])
        parts = (
            (labels[annotation["category_id"]], _mask_of(annotation["segmentation"], size))
            for annotation in annotations[image["id"]]
        )
        yield AnnotatedImage.gather(str(image["file_name"]), size, parts, [*labels.values()])


def _mask_of(segmentation: dict[str, Any] | Sequence[Sequence[float]], size: Size) -> BoolMask:
    if isinstance(segmentation, dict):
        return decode_coco(segmentation["counts"], size)
    mask = np.zeros(size, np.bool_)
    for polygon in segmentation:
        mask |= fill_rings([np.asarray(polygon, np.float64).reshape(-1, 2)], size)
    return mask
