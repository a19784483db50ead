"""How others turn masks into figures: one table, from which their numbers can be reproduced.

The protocols differ in what a figure is taken over, the size of the masks, and what an image
without lesion scores. So the same masks have a "Jaccard index" of 0.81 under one and of 0.89 under
another; a figure without its protocol cannot be compared with anything.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from functools import partial
from typing import Final, Literal, NamedTuple, TypeAlias

from dermseg.errors import UsageError
from dermseg.evaluation import protocol_rules as rules
from dermseg.evaluation.protocol_rules import Values
from dermseg.evaluation.score_table import OVERLAP_SCORES
from dermseg.types import Size

__all__ = [
    "DEFAULT_PROTOCOLS",
    "NATIVE",
    "PROTOCOLS",
    "MaskRole",
    "Protocol",
    "Scaling",
    "find_protocol",
    "find_protocols",
]

MaskRole: TypeAlias = Literal["truth", "prediction"]
"""Which of two masks is meant."""

_NAN: Final = float("nan")


class Scaling(NamedTuple):
    """The size at which masks are compared.

    Attributes:
        size: (height, width), or None for the truth's own.
        method: ``nearest`` takes the pixel at the floor of the position, as OpenCV's INTER_NEAREST
            and torch's ``nearest`` do; ``nearest_centre`` the one nearest to the centre, as
            Pillow does; ``mean`` sets a pixel where at least half of what it covers was set.
        inside_lesion: Both masks are cleared outside the true lesion, and the rows and columns
            without lesion are taken out, before the shorter side is scaled to that of ``size``;
            the aspect is kept. Without a lesion mask the whole image is taken.
    """

    size: Size | None = None
    method: Literal["nearest", "nearest_centre", "mean"] = "nearest"
    inside_lesion: bool = False


NATIVE: Final = Scaling()


@dataclass(frozen=True)
class Protocol:
    """A way to turn masks into figures. Masks are thresholded first, then resized.

    Attributes:
        name: As it is called on the command line.
        level: What a figure is taken over. ``image``: the mean of the images' scores. ``pooled``:
            one confusion matrix of all pixels of all images. ``share``: the same, but each
            image's counts are divided by its number of pixels first. ``batch``: one matrix per
            batch of images in order of their ids, weighted by the batch's length.
        scores: Formula of each score, over counts (..., 4).
        headline: The score that its users rank by.
        auc: Whether it also scores probabilities, by the mean of the images' areas under the ROC
            curve, over the pixels that it compares. Images where the truth has only one value are
            left out.
        empty: What happens to masks without lesion.
        reference: Whose protocol this is.
        scaling: The size at which masks are compared.
        binary: Which masks must hold two values only; images whose do not are left out.
        batch_size: Images per batch.
        parameters: What ``NAME:VALUE:...`` sets, in order: ``batch_size``, ``side``.
        attributes_only: Only for masks of dermoscopic attributes, ``NAME_attribute_NAME.png``.
    """

    name: str
    level: Literal["image", "pooled", "share", "batch"]
    scores: Mapping[str, Callable[[Values], Values]]
    headline: str
    empty: str
    reference: str
    auc: bool = False
    scaling: Scaling = NATIVE
    binary: tuple[MaskRole, ...] = ()
    batch_size: int = 1
    parameters: tuple[Literal["batch_size", "side"], ...] = field(default=())
    attributes_only: bool = False

    @property
    def prefix(self) -> str:
        """The prefix of its figures' names."""
        return {"image": "mean", "batch": "batch_mean"}.get(self.level, "pooled")

    @property
    def taken_over(self) -> str:
        """Describe the pixels or images a figure is taken over."""
        size = self.scaling.size
        where = "native size" if size is None else "x".join(map(str, size))
        words = {
            "image": "mean over images",
            "pooled": "all pixels in one matrix",
            "share": "all images' shares in one matrix",
            "batch": f"mean over batches of {self.batch_size}",
        }
        if size is not None and self.scaling.inside_lesion:
            where = f"inside the lesion, whose box has a shorter side of {min(size)}"
        return f"{words[self.level]}, {where}"


def _overlap(*names: str, empty: float) -> dict[str, Callable[[Values], Values]]:
    return {name: partial(getattr(rules, name), empty=empty) for name in names}


_CHALLENGE: Final = ("jaccard", "dice", "accuracy", "sensitivity", "specificity")
_MONAI: Final = {"jaccard": rules.lesion_jaccard, "dice": rules.lesion_dice}

_ROWS: Final = (
    Protocol(
        name="isic",
        level="image",
        scores=_overlap(*OVERLAP_SCORES, empty=1.0),
        headline="thresholded_jaccard",
        empty="undefined scores are 1",
        reference="isic-challenge-scoring 5.6, `segmentation`",
    ),
    Protocol(
        name="isic2016",
        level="image",
        scores=_overlap(*_CHALLENGE, empty=_NAN),
        headline="jaccard",
        empty="undefined scores are left out of the mean",
        reference="Gutman et al. (2016), arXiv:1605.01397; its scoring program of 2016",
        binary=("truth", "prediction"),
    ),
    Protocol(
        name="isic2017",
        level="image",
        scores=_overlap(*_CHALLENGE, empty=_NAN),
        headline="jaccard",
        empty="undefined scores are left out of the mean",
        reference="Codella et al. (2018), arXiv:1710.05006; its scoring program of 2017",
        binary=("truth",),
    ),
    Protocol(
        name="isic2018",
        level="image",
        scores=_overlap("thresholded_jaccard", empty=1.0),
        headline="thresholded_jaccard",
        empty="undefined scores are 1",
        reference="Codella et al. (2019), arXiv:1902.03368, Task 1",
    ),
    Protocol(
        name="isic2018_task2",
        level="share",
        scores=_overlap("jaccard", "dice", empty=1.0),
        headline="jaccard",
        empty="1 only if the attribute is nowhere in any mask",
        reference="Codella et al. (2019), arXiv:1902.03368; isic-challenge-scoring, `task2.score`",
        attributes_only=True,
    ),
    Protocol(
        name="pooled",
        level="pooled",
        scores=_overlap(*_CHALLENGE, empty=0.0),
        headline="jaccard",
        empty="images have no scores of their own; 0 if no pixel is lesion anywhere",
        reference="EGE-UNet, arXiv:2307.08473; MALUNet, VM-UNet, UltraLight VM-UNet. Their 'mIoU' "
        "is this Jaccard index of the lesion",
        scaling=Scaling((256, 256), "mean"),
        parameters=("side",),
    ),
    Protocol(
        name="batch",
        level="batch",
        scores={"jaccard": rules.batch_jaccard, "dice": rules.batch_dice},
        headline="jaccard",
        empty="a batch without any lesion pixel scores 1 (1e-5 is added above and below)",
        reference="UNeXt, arXiv:2203.04967; LV-UNet, UCM-Net. The figure depends on the batch size",
        scaling=Scaling((256, 256)),
        batch_size=8,
        parameters=("batch_size", "side"),
    ),
    Protocol(
        name="resized",
        level="image",
        scores=_MONAI,
        headline="jaccard",
        empty="images without true lesion are left out, also where the prediction is not empty",
        reference="MobileUNETR, arXiv:2409.03062, with MONAI's metrics at the network's size",
        scaling=Scaling((512, 512)),
        parameters=("side",),
    ),
    Protocol(
        name="mmseg",
        level="pooled",
        scores={
            "class_mean_jaccard": rules.class_mean_jaccard,
            "class_mean_dice": rules.class_mean_dice,
            "class_mean_accuracy": rules.class_mean_accuracy,
            "accuracy": partial(rules.accuracy, empty=_NAN),
        },
        headline="class_mean_jaccard",
        empty="a class that is nowhere is left out",
        reference="MMSegmentation's IoUMetric: mIoU, mDice, mAcc, aAcc, skin being a class too",
    ),
    Protocol(
        name="nnunet",
        level="image",
        scores=_overlap("dice", "jaccard", empty=_NAN),
        headline="dice",
        empty="images with both masks empty are left out",
        reference="nnU-Net, doi:10.1038/s41592-020-01008-z; nnunetv2's evaluate_predictions",
    ),
    Protocol(
        name="monai",
        level="image",
        scores=_MONAI,
        headline="dice",
        empty="images without true lesion are left out, which hides false alarms",
        reference="MONAI's DiceMetric and MeanIoU with ignore_empty=True, arXiv:2211.02701",
    ),
    Protocol(
        name="seed000",
        level="image",
        scores={
            **_overlap("jaccard", "accuracy", "sensitivity", "specificity", empty=1.0),
            "dice_as_accuracy": partial(rules.accuracy, empty=1.0),
        },
        headline="jaccard",
        empty="not stated, and no such image in its data; undefined scores are 1 here",
        reference="an Xception U-Net project on ISIC 2016, whose 'Dice score' is pixel accuracy",
        scaling=Scaling((160, 160), "nearest_centre"),
    ),
    Protocol(
        name="seed001",
        level="image",
        scores={"jaccard": rules.seed001_jaccard},
        headline="jaccard",
        auc=True,
        empty="masks that are both empty are left out; 1 is added to every union",
        reference="an attribute U-Net project on ISIC 2017 Part 2, with a Jaccard index of 0.0896 "
        "and an AUC of 0.6986; it scores a random square of the box, here it is all of it",
        scaling=Scaling((256, 256), inside_lesion=True),
        attributes_only=True,
    ),
)

PROTOCOLS: Final[Mapping[str, Protocol]] = {row.name: row for row in _ROWS}
"""Every known protocol by name.

References:
    isic: isic-challenge-scoring 5.6, github.com/ImageMarkup/isic-challenge-scoring, `segmentation`.
    isic2016: Gutman et al. (2016), Skin lesion analysis toward melanoma detection,
        arXiv:1605.01397, and the challenge's scoring program.
    isic2017: Codella et al. (2018), Skin lesion analysis toward melanoma detection: a challenge at
        ISBI 2017, arXiv:1710.05006, and the challenge's scoring program.
    isic2018, isic2018_task2: Codella et al. (2019), Skin lesion analysis toward melanoma detection
        2018, arXiv:1902.03368; `task2.score` of isic-challenge-scoring.
    pooled: Ruan et al. (2023), EGE-UNet, arXiv:2307.08473, and the projects that share its code.
        They resize the truth by interpolation and threshold it at a half; `mean` is that up to
        single pixels of the border.
    batch: Valanarasu & Patel (2022), UNeXt, arXiv:2203.04967, and the projects that share its code.
    resized: Perera et al. (2024), MobileUNETR, arXiv:2409.03062.
    mmseg: MMSegmentation, github.com/open-mmlab/mmsegmentation, `IoUMetric`.
    nnunet: Isensee et al. (2021), nnU-Net, doi:10.1038/s41592-020-01008-z, and the code of
        nnunetv2, `compute_metrics_on_folder`.
    monai: Cardoso et al. (2022), MONAI, arXiv:2211.02701, `DiceMetric` and `MeanIoU`.
    seed000: Lozano Cortes, github.com/SrLozano/ISIC-2016_Challenge-Lesion-Segmentation.
    seed001: Caramazana, github.com/CesarCaramazana/DermoscopicSegmentation, `get_iou` and
        `get_auc_values`. Its AUC is over the lesion's box, healthy corners included, class by
        class where the truth has the class; its reported 0.6986 is comparable with ``mean_auc``.
        It took the softmax over the images of a batch of 2, which no other code would repeat.
"""


DEFAULT_PROTOCOLS: Final = (PROTOCOLS["isic2018_task2"], PROTOCOLS["isic"])
"""The first is made for masks of attributes, and left out elsewhere."""


def find_protocols(text: str | None) -> tuple[Protocol, ...]:
    """Look up what was asked for: a protocol as for `find_protocol`, ``all``, or None.

    Raises:
        UsageError: If there is no such protocol.
    """
    if text is None:
        return DEFAULT_PROTOCOLS
    return tuple(PROTOCOLS.values()) if text == "all" else (find_protocol(text),)


def find_protocol(text: str) -> Protocol:
    """Look a protocol up by ``NAME`` or ``NAME:VALUE:...``, e.g. ``batch:16`` or ``resized:256``.

    Raises:
        UsageError: If there is no such protocol, or it takes no such values.

    Example:
        >>> find_protocol("batch:16:128").taken_over
        'mean over batches of 16, 128x128'
    """
    name, *values = text.split(":")
    if name not in PROTOCOLS:
        message = f"no protocol '{name}'; there are {', '.join(PROTOCOLS)}, and all"
        raise UsageError(message)
    protocol = PROTOCOLS[name]
    takes = ":".join([name, *(parameter.upper() for parameter in protocol.parameters)])
    if len(values) > len(protocol.parameters) or not all(v.isdecimal() and int(v) for v in values):
        message = f"'{text}': expected {takes}, with whole numbers above 0"
        raise UsageError(message)
    for parameter, value in zip(protocol.parameters, map(int, values), strict=False):
        if parameter == "side":
            scaling = protocol.scaling._replace(size=(value, value))
            protocol = replace(protocol, scaling=scaling)
        else:
            protocol = replace(protocol, batch_size=value)
    return replace(protocol, name=text)
