"""A contact sheet: all images of a run on one page, those first that somebody should look at.

The page is filled without a template engine, so that predicting needs none: it has one kind of
part, repeated for each image, and everything that enters it is escaped here.
"""

from __future__ import annotations

import base64
import heapq
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from html import escape
from importlib.resources import files
from itertools import count
from pathlib import PurePath
from string import Template
from typing import Any, Final, Literal
from urllib.parse import quote

from dermseg import __version__
from dermseg.errors import ImageError
from dermseg.images import encode_jpeg, read_image
from dermseg.pages.parts import CONTENT_SECURITY_POLICY, stylesheet
from dermseg.prediction.naming import MASK_ENDING, OVERLAY_ENDING
from dermseg.prediction.overlay import draw_contour
from dermseg.prediction.prediction import Prediction
from dermseg.prediction.quality import REFUSALS
from dermseg.preprocessing import limited_size, resize_image
from dermseg.storage import Sink, StoredFile
from dermseg.types import ImageArray

__all__ = ["ContactSheet", "draw_thumbnail"]

_SIDE: Final = 280
_QUALITIES: Final = (78, 60, 40, 20)
_MAX_BYTES: Final = 30_000  # 40,000 as base64
_MOST_SHOWN: Final = 3000

_State = Literal["failed", "refused", "review", "sure"]
_ORDER: Final[tuple[_State, ...]] = ("failed", "refused", "review", "sure")
_FILTERS: Final[dict[_State, str]] = {
    "review": "to review",
    "refused": "refused",
    "failed": "not read",
}


def draw_thumbnail(prediction: Prediction) -> bytes:
    """Draw a small JPEG of at most 30 kB, with the lesion's outline if there is a mask."""
    if prediction.is_usable:
        return _encode(draw_contour(prediction.image, prediction.mask, max_side=_SIDE))
    return _encode(_reduced(prediction.image))


@dataclass(frozen=True)
class _Shot:
    """An image on the sheet: its row of the table and its thumbnail, empty without a picture."""

    row: Mapping[str, Any]
    state: _State
    thumbnail: bytes


class ContactSheet:
    """Collects the images of a run, and keeps those of which the model is least sure.

    What is held is bounded: the rows and thumbnails of `most` images, about 10 kB each.

    Args:
        sink: Where the run's files are, and the page will be.
        model: Name of the model.
        overlays: Whether the run writes overlays, which the pictures then lead to.
        most: Images on the page.
    """

    def __init__(self, sink: Sink, model: str, *, overlays: bool, most: int = _MOST_SHOWN) -> None:
        self._sink = sink
        self._model = model
        self._overlays = overlays
        self._most = most
        self._numbers: Counter[_State] = Counter()
        self._order = count()
        # The least doubtful first, which is the one to leave.
        self._kept: list[tuple[tuple[int, float, int], _Shot]] = []

    def add(self, row: Mapping[str, Any], thumbnail: bytes = b"") -> None:
        """Add an image.

        Args:
            row: Its row of the table, as written or as read.
            thumbnail: As `draw_thumbnail` made it; without it, the overlay in the sink is looked
                for.
        """
        state = _state_of(row)
        self._numbers[state] += 1
        doubt = (-_ORDER.index(state), -_expected(row), -next(self._order))
        entry = (doubt, _Shot(row, state, thumbnail))
        if len(self._kept) < self._most:
            heapq.heappush(self._kept, entry)
        else:
            heapq.heappushpop(self._kept, entry)

    def render(self) -> Iterator[bytes]:
        """The page in parts, so that it need not be held at once."""
        num = self._numbers.total()
        numbers = {words: self._numbers[state] for state, words in _FILTERS.items()}
        words = [f"{number:,} {words}" for words, number in numbers.items() if number]
        template = (files("dermseg.pages") / "templates" / "contact_sheet.html").read_text("utf-8")
        title = f"{num:,} image{'' if num == 1 else 's'}"
        note = "The least certain come first; a picture leads to its overlay."
        if not self._overlays:
            note = "The least certain come first."
        if num > len(self._kept):
            note += f" The first {len(self._kept):,} are shown, predictions.csv lists all."
        page = Template(template).substitute(
            content_security_policy=CONTENT_SECURITY_POLICY,
            version=__version__,
            stylesheet=stylesheet(),
            title=title,
            lead=f"{', '.join(words)}." if words else "None is flagged for review.",
            filters=self._filters(),
            note=note,
            model=escape(self._model),
            cards="\0",
        )
        start, end = page.split("\0")
        yield start.encode()
        kept = [shot for _, shot in sorted(self._kept, key=lambda entry: entry[0], reverse=True)]
        # There is nothing to see of a file that is not read.
        for shot in sorted(kept, key=lambda shot: shot.state == "failed"):
            # File names may hold bytes that are no text.
            yield self._card(shot).encode(errors="backslashreplace")
        yield end.encode()

    def _filters(self) -> str:
        """Buttons that leave only some of the images, without a script."""
        shown = [state for state in _FILTERS if self._numbers[state]]
        if not shown:
            return ""
        parts = [_filter("all", "all", self._numbers.total(), checked=True)]
        parts += [
            _filter(f"only-{state}", _FILTERS[state], self._numbers[state]) for state in shown
        ]
        return "".join(parts)

    def _card(self, shot: _Shot) -> str:
        path = str(shot.row["file"])
        link = self._link(shot)
        thumbnail = shot.thumbnail or self._read_overlay(link)
        picture = '<div class="missing">no picture</div>'
        if thumbnail:
            content = base64.b64encode(thumbnail).decode()
            picture = (
                f'<img loading="lazy" decoding="async" alt="" '
                f'src="data:image/jpeg;base64,{content}">'
            )
        if link:
            picture = f'<a href="{escape(quote(link, errors="surrogateescape"))}">{picture}</a>'
        flag = "" if shot.state == "sure" else f'<span class="flag bad">{_FLAGS[shot.state]}</span>'
        return (
            f'<li class="card shot {shot.state}">{picture}<div>'
            f'<b title="{escape(path)}">{escape(PurePath(path).name)}</b>'
            f"{flag}<p>{escape(_facts(shot.row))}</p></div></li>\n"
        )

    def _link(self, shot: _Shot) -> str:
        mask = str(shot.row.get("mask") or "")
        if not self._overlays or not mask.endswith(MASK_ENDING):
            return ""
        return mask.removesuffix(MASK_ENDING) + OVERLAY_ENDING

    def _read_overlay(self, link: str) -> bytes:
        """A thumbnail of the overlay that an earlier run wrote."""
        if not link:
            return b""
        try:
            return _encode(_reduced(read_image(StoredFile(self._sink, link).read_bytes())))
        except (OSError, ImageError):
            return b""


_FLAGS: Final[dict[_State, str]] = {"failed": "not read", "refused": "refused", "review": "review"}


def _filter(id: str, words: str, number: int, *, checked: bool = False) -> str:
    mark = " checked" * checked
    return (
        f'<input type="radio" name="only" id="{id}"{mark}>'
        f'<label for="{id}">{number:,} {words}</label>'
    )


def _state_of(row: Mapping[str, Any]) -> _State:
    if error := row.get("error"):
        return "refused" if error in REFUSALS else "failed"
    return "review" if str(row.get("review")) == "1" else "sure"


def _expected(row: Mapping[str, Any]) -> float:
    """The Jaccard index that is expected of the mask, as the order wants it; 1 if unknown."""
    value = row.get("expected_jaccard")
    return 1.0 if value in (None, "") else float(value)


def _facts(row: Mapping[str, Any]) -> str:
    if row.get("error"):
        return str(row["error"])
    facts = []
    if row.get("expected_jaccard") not in (None, ""):
        facts.append(f"expected Jaccard {float(row['expected_jaccard']):.2f}")
    facts.append(f"{100 * float(row['area_share']):.1f} % of the image")
    if row.get("longest_diameter_mm") not in (None, ""):
        facts.append(f"{float(row['longest_diameter_mm']):.1f} mm long")
    else:
        facts.append(f"{float(row['longest_diameter']):.0f} pixels long")
    return " · ".join(facts)


def _reduced(image: ImageArray) -> ImageArray:
    size = limited_size((image.shape[0], image.shape[1]), _SIDE)
    return image if image.shape[:2] == size else resize_image(image, size)


def _encode(picture: ImageArray) -> bytes:
    contents = (encode_jpeg(picture, quality=quality) for quality in _QUALITIES)
    return next((content for content in contents if len(content) <= _MAX_BYTES), b"")
