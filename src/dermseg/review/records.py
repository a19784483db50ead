"""What the store knows of images and of the masks made for them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final, Literal, TypeAlias, get_args

from dermseg.types import Size

__all__ = [
    "ACTIONS",
    "STATES",
    "Action",
    "Draft",
    "Filters",
    "Image",
    "Order",
    "Reviewer",
    "Revision",
    "Role",
    "Source",
    "State",
]

State: TypeAlias = Literal["open", "accepted", "corrected", "rejected", "skipped"]
"""How far an image has come; ``accepted`` and ``corrected`` ones are exported."""

Action: TypeAlias = Literal["predict", "accept", "reject", "skip", "reopen", "comment", "restore"]
"""What made a revision."""

Source: TypeAlias = Literal["model", "corrected", "drawn"]
"""Who made a mask: a model, a person from a model's mask, or a person from nothing."""

Role: TypeAlias = Literal["reviewer", "owner"]
Order: TypeAlias = Literal["quality", "name", "latest"]

STATES: Final[tuple[State, ...]] = get_args(State)
ACTIONS: Final[tuple[Action, ...]] = get_args(Action)


@dataclass(frozen=True)
class Reviewer:
    """Who looks at an image.

    Attributes:
        name: The account's name.
        session: The browser, because one person may have two open.
        role: An owner may make accounts.
    """

    name: str
    session: str
    role: Role = "reviewer"


@dataclass(frozen=True)
class Image:
    """One photograph of a project.

    Attributes:
        id: Random, and the only name that the page knows it by.
        name: Its path below the project's folder.
        size: (height, width) as a viewer shows it; None before it was first read.
        state: How far it has come.
        revision: Number of its latest revision, 0 for none.
        expected_jaccard: Of the model's mask; None where it is not known.
        refusal: Why the model was not made for it.
        error: Why it cannot be read.
        attributes: The structures that the model found.
        leased_to: Who has it open now, or None.
    """

    id: str
    name: str
    size: Size | None
    state: State
    revision: int
    expected_jaccard: float | None
    refusal: str | None
    error: str | None
    attributes: tuple[str, ...]
    leased_to: str | None


@dataclass(frozen=True)
class Revision:
    """One step in an image's history; none is ever changed.

    Attributes:
        number: Counts from 1 in each image.
        created: Seconds since 1970.
        reviewer: Who made it; None for the model.
        action: What was done.
        state: The image's state from then on.
        mask: SHA-256 of the mask's file, or None where there is no mask.
        source: Who made the mask.
        model: The model that the mask began with.
        model_sha256: Of its network.
        comment: What the reviewer wrote.
    """

    number: int
    created: float
    reviewer: str | None
    action: Action
    state: State
    mask: str | None
    source: Source | None
    model: str | None
    model_sha256: str | None
    comment: str


@dataclass(frozen=True)
class Draft:
    """A mask that a reviewer has drawn and not decided on yet.

    Attributes:
        base: Number of the revision that was opened.
        updated: Seconds since 1970.
        png: The mask as the content of a PNG file.
    """

    base: int
    updated: float
    png: bytes


@dataclass(frozen=True)
class Filters:
    """Which images are wanted; None, or nothing, wants all.

    Attributes:
        states: Any of these.
        reviewer: Who made any of the revisions.
        not_reviewer: Who made none, for a second opinion.
        least_expected: Lowest expected Jaccard index.
        most_expected: Highest expected Jaccard index.
        attribute: A structure that the model found.
        text: A part of the name.
    """

    states: tuple[State, ...] = ()
    reviewer: str | None = None
    not_reviewer: str | None = None
    least_expected: float | None = None
    most_expected: float | None = None
    attribute: str | None = None
    text: str | None = None
