"""labelme: a JSON file for each image, masks as small pictures inside it.

The image's flags say which labels were looked for and found. Polygons, rectangles and circles that
people drew are filled by the pixels' centres, see ``polygons``; labelme itself also takes the
pixels under the line.

References:
    https://github.com/wkentaro/labelme (``shape_type: mask`` since 5.3)
"""

from __future__ import annotations

import base64
import json
import math
from collections.abc import Iterable, Iterator
from typing import Any

import cv2
import numpy as np

from dermseg.images import encode_mask, read_mask_values
from dermseg.interop.labels.annotated import AnnotatedImage, SizeLookup, as_size, label_of
from dermseg.interop.labels.polygons import fill_rings
from dermseg.types import BoolMask, Size

__all__ = ["decode", "encode"]

_AREAS = frozenset({"mask", "polygon", "rectangle", "circle"})


def encode(images: Iterable[AnnotatedImage]) -> Iterator[bytes]:
    """The file of one image."""
    for image in images:
        document = {
            "version": "5.3.0",
            "flags": {label: bool(mask.any()) for label, mask in image.masks.items()},
            "shapes": [_shape(label, mask) for label, mask in image.masks.items() if mask.any()],
            "imagePath": image.file_name,
            "imageData": None,
            "imageHeight": image.size[0],
            "imageWidth": image.size[1],
        }
        yield json.dumps(document, indent=1).encode() + b"\n"


def _shape(label: str, mask: BoolMask) -> dict[str, Any]:
    x, y, width, height = (int(value) for value in cv2.boundingRect(mask.view(np.uint8)))
    cut = np.ascontiguousarray(mask[y : y + height, x : x + width])
    return {
        "label": label,
        "points": [[x, y], [x + width - 1, y + height - 1]],
        "group_id": None,
        "description": "",
        "shape_type": "mask",
        "flags": {},
        "mask": base64.b64encode(encode_mask(cut)).decode(),
    }


def decode(content: bytes, name: str, sizes: SizeLookup) -> Iterator[AnnotatedImage]:
    """The image of a labelme file; points and lines enclose nothing and are left out."""
    del name, sizes
    document = json.loads(content)
    size = as_size(document["imageHeight"], document["imageWidth"])
    parts = (
        (label_of(shape["label"]), _mask_of(shape, size))
        for shape in document["shapes"]
        if shape.get("shape_type", "polygon") in _AREAS
    )
    labels = [label_of(label) for label in document.get("flags") or ()]
    yield AnnotatedImage.gather(str(document["imagePath"]), size, parts, labels)


def _mask_of(shape: dict[str, Any], size: Size) -> BoolMask:
    kind, points = shape.get("shape_type", "polygon"), shape["points"]
    if kind == "mask":
        # labelme writes 0 and 1 or 0 and 255; a cut without background is all set.
        cut = read_mask_values(base64.b64decode(shape["mask"], validate=True)) > 0
        return _placed(cut, points, size)
    if kind == "rectangle":
        (left, top), (right, bottom) = points
        points = [(left, top), (right, top), (right, bottom), (left, bottom)]
    elif kind == "circle":
        (x, y), (x_border, y_border) = points
        distance_x, distance_y = np.ogrid[: size[0], : size[1]][::-1]
        radius = math.hypot(x_border - x, y_border - y)
        inside: BoolMask = np.hypot(distance_x + 0.5 - x, distance_y + 0.5 - y) < radius
        return inside
    return fill_rings([points], size)


def _placed(cut: BoolMask, points: list[list[float]], size: Size) -> BoolMask:
    left, top = (int(value) for value in points[0])
    mask = np.zeros(size, np.bool_)
    place = mask[top : top + cut.shape[0], left : left + cut.shape[1]]
    if min(left, top) < 0 or place.shape != cut.shape:
        raise ValueError("a mask reaches beyond the image")
    place[:] = cut
    return mask
