"""Collect real pictures that are no dermoscopic photographs, to see which of them a model refuses.

    apt-get download gcompris-qt-data gnome-backgrounds gnome-control-center-data mate-backgrounds
    for package in *.deb; do dpkg-deb -x "$package" unpacked; done
    python benchmarks/collect_pictures.py unpacked -o PICTURES

Any folder will do. JPEG, PNG and WebP pictures are also found inside other files, such as the
archives of games. What is small, nearly of one colour or looks like one before is left out. OUT
gets JPEG files whose longer side is 640 pixels at most, named after the file that they come from.
"""

from __future__ import annotations

import argparse
import io
import re
import sys
from collections.abc import Iterator
from pathlib import Path

import cv2
import numpy as np
from PIL import Image, ImageOps, UnidentifiedImageError

_STARTS = re.compile(rb"\xff\xd8\xff|\x89PNG\r\n\x1a\n|RIFF....WEBP", re.DOTALL)
_LARGEST = 8_000_000
_LEAST_SIDE, _LARGEST_SIDE = 150, 640
_LEAST_SPREAD = 5


def main() -> int:
    """Write what is found, and print how many pictures that are."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("folder", type=Path)
    parser.add_argument("--skip", default="$^", help="a pattern of files' names to leave out")
    parser.add_argument("-o", "--output", type=Path, required=True)
    options = parser.parse_args()
    options.output.mkdir(parents=True, exist_ok=True)
    seen: set[bytes] = set()
    for path in sorted(options.folder.rglob("*")):
        if path.is_symlink() or not path.is_file() or re.search(options.skip, path.name):
            continue
        for start, picture in find_pictures(path.read_bytes()):
            look = fingerprint(picture)
            if look not in seen:
                seen.add(look)
                picture.save(options.output / f"{path.stem}-{start}.jpg", quality=92)
    print(f"{options.output}: {len(seen)} pictures")
    return 0


def find_pictures(content: bytes) -> Iterator[tuple[int, Image.Image]]:
    """Pictures in a file, or that are the file, in RGB, with the places where they start."""
    for found in _STARTS.finditer(content):
        piece = content[found.start() : found.start() + _LARGEST]
        try:
            with Image.open(io.BytesIO(piece)) as opened:
                picture = flatten(ImageOps.exif_transpose(opened))
        except (UnidentifiedImageError, OSError, ValueError, SyntaxError):
            continue
        if min(picture.size) >= _LEAST_SIDE and np.asarray(picture).std() >= _LEAST_SPREAD:
            picture.thumbnail((_LARGEST_SIDE, _LARGEST_SIDE))
            yield found.start(), picture


def flatten(picture: Image.Image) -> Image.Image:
    """The picture on white, where it is transparent."""
    if picture.mode not in {"RGBA", "LA", "PA", "P"}:
        return picture.convert("RGB")
    layer = picture.convert("RGBA")
    return Image.alpha_composite(Image.new("RGBA", layer.size, "white"), layer).convert("RGB")


def fingerprint(picture: Image.Image) -> bytes:
    """Which of 8 by 8 blocks are lighter than the mean."""
    grey = cv2.cvtColor(np.asarray(picture), cv2.COLOR_RGB2GRAY)
    blocks = cv2.resize(grey, (8, 8), interpolation=cv2.INTER_AREA)
    return np.packbits(blocks > blocks.mean()).tobytes()


if __name__ == "__main__":
    sys.exit(main())
