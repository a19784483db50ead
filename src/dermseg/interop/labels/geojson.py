"""GeoJSON as QuPath reads and writes it: a file for each image, polygons with holes.

QuPath's coordinates are pixels, whole numbers at their corners. GeoJSON does not say how large the
image is; a member ``image``, which QuPath skips, does in the files written here.

References:
    RFC 7946; https://qupath.readthedocs.io/en/stable/docs/advanced/exporting_annotations.html
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from pathlib import PurePath
from typing import Any

from dermseg.interop.labels.annotated import (
    LESION,
    AnnotatedImage,
    SizeLookup,
    as_size,
    label_of,
)
from dermseg.interop.labels.polygons import Ring, fill_rings, trace_regions
from dermseg.types import BoolMask, Size

__all__ = ["decode", "encode"]


def encode(images: Iterable[AnnotatedImage]) -> Iterator[bytes]:
    """The file of one image, a feature for each mask."""
    for image in images:
        document = {
            "type": "FeatureCollection",
            "features": [_feature(label, mask) for label, mask in image.masks.items()],
            "image": {
                "name": image.file_name,
                "height": image.size[0],
                "width": image.size[1],
                "labels": list(image.masks),
            },
        }
        document["features"] = [feature for feature in document["features"] if feature]
        yield json.dumps(document).encode() + b"\n"


def _feature(label: str, mask: BoolMask) -> dict[str, Any] | None:
    polygons = [
        [_closed(ring) for ring in (region.outer, *region.holes)] for region in trace_regions(mask)
    ]
    if not polygons:
        return None
    return {
        "type": "Feature",
        "geometry": {"type": "MultiPolygon", "coordinates": polygons},
        "properties": {"objectType": "annotation", "classification": {"name": label}},
    }


def _closed(ring: Ring) -> list[list[int]]:
    corners = ring.astype(int).tolist()
    return [*corners, corners[0]]


def decode(content: bytes, name: str, sizes: SizeLookup) -> Iterator[AnnotatedImage]:
    """The image of a file; unclassified annotations are the lesion, lines and points left out."""
    document = json.loads(content)
    features = document if isinstance(document, list) else document["features"]
    image = {} if isinstance(document, list) else document.get("image") or {}
    if image:
        file_name, size = str(image["name"]), as_size(image["height"], image["width"])
    else:
        file_name = PurePath(name).stem
        size = sizes(file_name)
    parts = (
        (_label(feature.get("properties") or {}), mask)
        for feature in features
        for mask in _masks_of(feature["geometry"], size)
    )
    labels = [label_of(label) for label in image.get("labels") or ()]
    yield AnnotatedImage.gather(file_name, size, parts, labels)


def _label(properties: dict[str, Any]) -> str:
    classification = properties.get("classification") or {}
    return label_of(classification.get("name") or LESION)


def _masks_of(geometry: dict[str, Any], size: Size) -> Iterator[BoolMask]:
    if geometry["type"] == "GeometryCollection":
        for part in geometry["geometries"]:
            yield from _masks_of(part, size)
    elif geometry["type"] == "Polygon":
        yield fill_rings(geometry["coordinates"], size)
    elif geometry["type"] == "MultiPolygon":
        # Polygons of one do not overlap, so that all rings can be filled at once.
        yield fill_rings((ring for rings in geometry["coordinates"] for ring in rings), size)
