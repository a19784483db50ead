"""Parts of a page that need no template engine."""

from __future__ import annotations

import base64
from functools import cache
from importlib.resources import files
from typing import Final

from dermseg.images import encode_jpeg
from dermseg.types import ImageArray

__all__ = ["CONTENT_SECURITY_POLICY", "embed_picture", "standalone_chart", "stylesheet"]

CONTENT_SECURITY_POLICY: Final = "default-src 'none'; style-src 'unsafe-inline'; img-src data:"
"""Forbids a page to load anything, or to run anything."""

_FILE_STYLE: Final = "svg { font-family: system-ui, sans-serif; } .ground { fill: var(--card); }"


@cache
def stylesheet() -> str:
    """Return the style sheet of every page, to stand in its head."""
    return "".join(map(_read, ("colors.css", "style.css", "charts.css")))


def standalone_chart(chart: str) -> str:
    """Return a chart of `dermseg.pages.charts` as an SVG file that brings its style.

    Args:
        chart: The element ``svg`` as it stands in a page.
    """
    style = f"<style>{_read('colors.css')}{_read('charts.css')}{_FILE_STYLE}</style>"
    ground = '<rect class="ground" width="100%" height="100%"/>'
    start, rest = chart.split(">", maxsplit=1)
    return f'{start} xmlns="http://www.w3.org/2000/svg">{style}{ground}{rest}\n'


def embed_picture(picture: ImageArray, *, quality: int = 80) -> str:
    """Return a picture as a data URL, so that the page needs no other file.

    Args:
        picture: (H, W, 3) uint8 RGB, already of the size that is shown.
        quality: JPEG quality, 1 to 100.
    """
    content = base64.b64encode(encode_jpeg(picture, quality=quality)).decode()
    return f"data:image/jpeg;base64,{content}"


def _read(name: str) -> str:
    return (files("dermseg.pages") / "templates" / name).read_text("utf-8")
