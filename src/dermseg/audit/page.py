"""An audit as one page for a browser: counts, places, and the pairs side by side."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any, Final

from dermseg.audit.auditing import Audit
from dermseg.audit.items import Item
from dermseg.audit.pairs import KINDS, ImagePair, Kind
from dermseg.audit.pictures import choose_pairs, draw_pictures
from dermseg.audit.report import summarise
from dermseg.pages.parts import embed_picture
from dermseg.pages.templating import render_page
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
    summary = summarise(audit)
    sections = [
        *([("leaks", "Leaks")] if summary["leaks"] else []),
        ("places", "Places"),
        *([("pairs", "Pairs")] if audit.pairs else []),
        *([("failures", "Unreadable files")] if audit.failures else []),
    ]
    context = {
        "sections": sections,
        "summary": summary,
        "kinds": [kind for kind in KINDS if any(pair.kind == kind for pair in audit.leaks)],
        "titles": _TITLES,
        "meanings": _MEANINGS,
        "groups": _groups(audit, shown),
        "num_pairs": len(audit.pairs),
        "num_shown": len(shown),
        "failures": audit.failures[:_NUM_FAILURES],
    }
    write_bytes_atomically(path, render_page("audit.html.j2", context).encode())


def _groups(audit: Audit, shown: Sequence[ImagePair]) -> list[dict[str, Any]]:
    """The pairs that are shown, leaks first, by kind."""
    groups = []
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
                group = {"anchor": anchor, "kind": kind, "leak": leak, "num": num}
                groups.append({**group, "cards": cards})
    return groups


def _card(audit: Audit, pair: ImagePair) -> dict[str, Any]:
    first, second = audit.items[pair.first], audit.items[pair.second]
    pictures = draw_pictures(audit, pair)
    return {
        "first": _describe(first, pictures.first),
        "second": _describe(second, pictures.second),
        "overlay": _embed(pictures.overlay),
        "score": None if pair.alignment is None else f"{pair.alignment.similarity:.2f}",
        "evidence": " + ".join(sorted(pair.evidence)),
        "transform": pair.transform(),
    }


def _describe(item: Item, picture: ImageArray | None) -> dict[str, Any]:
    folder = Path(item.place.folder).name or item.place.folder
    place = f"{folder} {item.place.part}".rstrip()
    return {"id": item.id, "file": item.path, "place": place, "picture": _embed(picture)}


def _embed(picture: ImageArray | None) -> str | None:
    return None if picture is None else embed_picture(picture)
