"""Random changes of the training images, and their presets."""

from __future__ import annotations

from typing import Annotated, Any, Literal, Self, get_args

from pydantic import Field, NonNegativeFloat, PositiveInt, model_validator

from dermseg.recipes.tables import Share, Table

__all__ = ["PRESETS", "Augmentation", "Preset"]

Change = Annotated[float, Field(ge=0, lt=1)] | tuple[NonNegativeFloat, NonNegativeFloat]
"""Largest relative change to either side, or the range [low, high] of the factor."""

Preset = Literal["none", "flips", "standard", "dermoscopy", "strong"]

_FLIPS: dict[str, Any] = {"horizontal_flip": 0.5, "vertical_flip": 0.5}
_STANDARD: dict[str, Any] = _FLIPS | {
    "rotation_degrees": 180.0,
    "zoom": (0.75, 1.3),
    "stretch": 0.1,
    "shift": 0.1,
    "brightness": 0.25,
    "contrast": 0.25,
    "saturation": 0.25,
    "hue": 0.02,
    "temperature": 0.1,
}

_DERMOSCOPY: dict[str, Any] = _STANDARD | {
    "hairs": 0.2,
    "gel_bubbles": 0.1,
    "ruler": 0.1,
    "dark_corners": 0.15,
    # The light of lamps varies along one line of colours, so most of the change goes there.
    "temperature": 0.05,
    "color_temperature": 40.0,
    "blur": 0.15,
    "noise": 0.15,
    "jpeg": 0.2,
}

PRESETS: dict[str, dict[str, Any]] = {
    "none": {},
    "flips": _FLIPS,
    "standard": _STANDARD,
    "dermoscopy": _DERMOSCOPY,
    "strong": _DERMOSCOPY
    | {
        "zoom": (0.6, 1.5),
        "skin_tone": 1.2,
        "low_contrast": 0.15,
        "uneven_light": 0.25,
        "brightness": 0.3,
        "contrast": 0.4,
        "saturation": 0.4,
        "hue": 0.03,
        "temperature": 0.1,
        "color_temperature": 60.0,
        "gamma": 0.4,
    },
}
"""Values by preset; what is not named is off. ``standard`` is what unet-isic2017 uses."""


class Augmentation(Table):
    """Random changes of the training images; 0 (or [1, 1]) switches one off.

    Attributes:
        preset: Named values, a row of ``PRESETS``; keys that are given beside it override it.
        horizontal_flip: Probability.
        vertical_flip: Probability.
        rotation_degrees: Largest angle to either side.
        zoom: Range of the scale factor, drawn logarithmically.
        stretch: Largest relative change of the aspect.
        shift: Largest move as a share of the image's side.
        crop: Largest share of each side that a random crop cuts away, after all of the above; the
            rest is brought back to the network's size.
        window: (height, width) of a random window of the image, after all of the above, that is
            trained on instead of the whole; pixels keep their scale, and the model sees whole
            images. None shows the whole.
        skin_tone: Largest density of melanin that is added to the skin; 0.5 makes light skin tan,
            1 dark.
        hairs: Probability that hairs are drawn over the image.
        gel_bubbles: Probability that bubbles of the immersion gel are.
        ruler: Probability that ruler marks are.
        ink: Probability that marks of a surgeon's pen are.
        low_contrast: Probability that all colours are pulled towards the image's mean, as by haze.
        uneven_light: Probability that the light falls off to one side and towards the rim.
        dark_corners: Probability that the corners outside the field of view are darkened.
        brightness: Largest relative change; or [low, high], the range of the factor.
        contrast: The same.
        saturation: The same.
        hue: Largest turn of the hue circle, in turns.
        temperature: Largest relative gain of each colour channel, drawn for each alone: tints in
            every direction, as white balance and cameras make them.
        color_temperature: Largest change of the light's colour temperature, in mired (a million
            divided by kelvin): only between warm and cold, as lamps differ, at the same
            brightness. 40 goes from 6500 K to 5160 or 8790 K.
        gamma: Largest relative change of the power to which all values are raised, drawn
            logarithmically: 0.5 goes from 1 / 1.5 to 1.5.
        blur: Probability that the image is taken slightly out of focus.
        noise: Probability that the noise of a sensor is added.
        jpeg: Probability that the image is compressed as JPEG, with its artefacts.
    """

    preset: Preset = "none"
    horizontal_flip: Share = 0.0
    vertical_flip: Share = 0.0
    rotation_degrees: float = Field(default=0.0, ge=0, le=180)
    zoom: tuple[float, float] = (1.0, 1.0)
    stretch: float = Field(default=0.0, ge=0, lt=1)
    shift: float = Field(default=0.0, ge=0, lt=1)
    crop: float = Field(default=0.0, ge=0, lt=1)
    window: tuple[PositiveInt, PositiveInt] | None = None
    skin_tone: float = Field(default=0.0, ge=0, le=2.5)
    hairs: Share = 0.0
    gel_bubbles: Share = 0.0
    ruler: Share = 0.0
    ink: Share = 0.0
    low_contrast: Share = 0.0
    uneven_light: Share = 0.0
    dark_corners: Share = 0.0
    brightness: Change = 0.0
    contrast: Change = 0.0
    saturation: Change = 0.0
    hue: float = Field(default=0.0, ge=0, le=0.5)
    temperature: float = Field(default=0.0, ge=0, lt=1)
    color_temperature: float = Field(default=0.0, ge=0, le=90)
    gamma: float = Field(default=0.0, ge=0, lt=2)
    blur: Share = 0.0
    noise: Share = 0.0
    jpeg: Share = 0.0

    @model_validator(mode="before")
    @classmethod
    def _fill_in_preset(cls, values: Any) -> Any:  # noqa: ANN401 -- not yet validated
        # The values are written out, so that a saved recipe keeps its meaning when presets change.
        if isinstance(values, dict) and values.get("preset") in get_args(Preset):
            return PRESETS[values["preset"]] | values
        return values

    @model_validator(mode="after")
    def _ranges_are_in_order(self) -> Self:
        low, high = self.zoom
        if not 0 < low <= high:
            message = f"zoom is [{low}, {high}], expected 0 < low <= high"
            raise ValueError(message)
        for name in ("brightness", "contrast", "saturation"):
            change = getattr(self, name)
            if isinstance(change, tuple) and change[0] > change[1]:
                message = f"{name} is {list(change)}, expected low <= high"
                raise ValueError(message)
        return self
