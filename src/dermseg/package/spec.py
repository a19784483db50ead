"""The contents of ``model.json``: everything a prediction needs besides the image."""

from __future__ import annotations

from typing import Annotated, Literal, Self

from pydantic import (
    AliasChoices,
    BaseModel,
    ConfigDict,
    Field,
    field_validator,
    model_validator,
)

from dermseg.package.estimates import (
    Calibration,
    OutOfDistributionModel,
    PresenceModel,
    QualityModel,
)
from dermseg.preprocessing import Normalization
from dermseg.recipes import Activation, Cleaning, LesionCrop, Postprocessing
from dermseg.types import Size

__all__ = ["DataSource", "ModelSpec", "Provenance", "Quantization", "Score"]


_LONGEST_SIDE = 4096


class _Table(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, allow_inf_nan=False)


class DataSource(_Table):
    """A dataset that weights were trained on.

    Attributes:
        name: The dataset's name.
        licence: Its licence.
        fingerprint: SHA-256 over the ids and the content of images and masks.
        num_images: Images with masks in the folder.
        groups: SHA-256 over which images belong together; None where none do.
    """

    name: str
    licence: str
    fingerprint: str
    num_images: int
    groups: str | None = None


class Score(_Table):
    """A measured quality with its 95 % interval, and on what it was measured.

    Attributes:
        on: Dataset and part, such as ``isic2017 validation``.
        used_for_selection: True if these images chose the checkpoint, so that the figure flatters.
        values: By name, ``{"mean_jaccard": [value, low, high]}``.
    """

    on: str
    num_images: int
    used_for_selection: bool
    values: dict[str, tuple[float, float, float]]


class Provenance(_Table):
    """The origin of a model.

    If several networks are averaged, seed, commit and epochs are those of the first.

    Attributes:
        num_networks: Networks whose logits are averaged.
        changed: Keys in which the recipe differs from the packaged one of its name.
        epochs: How many were trained.
        flips: Whether they are averaged over the mirror images of every image as well.
        num_parameters: Parameters of all networks together.
        training_ids: Images that any of the networks was trained on.
        selection_ids: Others that chose the checkpoint of one.
        scores: What it reached, and on what.
        untuned_postprocessing: How masks were made before thresholds and kernels were fitted to
            the images that chose the checkpoint; None where nothing was fitted.
    """

    recipe: str
    network: str
    num_networks: int = Field(default=1, gt=0)
    flips: bool = False
    num_parameters: int
    seed: int
    commit: str
    data: list[DataSource]
    training_ids: list[str]
    selection_ids: list[str]
    changed: list[str] = Field(default_factory=list)
    epochs: int
    best_epoch: int
    export_difference: float
    versions: dict[str, str]
    scores: list[Score] = Field(default_factory=list)
    untuned_postprocessing: Postprocessing | None = None


ClassName = Annotated[str, Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9_-]*$")]
"""It becomes a part of file names."""


class Quantization(_Table):
    """The loss of accuracy by int8, measured when the package was exported.

    Attributes:
        num_calibration_images: Training images that the ranges of activations are from.
        on: The images that the loss was measured on.
        num_images: How many they are.
        float32_jaccard: Mean Jaccard index of the masks before.
        int8_jaccard: And after.
    """

    num_calibration_images: int
    on: str
    num_images: int
    float32_jaccard: float
    int8_jaccard: float

    @property
    def loss(self) -> float:
        """Loss of mean Jaccard index; below 0 if it gained."""
        return self.float32_jaccard - self.int8_jaccard


class ModelSpec(_Table):
    """The content of ``model.json``.

    Attributes:
        experimental: The model has not shown that it finds in photographs what it was made to
            find; all that it writes says so.
        input_size: (height, width) of the network's input.
        preprocessing: What is taken out of every image; nothing, where a package does not say.
        lesion_crop: How the image is cut to its lesion, and by which model; None leaves it whole.
        classes: One name per map of probabilities.
        activation: ``sigmoid`` for classes that may overlap, with one map of logits each;
            ``softmax`` for exclusive ones, with one more map of logits, the first, for the
            background. Older packages call it ``head``.
        temperature: Logits are divided by it.
        bias: Is then added to them; only under the activation ``sigmoid``.
        calibration: What temperature, bias and threshold were fitted on; None where they were not.
        quality: Estimates how good a mask of the lesion is; None where that was not fitted.
        out_of_distribution: Tells images that the model was not made for; None where that was not
            fitted. Older packages call it ``scope``.
        presence: Estimates how likely it is that an image shows each attribute; None where that
            was not fitted.
        quantization: For a network in int8, what that cost; None for float32.
        notes: What else was found out about the model, as sections of Markdown for its card.
        onnx_sha256: Of ``model.onnx``, so that a damaged or exchanged file is noticed.
    """

    format_version: Literal[1] = 1
    name: str
    description: str
    licence: str
    experimental: bool = False
    input_size: Size
    preprocessing: Cleaning = Field(default_factory=Cleaning)
    lesion_crop: LesionCrop | None = None
    normalization: Normalization
    classes: list[ClassName] = Field(min_length=1)
    activation: Activation = Field(
        default="sigmoid", validation_alias=AliasChoices("activation", "head")
    )
    temperature: float = Field(default=1.0, gt=0)
    bias: float = 0.0
    postprocessing: Postprocessing
    calibration: Calibration | None = None
    quality: QualityModel | None = None
    out_of_distribution: OutOfDistributionModel | None = Field(
        default=None, validation_alias=AliasChoices("out_of_distribution", "scope")
    )
    presence: PresenceModel | None = None
    quantization: Quantization | None = None
    notes: str = ""
    onnx_sha256: str
    provenance: Provenance

    @property
    def num_maps(self) -> int:
        """Maps of logits that the graph gives."""
        return len(self.classes) + (self.activation == "softmax")

    @property
    def attributes(self) -> tuple[str, ...]:
        """The classes that are structures inside a lesion: all but ``lesion``."""
        return tuple(name for name in self.classes if name != "lesion")

    @property
    def needs_lesion_model(self) -> bool:
        """Whether another model has to find the lesion that the attributes are in."""
        return "lesion" not in self.classes

    @field_validator("input_size")
    @classmethod
    def _size_is_usual(cls, size: Size) -> Size:
        if not all(0 < side <= _LONGEST_SIDE for side in size):
            message = f"sides are {size}, expected 1 to {_LONGEST_SIDE} pixels"
            raise ValueError(message)
        return size

    @model_validator(mode="after")
    def _classes_fit(self) -> Self:
        if len(set(self.classes)) < len(self.classes):
            message = f"classes are {self.classes}, expected each of them once"
            raise ValueError(message)
        if any(name.endswith("_probability") for name in self.classes):
            message = (
                f"classes are {self.classes}, expected none to end in _probability: file names do"
            )
            raise ValueError(message)
        if self.bias and self.activation != "sigmoid":
            message = f"bias is {self.bias}, expected 0 under the activation {self.activation}"
            raise ValueError(message)
        if self.lesion_crop is not None and not self.needs_lesion_model:
            message = "lesion_crop is for classes inside the lesion, but 'lesion' is among them"
            raise ValueError(message)
        self.postprocessing.check_classes(self.classes)
        return self
