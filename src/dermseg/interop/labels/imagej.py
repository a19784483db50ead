"""ImageJ and Fiji: a ZIP of regions of interest for each image, as the ROI Manager opens it.

Every label is one composite ROI, whose paths run along pixel edges, holes by the even-odd rule. A
ROI does not say how large the image is; the ZIP's comment does in the files written here.
Coordinates in a ROI's frame have 16 bits: no image may have a side above 32,767 pixels.

References:
    https://imagej.net/ij/developer/source/ij/io/RoiDecoder.java.html; read and written by roifile.
"""

from __future__ import annotations

import io
import json
import zipfile
from collections.abc import Iterable, Iterator
from importlib.util import find_spec
from pathlib import PurePath
from typing import Any

import cv2
import numpy as np

from dermseg.errors import ImageError, MissingExtraError
from dermseg.interop.labels.annotated import LESION, AnnotatedImage, SizeLookup, as_size, label_of
from dermseg.interop.labels.polygons import fill_rings, trace_regions
from dermseg.types import BoolMask, Size

__all__ = ["decode", "encode"]

_MAX_SIDE = 32767
_MAX_BYTES = 1 << 27
_OPEN_TYPES = ("LINE", "FREELINE", "POLYLINE", "NOROI", "ANGLE", "POINT")
_MOVE, _LINE, _CLOSE = 0.0, 1.0, 4.0


def _roifile() -> Any:  # noqa: ANN401 -- a module
    if find_spec("roifile") is None:
        raise MissingExtraError("reading and writing ImageJ's regions", "labels")
    import roifile  # noqa: PLC0415 -- an optional extra

    return roifile


def encode(images: Iterable[AnnotatedImage]) -> Iterator[bytes]:
    """The file of one image.

    Raises:
        ImageError: If a side of the image is too long.
        MissingExtraError: If roifile is not installed.
    """
    for image in images:
        if max(image.size) > _MAX_SIDE:
            reason = f"ImageJ's regions hold no side above {_MAX_SIDE} pixels; choose --to geojson"
            raise ImageError(image.file_name, reason)
        buffer = io.BytesIO()
        with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
            for label, mask in image.masks.items():
                if mask.any():
                    # Not with today's date: equal masks give equal files.
                    archive.writestr(zipfile.ZipInfo(f"{label}.roi"), _encode_roi(label, mask))
            about = {
                "name": image.file_name,
                "height": image.size[0],
                "width": image.size[1],
                "labels": list(image.masks),
            }
            archive.comment = json.dumps(about).encode()
        yield buffer.getvalue()


def _encode_roi(label: str, mask: BoolMask) -> bytes:
    roifile = _roifile()
    left, top, width, height = cv2.boundingRect(mask.view(np.uint8))
    path: list[float] = []
    for region in trace_regions(mask):
        for ring in (region.outer, *region.holes):
            steps = [(_LINE, x, y) for x, y in ring.tolist()]
            path += [_MOVE, *steps[0][1:], *(value for step in steps[1:] for value in step), _CLOSE]
    roi = roifile.ImagejRoi(
        roitype=roifile.ROI_TYPE.RECT,
        name=label,
        left=left,
        top=top,
        right=left + width,
        bottom=top + height,
        shape_roi_size=len(path),
        multi_coordinates=np.array(path, np.float32),
    )
    content: bytes = roi.tobytes()
    return content


def decode(content: bytes, name: str, sizes: SizeLookup) -> Iterator[AnnotatedImage]:
    """The image of a ZIP or of a single ``.roi``; lines and points enclose nothing.

    The regions' names are their labels where a file was written by dermseg; in files of ImageJ,
    which names regions by their place, all of them are the lesion.
    """
    rois, about = [content], dict[str, Any]()
    if content[:2] == b"PK":
        with zipfile.ZipFile(io.BytesIO(content)) as archive:
            if sum(entry.file_size for entry in archive.infolist()) > _MAX_BYTES:
                raise ValueError("its regions are far too large")
            rois = [archive.read(entry) for entry in archive.infolist()]
            about = json.loads(archive.comment or b"{}")
    if about:
        file_name, size = str(about["name"]), as_size(about["height"], about["width"])
    else:
        file_name = PurePath(name).stem
        size = sizes(file_name)
    parts = (
        (label_of(roi.name) if about else LESION, _mask_of(roi, size))
        for roi in map(_roifile().ImagejRoi.frombytes, rois)
        if roi.roitype.name not in _OPEN_TYPES
    )
    yield AnnotatedImage.gather(file_name, size, parts, about.get("labels", ()))


def _mask_of(roi: Any, size: Size) -> BoolMask:  # noqa: ANN401 -- roifile's
    if roi.roitype.name != "OVAL":
        return fill_rings(roi.coordinates(multi=True), size)
    y, x = np.ogrid[: size[0], : size[1]]
    across = (2 * x + 1 - roi.left - roi.right) / max(roi.right - roi.left, 1)
    down = (2 * y + 1 - roi.top - roi.bottom) / max(roi.bottom - roi.top, 1)
    inside: BoolMask = across**2 + down**2 < 1
    return inside
