"""Parts of a page that need no template engine."""

from __future__ import annotations

import base64
from functools import cache
from importlib.resources import files
from typing import Final

from dermseg.images import encode_jpeg
from dermseg.types import ImageArray

__all__ = ["CONTENT_SECURITY_POLICY", "embed_picture", "stylesheet"]

CONTENT_SECURITY_POLICY: Final = "default-src 'none'; style-src 'unsafe-inline'; img-src data:"
"""Forbids a page to load anything, or to run anything."""


@cache
def stylesheet() -> str:
    """Return the style sheet of every page, to stand in its head."""
    return (files("dermseg.pages") / "templates" / "style.css").read_text("utf-8")


def embed_picture(picture: ImageArray, *, quality: int = 80) -> str:
    """Return a picture as a data URL, so that the page needs no other file.

    Args:
        picture: (H, W, 3) uint8 RGB, already of the size that is shown.
        quality: JPEG quality, 1 to 100.
    """
    content = base64.b64encode(encode_jpeg(picture, quality=quality)).decode()
    return f"data:image/jpeg;base64,{content}"
