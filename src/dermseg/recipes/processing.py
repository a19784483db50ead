"""Preprocessing of images and postprocessing of probabilities."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field, PositiveInt

from dermseg.recipes.tables import Share, Table

__all__ = ["Cleaning", "LesionCrop", "PositiveSize", "Postprocessing", "Preprocessing"]

PositiveSize = tuple[PositiveInt, PositiveInt]
"""(height, width) in pixels."""


class Cleaning(Table):
    """Artefacts removed from every image before training or prediction.

    Everything is off by default; the steps run in the order in which they stand here.

    Attributes:
        crop_field: Cut the image to the bounding box of the dermatoscope's field of view.
        fill_background: Paint what is dark outside the field in the colour of the field's rim.
        remove_hair: Find dark hairs and ruler lines by a black-hat and paint them over.
        color_constancy: Take out the light's colour by shades of grey.
    """

    crop_field: bool = False
    fill_background: bool = False
    remove_hair: bool = False
    color_constancy: bool = False


class Preprocessing(Cleaning):
    """Preprocessing of every image, in training and in prediction.

    Attributes:
        size: (height, width) that the network sees.
        normalization: ``train`` fits mean and standard deviation on the training images;
            ``unit`` divides by 255 only; ``imagenet`` takes what the network's pre-trained
            weights expect.
    """

    size: PositiveSize
    normalization: Literal["train", "unit", "imagenet"] = "train"

    @property
    def cleaning(self) -> Cleaning:
        """The steps alone, as a model package keeps them."""
        return Cleaning(**self.model_dump(include=set(Cleaning.model_fields)))


class LesionCrop(Table):
    """Cut every image to its lesion before it is resized to the network's size.

    In training the lesion is the true mask; in prediction it is what a lesion model finds. Where
    there is no lesion, the whole image is taken.

    Attributes:
        model: The lesion model that prediction runs first: a shipped one's name, or a folder.
        margin: What is kept around the lesion's bounding box on each side, as a share of the
            box's own side; it ends at the image's edge.
        inside_only: Nothing is learned from the pixels outside the lesion, and none of them is
            ever in a mask.
    """

    model: str = "fast"
    margin: float = Field(default=0.1, ge=0, le=1)
    inside_only: bool = False


class Postprocessing(Table):
    """From probability to mask, at the image's native size; the steps run in this order.

    Lengths and areas are shares of what the network saw, which is the image if it is not cut to
    its field of view or its lesion; so they mean the same at every size: a kernel of 5 pixels on
    a network's 192x256 is 5 / 192 = 0.026.

    Attributes:
        threshold: A pixel whose probability reaches it belongs to the mask.
        thresholds: The same for classes that have one of their own.
        erosion: Side of the square kernel that erodes the mask, by class, as a share of the
            shorter side; the nearest odd number of pixels is taken. What touches the edge is not
            eroded from there.
        dilation: The same for the kernel that dilates the mask afterwards.
        largest_region: Keep only the largest connected region.
        fill_holes: Close holes inside the regions.
        min_area: Remove regions below this share of the pixels.
    """

    threshold: float = Field(default=0.5, gt=0, lt=1)
    thresholds: dict[str, Annotated[float, Field(gt=0, lt=1)]] = Field(default_factory=dict)
    erosion: dict[str, Share] = Field(default_factory=dict)
    dilation: dict[str, Share] = Field(default_factory=dict)
    largest_region: bool = False
    fill_holes: bool = False
    min_area: float = Field(default=0.0, ge=0, lt=1)

    def check_classes(self, classes: list[str]) -> None:
        """Refuse thresholds and kernels for classes that are not there.

        Raises:
            ValueError: Names the first of them.
        """
        for key in ("thresholds", "erosion", "dilation"):
            for name in getattr(self, key):
                if name not in classes:
                    message = f"{key} names the class '{name}', expected one of {classes}"
                    raise ValueError(message)

    def threshold_of(self, class_name: str) -> float:
        """Probability from which a pixel belongs to the mask of a class."""
        return self.thresholds.get(class_name, self.threshold)
