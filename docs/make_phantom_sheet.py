"""Write docs/phantom.jpg: what generated images look like, and what can be chosen."""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np

from dermseg.images import write_image
from dermseg.phantom import ARTEFACTS, Phantom, PhantomOptions, create_phantom
from dermseg.types import ImageArray

_SIZE = (192, 256)
_COLUMNS = 6
_BAR = 22  # height of a caption


def main() -> None:
    """Put captioned phantoms side by side and write them beside this script."""
    tiles = [
        _captioned(create_phantom(seed, size=_SIZE).image, f"seed {seed}") for seed in range(18)
    ]
    for ita in (-30, -10, 10, 28, 41, 60):
        options = PhantomOptions(ita_degrees=ita, contrast=0.4, artefacts={})
        tiles.append(_captioned(_phantom(options, seed=28).image, f"skin tone {ita} degrees ITA"))
    for contrast in (0.1, 0.6):
        options = PhantomOptions(ita_degrees=55, contrast=contrast, artefacts={})
        tiles.append(_captioned(_phantom(options).image, f"contrast {contrast}"))
    bare = _phantom(PhantomOptions(ita_degrees=55, contrast=0.4, artefacts={}))
    tiles.append(_captioned(_outlined(bare), "the exact mask"))
    for name in ARTEFACTS:
        options = PhantomOptions(ita_degrees=55, contrast=0.4, artefacts={name: 0.6})
        tiles.append(_captioned(_phantom(options).image, f"{name} 0.6"))
    blank = np.full_like(tiles[0], 255)
    tiles += [blank] * (-len(tiles) % _COLUMNS)
    rows = [np.hstack(tiles[start : start + _COLUMNS]) for start in range(0, len(tiles), _COLUMNS)]
    write_image(Path(__file__).with_name("phantom.jpg"), np.vstack(rows), quality=85)


def _phantom(options: PhantomOptions, *, seed: int = 44) -> Phantom:
    return create_phantom(seed, size=_SIZE, options=options)


def _outlined(phantom: Phantom) -> ImageArray:
    image = phantom.image.copy()
    y, x = phantom.lesion.border.T
    image[y, x] = (0, 255, 160)
    return image


def _captioned(image: ImageArray, text: str) -> ImageArray:
    bar = np.full((_BAR, image.shape[1], 3), 255, np.uint8)
    cv2.putText(bar, text, (6, 16), cv2.FONT_HERSHEY_SIMPLEX, 0.45, (40, 40, 40), 1, cv2.LINE_AA)
    return np.vstack([image, bar])


if __name__ == "__main__":
    main()
