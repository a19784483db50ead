"""What requests and answers hold, for the description of the API (OpenAPI)."""

from __future__ import annotations

from pydantic import BaseModel, Field

from dermseg.review import Action, Role, State

__all__ = [
    "Account",
    "Agreement",
    "Decision",
    "Detail",
    "Difference",
    "DraftOut",
    "Found",
    "ImageOut",
    "Map",
    "Measured",
    "Next",
    "Overview",
    "Page",
    "Pair",
    "Prediction",
    "Restored",
    "RevisionOut",
    "Session",
]


class Session(BaseModel):
    """Who is logged in, and what the server has."""

    reviewer: str
    role: str
    csrf: str
    version: str
    model: str | None
    threshold: float | None
    review_below: float | None
    project: str | None


class Found(BaseModel):
    """A structure inside the lesion; ``runs`` as in ``Prediction``."""

    name: str
    presence: float
    runs: str | None = None


class Map(BaseModel):
    """Probabilities of the lesion at the network's size: 0 to 255 along the rows, as Base64."""

    height: int
    width: int
    values: str
    box: list[int] | None


class Measured(BaseModel):
    """Size and shape of a mask, in pixels; what an empty mask does not have is null."""

    width: int
    height: int
    area_pixels: int
    area_share: float
    box_x: int | None
    box_y: int | None
    box_width: int | None
    box_height: int | None
    centroid_x: float | None
    centroid_y: float | None
    perimeter: float
    longest_diameter: float
    circularity: float | None
    asymmetry: float | None
    mean_probability: float | None
    num_regions: int


class Prediction(Measured):
    """What the model says about an image.

    ``runs`` are those of the mask: for each its first pixel and the first after it, counted along
    the rows, as 32-bit unsigned numbers, lowest byte first, in Base64.
    """

    expected_jaccard: float | None
    review: bool | None
    refusal: str | None
    threshold: float
    seconds: float
    attributes: list[Found]
    runs: str | None = None
    map: Map | None = None


class ImageOut(BaseModel):
    """One photograph of the project."""

    id: str
    name: str
    size: tuple[int, int] | None = Field(description="(height, width)")
    state: State
    revision: int
    expected_jaccard: float | None
    refusal: str | None
    error: str | None
    attributes: tuple[str, ...]
    leased_to: str | None


class RevisionOut(BaseModel):
    """One step in a photograph's history."""

    number: int
    created: float
    reviewer: str | None
    action: Action
    state: State
    source: str | None
    model: str | None
    comment: str
    has_mask: bool


class DraftOut(BaseModel):
    """A mask that was drawn and not decided on."""

    base: int
    updated: float


class Detail(ImageOut):
    """A photograph with its history, and the draft of who asks."""

    revisions: list[RevisionOut]
    draft: DraftOut | None


class Page(BaseModel):
    """Some of the photographs that were asked for, and how many there are."""

    images: list[ImageOut]
    total: int


class Overview(BaseModel):
    """How far the project has come, and what can be filtered by."""

    name: str
    progress: dict[State, int]
    reviewers: list[str]
    attributes: list[str]


class Decision(BaseModel):
    """What a reviewer decided."""

    action: Action
    comment: str = Field("", max_length=2000)


class Restored(BaseModel):
    """Which revision is to be in force again."""

    number: int


class Next(BaseModel):
    """Id of an image that is not wanted now."""

    skip: str | None = None


class Pair(BaseModel):
    """Two reviewers: mean Dice over the images that both have masked, with its 95 % interval."""

    reviewers: tuple[str, str]
    num_images: int
    dice: float
    low: float | None
    high: float | None


class Difference(BaseModel):
    """Two masks of one image."""

    image_id: str
    name: str
    reviewers: tuple[str, str]
    dice: float


class Agreement(BaseModel):
    """How far reviewers agree; the images that they agree on least come first."""

    pairs: list[Pair]
    images: list[Difference]


class Account(BaseModel):
    """A reviewer who may log in."""

    name: str = Field(max_length=64)
    password: str = Field(max_length=200)
    role: Role = "reviewer"
