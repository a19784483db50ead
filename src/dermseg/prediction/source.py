"""What a model can be given to look at."""

from __future__ import annotations

import os
from typing import TypeAlias

from dermseg.types import ImageArray

__all__ = ["Source"]

Source: TypeAlias = str | os.PathLike[str] | bytes | ImageArray
"""An image file's path or bytes, or an array (H, W, 3) uint8 RGB."""
