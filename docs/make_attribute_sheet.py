"""Write docs/phantom_attributes.jpg: the five structures, their masks and what looks like them."""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np

from dermseg.images import write_image
from dermseg.phantom import PhantomOptions
from dermseg.phantom.attributes import (
    ATTRIBUTES,
    TRAINING_FREQUENCIES,
    AttributeOptions,
    AttributePhantom,
    create_attribute_phantom,
)
from dermseg.types import ImageArray

_SIZE = (208, 264)
_BAR = 22  # height of a caption
_COLORS = {
    "globules": (0, 90, 255),
    "milia_like_cyst": (255, 240, 0),
    "negative_network": (255, 0, 200),
    "pigment_network": (0, 235, 90),
    "streaks": (0, 220, 255),
}
# Lesions on which each structure is drawn: seed, share of the image, contrast.
_LESIONS = ((12, 0.3, 0.3), (10, 0.4, 0.4), (7, 0.45, 0.3))
_MIXED = (3, 14, 20, 21, 25, 27, 31, 36, 38, 41, 44, 48)


def main() -> None:
    """Put phantoms beside the same phantoms with outlined masks, and write them."""
    rows = [_legend(6 * _SIZE[1])]
    for name in ATTRIBUTES:
        tiles = []
        for seed, area_share, contrast in _LESIONS:
            options = PhantomOptions(
                ita_degrees=58, contrast=contrast, area_share=area_share, artefacts={}
            )
            phantom = create_attribute_phantom(
                seed,
                size=_SIZE,
                options=options,
                attributes=AttributeOptions({name: 1.0}, distractors=0.0),
            )
            tiles += [phantom.image, _outlined(phantom)]
        rows.append(_captioned(np.hstack(tiles), _words(name)))
    attributes = AttributeOptions(TRAINING_FREQUENCIES)
    phantoms = [
        create_attribute_phantom(
            seed, size=_SIZE, options=PhantomOptions(area_share=0.35), attributes=attributes
        )
        for seed in _MIXED
    ]
    for start in range(0, len(phantoms), 3):
        tiles = []
        for phantom in phantoms[start : start + 3]:
            tiles += [phantom.image, _outlined(phantom)]
        rows.append(_captioned(np.hstack(tiles), "as drawn for training, look-alikes included"))
    write_image(Path(__file__).with_name("phantom_attributes.jpg"), np.vstack(rows), quality=70)


def _outlined(phantom: AttributePhantom) -> ImageArray:
    image = phantom.image.copy()
    for name, mask in phantom.masks.items():
        outlines, _ = cv2.findContours(mask.astype(np.uint8), cv2.RETR_CCOMP, cv2.CHAIN_APPROX_NONE)
        cv2.drawContours(image, outlines, -1, _COLORS[name], 1)
    return image


def _legend(width: int) -> ImageArray:
    bar = np.full((_BAR, width, 3), 40, np.uint8)
    for place, (name, color) in enumerate(_COLORS.items()):
        left = 8 + place * width // len(_COLORS)
        cv2.rectangle(bar, (left, 6), (left + 12, 16), color, cv2.FILLED)
        _write(bar, _words(name), left + 20, (255, 255, 255))
    return bar


def _words(name: str) -> str:
    return {"milia_like_cyst": "milia-like cysts"}.get(name, name.replace("_", " "))


def _captioned(image: ImageArray, text: str) -> ImageArray:
    bar = np.full((_BAR, image.shape[1], 3), 255, np.uint8)
    _write(bar, text, 6, (40, 40, 40))
    return np.vstack([image, bar])


def _write(bar: ImageArray, text: str, left: int, color: tuple[int, int, int]) -> None:
    cv2.putText(bar, text, (left, 16), cv2.FONT_HERSHEY_SIMPLEX, 0.45, color, 1, cv2.LINE_AA)


if __name__ == "__main__":
    main()
