"""CVAT for images 1.1: one XML file for all images, masks as run lengths in their boxes.

References:
    https://docs.cvat.ai/docs/manual/advanced/xml_format/
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from xml.etree import ElementTree as ET
from xml.sax.saxutils import quoteattr

import cv2
import numpy as np

from dermseg.interop.labels.annotated import AnnotatedImage, SizeLookup, as_size, label_of
from dermseg.interop.labels.polygons import fill_rings
from dermseg.interop.labels.run_lengths import decode_rows, encode_rows
from dermseg.types import BoolMask, Size

__all__ = ["decode", "encode"]


def encode(images: Iterable[AnnotatedImage]) -> Iterator[bytes]:
    """The file of all images; labels that were not found anywhere stand in ``meta`` at its end."""
    labels: dict[str, None] = {}
    yield b'<?xml version="1.0" encoding="utf-8"?>\n<annotations>\n<version>1.1</version>\n'
    for number, image in enumerate(images):
        height, width = image.size
        attributes = f'id="{number}" name={quoteattr(image.file_name)}'
        yield f'<image {attributes} width="{width}" height="{height}">\n'.encode()
        for label, mask in image.masks.items():
            labels[label] = None
            if mask.any():
                yield _mask_element(label, mask).encode()
        yield b"</image>\n"
    names = "".join(f"<label><name>{label}</name><type>mask</type></label>" for label in labels)
    yield f"<meta><task><labels>{names}</labels></task></meta>\n</annotations>\n".encode()


def _mask_element(label: str, mask: BoolMask) -> str:
    left, top, width, height = cv2.boundingRect(mask.view(np.uint8))
    runs = encode_rows(mask[top : top + height, left : left + width])
    rle = ", ".join(map(str, runs))
    place = f'left="{left}" top="{top}" width="{width}" height="{height}"'
    return (
        f'<mask label="{label}" source="auto" occluded="0" rle="{rle}" {place} z_order="0">'
        "</mask>\n"
    )


def decode(content: bytes, name: str, sizes: SizeLookup) -> Iterator[AnnotatedImage]:
    """Images of a file; masks, polygons and boxes are taken, lines and points are not.

    Every label of the task has a mask in each image, perhaps an empty one.
    """
    del name, sizes
    if b"<!DOCTYPE" in content or b"<!ENTITY" in content:
        raise ValueError("it declares entities, which annotations have no use for")
    root = ET.fromstring(content)  # noqa: S314 -- without entities there is nothing to expand
    labels = [label_of(element.text) for element in root.iterfind("meta//labels/label/name")]
    for image in root.iterfind("image"):
        size = as_size(image.attrib["height"], image.attrib["width"])
        parts = [
            (label_of(shape.attrib["label"]), _mask_of(shape, size))
            for shape in image
            if shape.tag in ("mask", "polygon", "box")
        ]
        yield AnnotatedImage.gather(image.attrib["name"], size, parts, labels)


def _mask_of(shape: ET.Element, size: Size) -> BoolMask:
    if shape.tag == "polygon":
        corners = (point.split(",") for point in shape.attrib["points"].split(";"))
        return fill_rings([[(float(x), float(y)) for x, y in corners]], size)
    if shape.tag == "box":
        left, top, right, bottom = (
            float(shape.attrib[key]) for key in ("xtl", "ytl", "xbr", "ybr")
        )
        return fill_rings([[(left, top), (right, top), (right, bottom), (left, bottom)]], size)
    left, top, width, height = (
        int(shape.attrib[key]) for key in ("left", "top", "width", "height")
    )
    if min(left, top) < 0 or left + width > size[1] or top + height > size[0]:
        raise ValueError("a mask reaches beyond the image")
    mask = np.zeros(size, np.bool_)
    runs = [int(run) for run in shape.attrib["rle"].split(",")]
    mask[top : top + height, left : left + width] = decode_rows(runs, (height, width))
    return mask
