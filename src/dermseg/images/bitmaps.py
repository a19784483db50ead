"""BMP files with small grey palettes, which Pillow misreads."""

from __future__ import annotations

import struct

from PIL import ImagePalette
from PIL.BmpImagePlugin import BmpImageFile

__all__ = ["BitmapFile"]

_RAW_MODES = {1: "P;1", 4: "P;4", 8: "P"}


class BitmapFile(BmpImageFile):
    """BMP as Pillow reads it, with its palette kept where that is needed.

    Pillow drops a palette of black and white, and then takes every bit for a pixel; but files
    with 8 bits per pixel have such palettes too, masks above all. Likewise it takes every byte
    for a pixel where a ramp of greys was dropped, even if there are 4 bits per pixel.
    """

    def _open(self) -> None:
        super()._open()
        if self.fp is None or self.mode not in ("1", "L"):
            return
        self.fp.seek(14)
        header = self.fp.read(16)
        # The header of OS/2 has 12 bytes, with shorter fields before this one.
        (num_bits,) = struct.unpack_from("<H", header, 10 if header[0] == 12 else 14)
        if num_bits == (1 if self.mode == "1" else 8):
            return
        greys = (0, 255) if self.mode == "1" else range(256)
        self._mode = "P"
        self.palette = ImagePalette.raw("RGB", bytes(grey for grey in greys for _ in "RGB"))
        raw_mode = _RAW_MODES[num_bits]
        self.tile = [
            tile._replace(args=(raw_mode, *tile.args[1:]))
            for tile in self.tile
            if isinstance(tile.args, tuple)
        ]
