"""An audit as one page for a browser: counts, places, and the pairs side by side."""

from __future__ import annotations

import base64
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Final

import cv2
import jinja2
import numpy as np

from dermseg import __version__
from dermseg.audit.auditing import Audit
from dermseg.audit.items import Item
from dermseg.audit.pairs import KINDS, ImagePair, Kind
from dermseg.audit.pictures import choose_pairs, draw_pictures
from dermseg.audit.report import summarise
from dermseg.storage import write_bytes_atomically
from dermseg.types import ImageArray

__all__ = ["write_page"]

_NUM_FAILURES = 200

_TITLES: Final[dict[Kind, str]] = {
    "same_bytes": "The same file",
    "same_pixels": "The same pixels in other files",
    "same_image": "The same picture",
    "same_lesion": "The same lesion",
    "same_id": "The same number",
}
_MEANINGS: Final[dict[Kind, str]] = {
    "same_bytes": "Byte by byte.",
    "same_pixels": "Other files that decode to the same image.",
    "same_image": (
        "Re-encoded, resized, turned, mirrored, cropped, in other light or colour, or a shot taken "
        "a moment later."
    ),
    "same_lesion": (
        "The dataset gives both one lesion (evidence: group), or they look like two photographs of "
        "one (evidence: pixels)."
    ),
    "same_id": (
        "One number of the ISIC archive or of PH2, though the pictures were not matched: look "
        "whether one of them is misnamed."
    ),
}


def write_page(path: Path, audit: Audit, *, max_pairs: int = 240) -> None:
    """Write a self-contained HTML page: no script, and nothing is loaded from elsewhere.

    Args:
        path: The file; its folder must exist.
        audit: What was found.
        max_pairs: How many pairs are shown at most, see `choose_pairs`; each takes about 20 kB.

    Raises:
        OutputError: If the file cannot be written.
    """
    shown = choose_pairs(audit, max_pairs)
    context = {
        "version": __version__,
        "summary": summarise(audit),
        "kinds": [kind for kind in KINDS if any(pair.kind == kind for pair in audit.leaks)],
        "titles": _TITLES,
        "meanings": _MEANINGS,
        "sections": _sections(audit, shown),
        "num_pairs": len(audit.pairs),
        "num_shown": len(shown),
        "failures": audit.failures[:_NUM_FAILURES],
    }
    text = _environment().get_template("report.html.j2").render(context)
    # File names may hold bytes that are no text, and so may ids.
    write_bytes_atomically(path, text.encode(errors="backslashreplace"))


def _environment() -> jinja2.Environment:
    return jinja2.Environment(
        loader=jinja2.PackageLoader("dermseg.audit"),
        autoescape=True,
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )


def _sections(audit: Audit, shown: Sequence[ImagePair]) -> list[dict[str, Any]]:
    """The pairs that are shown, leaks first, by kind."""
    sections = []
    for leak in (True, False):
        for kind in KINDS:
            num = sum(
                pair.kind == kind and pair.is_leak(audit.items) == leak for pair in audit.pairs
            )
            cards = [
                _card(audit, pair)
                for pair in shown
                if pair.kind == kind and pair.is_leak(audit.items) == leak
            ]
            if num:
                anchor = f"{'leak' if leak else 'within'}-{kind}"
                section = {"anchor": anchor, "kind": kind, "leak": leak, "num": num}
                sections.append({**section, "cards": cards})
    return sections


def _card(audit: Audit, pair: ImagePair) -> dict[str, Any]:
    first, second = audit.items[pair.first], audit.items[pair.second]
    pictures = draw_pictures(audit, pair)
    return {
        "first": _describe(first, pictures.first),
        "second": _describe(second, pictures.second),
        "overlay": _data_url(pictures.overlay),
        "score": None if pair.alignment is None else f"{pair.alignment.similarity:.2f}",
        "evidence": " + ".join(sorted(pair.evidence)),
        "transform": pair.transform(),
    }


def _describe(item: Item, picture: ImageArray | None) -> dict[str, Any]:
    folder = Path(item.place.folder).name or item.place.folder
    place = f"{folder} {item.place.part}".rstrip()
    return {"id": item.id, "file": item.path, "place": place, "picture": _data_url(picture)}


def _data_url(picture: ImageArray | None) -> str | None:
    if picture is None:
        return None
    turned_around = np.ascontiguousarray(picture[..., ::-1])
    _, encoded = cv2.imencode(".jpg", turned_around, [cv2.IMWRITE_JPEG_QUALITY, 80])
    return "data:image/jpeg;base64," + base64.b64encode(encoded.tobytes()).decode()
