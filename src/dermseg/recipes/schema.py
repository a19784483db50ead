"""The schema of recipes: one pydantic model per TOML table."""

from __future__ import annotations

from typing import Annotated, Any, Literal, Self

from pydantic import AliasChoices, Field, model_validator

from dermseg.recipes.augmentation import Augmentation
from dermseg.recipes.processing import LesionCrop, PositiveSize, Postprocessing, Preprocessing
from dermseg.recipes.tables import INVERSE_FREQUENCY, Activation, Table

__all__ = [
    "Data",
    "LossTerm",
    "Network",
    "Recipe",
    "ResizingStep",
    "Training",
]

Parameter = bool | int | float | str | list[int] | list[float]

Seed = Annotated[int, Field(ge=0, lt=2**32)]
"""What every library's random generator takes."""


class Data(Table):
    """The images, and the split that sets apart those that choose the checkpoint.

    Attributes:
        name: The dataset's name; recognised from the folder where it is None.
        selection_fraction: Share of the images that chooses the checkpoint and is not trained
            on, where an official split names no such part. Images that are officially for
            evaluation do not count.
        evaluation_fraction: Share of the images that is kept for evaluation where none are
            officially; 0 keeps none. None keeps a tenth of a dataset without any official parts,
            and none of one with an official training part.
        seed: Seed of the seeded parts.
    """

    name: str | None = None
    selection_fraction: float = Field(default=0.1, gt=0, lt=1)
    evaluation_fraction: float | None = Field(default=None, ge=0, lt=1)
    seed: Seed = 0

    @model_validator(mode="after")
    def _something_is_left_to_train_on(self) -> Self:
        total = self.selection_fraction + (self.evaluation_fraction or 0)
        if total >= 1:
            message = (
                f"selection_fraction and evaluation_fraction sum to {total:g}, expected less than 1"
            )
            raise ValueError(message)
        return self


class Network(Table):
    """An architecture by name, with its parameters.

    Attributes:
        name: A name that `dermseg networks` lists.
        parameters: Keyword arguments of the architecture.
        initial_weights: A model package (a shipped one's name, or a folder) to start from
            instead of from random weights.
        initialization: How random weights are drawn. ``default``: as the architecture does.
            ``xavier``: uniformly by Glorot and Bengio (2010) for convolutions, with biases of 0;
            ``xavier_normal``: the same from normal distributions.
            Encoders that come pre-trained (``parameters.pretrained`` or ``parameters.weights``)
            are left as they are.
        batch_norm_momentum: Share of each new batch in the running statistics of batch norm, as
            PyTorch defines it; Keras' momentum is 1 minus that. None leaves the architecture's.
    """

    name: str
    parameters: dict[str, Parameter] = Field(default_factory=dict)
    initial_weights: str | None = None
    initialization: Literal["default", "xavier", "xavier_normal"] = "default"
    batch_norm_momentum: float | None = Field(default=None, gt=0, le=1)

    @property
    def is_pretrained(self) -> bool:
        """Whether the architecture is asked for an encoder that comes pre-trained."""
        return self.parameters.get("pretrained") is True or "weights" in self.parameters

    @property
    def bare_parameters(self) -> dict[str, Parameter]:
        """The parameters for the same architecture without pre-trained weights.

        For all who fill in weights of their own or none, so that none are looked for.
        """
        pretraining = {"pretrained", "weights"}
        return {name: value for name, value in self.parameters.items() if name not in pretraining}


class LossTerm(Table):
    """One term of the weighted sum that is minimised.

    Attributes:
        name: A loss by name.
        weight: Factor of the term.
        parameters: Keyword arguments of the loss, such as ``gamma``. ``class_weights`` are
            numbers, the background's first, or ``inverse_frequency``: 1 over the class's share of
            the training masks' pixels, scaled to a sum of 1.
    """

    name: str
    weight: float = Field(default=1.0, gt=0)
    parameters: dict[str, Parameter] = Field(default_factory=dict)


class ResizingStep(Table):
    """Train at a smaller size before epoch ``until_epoch`` (counted from 0)."""

    until_epoch: int = Field(gt=0)
    size: PositiveSize


class Training(Table):
    """How the weights are found.

    Attributes:
        epochs: Passes over the training images.
        batch_size: Images per step.
        lr: Peak learning rate.
        lr_factors: Factor on ``lr`` for parts of the network, by the start of their parameters'
            names; of several that fit, the longest counts. 0 freezes a part. Those of an encoder
            do not hold under ``network.parameters.pretrained = false``.
        optimizer: ``adam``, ``adamw``, ``rmsprop`` or ``sgd``.
        weight_decay: As the optimiser defines it.
        momentum: Of ``sgd`` and ``rmsprop``; the others have their own.
        smoothing: Share of the past in the mean of squared gradients of ``rmsprop``. PyTorch's
            default is 0.99, that of Keras 0.9.
        schedule: ``constant``; ``step`` multiplies the rate by ``step_factor`` every
            ``step_epochs``; ``cosine`` falls to 0 after the last step; ``one_cycle`` climbs from
            a 25th of ``lr`` for 30 % of the steps and falls to nearly 0 (Smith and Topin 2018,
            arXiv:1708.07120).
        warmup_epochs: Epochs over which the rate climbs linearly from 0; not with ``one_cycle``.
        accumulate_batches: Batches whose gradients are added up before each step.
        early_stopping_epochs: Stop after that many epochs without a better score on the selection
            part; None never stops early.
        keep: Which epoch's weights become the model: the ``best`` on the selection part, or the
            ``last``.
        ema_decay: Decay per step of the averaged weights that are kept; None keeps the last.
        ema_warmup: Start the average with less decay: (1 + n) / (10 + n) at step n, while that is
            below ``ema_decay``. Without it the first epochs are judged mostly by the random
            weights of the start.
        max_gradient_norm: Gradients longer than this are shortened to it; None leaves them.
        precision: ``auto`` takes bfloat16 or float16 where the hardware computes in it.
        progressive_resizing: Smaller sizes for the first epochs, in order.
        restart_factor: Begin the course of a ``cosine`` schedule, and the averaged weights of
            ``ema_warmup``, anew at each change of size, with a peak that is this times the one
            before; None lets one course span all sizes.
        repeat_share: Show images with a rare class more often: those of a class that a share f of
            the images has, sqrt(repeat_share / f) times an epoch if that is above 1 (repeat factor
            sampling, Gupta et al. 2019, arXiv:1908.03195). None shows each image once.
    """

    epochs: int = Field(gt=0)
    batch_size: int = Field(gt=0)
    lr: float = Field(gt=0)
    lr_factors: dict[str, float] = Field(default_factory=dict)
    optimizer: Literal["adam", "adamw", "rmsprop", "sgd"] = "adamw"
    weight_decay: float = Field(default=0.0, ge=0)
    momentum: float = Field(default=0.0, ge=0, lt=1)
    smoothing: float = Field(default=0.99, ge=0, lt=1)
    schedule: Literal["constant", "step", "cosine", "one_cycle"] = "constant"
    step_epochs: int = Field(default=1, gt=0)
    step_factor: float = Field(default=0.1, gt=0, le=1)
    warmup_epochs: float = Field(default=0.0, ge=0)
    accumulate_batches: int = Field(default=1, gt=0)
    early_stopping_epochs: int | None = Field(default=None, gt=0)
    keep: Literal["best", "last"] = "best"
    ema_decay: float | None = Field(default=None, gt=0, lt=1)
    ema_warmup: bool = False
    max_gradient_norm: float | None = Field(default=None, gt=0)
    precision: Literal["auto", "float32", "bfloat16"] = "auto"
    progressive_resizing: list[ResizingStep] = Field(default_factory=list)
    restart_factor: float | None = Field(default=None, gt=0)
    repeat_share: float | None = Field(default=None, gt=0, le=1)

    @model_validator(mode="after")
    def _options_fit(self) -> Self:
        if self.momentum and self.optimizer not in {"sgd", "rmsprop"}:
            message = f"momentum is for sgd and rmsprop; {self.optimizer} has its own"
            raise ValueError(message)
        if self.warmup_epochs and self.schedule == "one_cycle":
            message = "one_cycle has its own warm-up: leave warmup_epochs at 0"
            raise ValueError(message)
        if self.ema_warmup and self.ema_decay is None:
            message = "ema_warmup is for averaged weights: give ema_decay, such as 0.998, as well"
            raise ValueError(message)
        if any(factor < 0 for factor in self.lr_factors.values()):
            message = f"lr_factors are {self.lr_factors}, expected 0 or more"
            raise ValueError(message)
        return self

    @model_validator(mode="after")
    def _steps_are_in_order(self) -> Self:
        ends = [step.until_epoch for step in self.progressive_resizing]
        if ends != sorted(set(ends)) or (ends and ends[-1] >= self.epochs):
            message = f"progressive_resizing ends at epochs {ends}, expected rising and < epochs"
            raise ValueError(message)
        if self.restart_factor is not None and not (ends and self.schedule == "cosine"):
            message = (
                "restart_factor is for the schedule cosine with progressive_resizing: "
                f"the schedule is {self.schedule}, and sizes change {len(ends)} times"
            )
            raise ValueError(message)
        return self


class Recipe(Table):
    """Everything that a training run depends on besides the images.

    Attributes:
        experimental: The model is not known to find in photographs what it is made to find; its
            package says so wherever it is used.
        classes: The name of each foreground map.
        activation: ``sigmoid`` for classes that may overlap; ``softmax`` for exclusive ones, with a
            map for the background before those of the classes. Where the true masks of such
            classes overlap, the class that is named first is learned: name the rarest first.
            Older recipes call it ``head``.
        lesion_crop: Cut every image to its lesion; None shows the network all of it.
        flips: The model averages over an image and its three mirror images, which is four times
            the work; training is the same.
    """

    name: str = Field(pattern=r"^[a-z0-9][a-z0-9-]*$")
    description: str
    experimental: bool = False
    seed: Seed = 0
    classes: list[str] = Field(default=["lesion"], min_length=1)
    activation: Activation = Field(
        default="sigmoid", validation_alias=AliasChoices("activation", "head")
    )
    data: Data = Field(default_factory=Data)
    preprocessing: Preprocessing
    lesion_crop: LesionCrop | None = None
    flips: bool = False
    network: Network
    loss: list[LossTerm] = Field(min_length=1)
    augmentation: Augmentation = Field(default_factory=Augmentation)
    training: Training
    postprocessing: Postprocessing = Field(default_factory=Postprocessing)

    @model_validator(mode="after")
    def _classes_fit(self) -> Self:
        if len(set(self.classes)) < len(self.classes):
            message = f"classes are {self.classes}, expected each of them once"
            raise ValueError(message)
        if self.lesion_crop is not None and "lesion" in self.classes:
            message = "lesion_crop is for classes inside the lesion, but 'lesion' is among them"
            raise ValueError(message)
        window = self.augmentation.window
        for height, width in self.sizes:
            if window is not None and (window[0] > height or window[1] > width):
                message = (
                    f"augmentation.window is {list(window)}, but images of {height}x{width} are "
                    "trained on: expected a window that fits into them"
                )
                raise ValueError(message)
        self.postprocessing.check_classes(self.classes)
        return self

    @property
    def num_maps(self) -> int:
        """Maps of logits that the network gives."""
        return len(self.classes) + (self.activation == "softmax")

    @property
    def lr_factors(self) -> dict[str, float]:
        """The learning-rate factors that hold: none for an encoder that begins at random."""
        factors = self.training.lr_factors
        if (
            self.network.parameters.get("pretrained") is not False
            or self.network.initial_weights is not None
        ):
            return factors
        return {part: f for part, f in factors.items() if not part.startswith("encoder")}

    @property
    def needs_class_weights(self) -> bool:
        """Whether a loss asks for class weights that are fitted on the training masks."""
        return any(term.parameters.get("class_weights") == INVERSE_FREQUENCY for term in self.loss)

    @property
    def sizes(self) -> list[PositiveSize]:
        """Every (height, width) that images are trained at, the first epochs' first."""
        steps = [step.size for step in self.training.progressive_resizing]
        return list(dict.fromkeys((*steps, self.preprocessing.size)))

    def to_dict(self) -> dict[str, Any]:
        """The recipe as plain values, without the keys that are None (TOML has no null)."""
        return self.model_dump(mode="json", exclude_none=True)
