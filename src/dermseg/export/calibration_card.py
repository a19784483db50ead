"""Sections of the model card on calibration, expected quality and out-of-distribution images."""

from __future__ import annotations

from typing import Final

from dermseg.export.reliability import RELIABILITY
from dermseg.metrics import JACCARD_THRESHOLD
from dermseg.package import (
    Calibration,
    ModelSpec,
    OutOfDistributionModel,
    PresenceModel,
    QualityModel,
)

__all__ = ["calibration_card"]

_QUALITY_WORDS: Final = {
    "caught": f"poor masks (Jaccard below {JACCARD_THRESHOLD}) among the fifth that is flagged",
    "caught_by_entropy": "the same, if mean entropy alone decided",
    "mean_error": "mean difference of expected and true Jaccard index",
}
_KIND_WORDS: Final = {
    "photographs": "dermoscopic photographs (refused by mistake)",
    "dark": "photographs darkened by melanin, generated images of dark skin (by mistake)",
    "phantoms": "generated dermoscopic images (refused by mistake)",
    "plain": "generated skin without a lesion",
    "pictures": "generated pictures of other things",
}


def calibration_card(spec: ModelSpec) -> str:
    """Sections of a card as Markdown, each after an empty line; empty if nothing is known."""
    parts = []
    if spec.calibration is not None:
        parts.append(_calibration(spec, spec.calibration))
    if spec.quality is not None:
        parts.append(_quality(spec.quality))
    if spec.out_of_distribution is not None:
        parts.append(_out_of_distribution(spec.out_of_distribution))
    if spec.presence is not None:
        parts.append(_presence(spec.presence))
    return "".join(f"\n{part}\n" for part in parts)


def _calibration(spec: ModelSpec, measured: Calibration) -> str:
    before, after = measured.before, measured.after
    return f"""\
## Calibration
Logits are divided by {spec.temperature:g}, and {spec.bias:g} is added to them, as fitted on
{measured.num_images} images: {measured.on}. The threshold, {spec.postprocessing.threshold:g}, was
chosen on {measured.threshold_on or "the same images"}. The figures are of the former.

| expected calibration error | before | calibrated |
|---|---|---|
| all pixels | {before.error:.4f} | {after.error:.4f} |
| within {measured.border_width:g} pixels of the border of mask or truth \
| {before.error_near_border:.4f} | {after.error_near_border:.4f} |

![How often it is lesion at each probability]({RELIABILITY})"""


def _presence(model: PresenceModel) -> str:
    rows = "\n".join(
        f"| {name.replace('_', ' ')} | {found.num_present} of {found.num_images} "
        f"| {found.auc[0]:.3f} [{found.auc[1]:.3f}, {found.auc[2]:.3f}] | {found.error:.3f} |"
        for name, found in model.classes.items()
    )
    return f"""\
## Which images show what
For each attribute there is a probability that the image shows it. It and the thresholds of the
masks were fitted on {model.on}. Measured on the fifth
of the images that each fit left out; the calibration error is the mean difference between the
probability and the share of images that show the attribute, in fifths by probability:

| attribute | images that show it | area under the ROC curve, 95 % interval | calibration error |
|---|---|---|---|
{rows}"""


def _quality(model: QualityModel) -> str:
    rows = "\n".join(
        f"| {_QUALITY_WORDS.get(name, name)} | {value:.3f} | {low:.3f} to {high:.3f} |"
        for name, (value, low, high) in model.values.items()
    )
    return f"""\
## Expected quality
Each mask comes with the Jaccard index that is expected of it, and is flagged for review below
{model.review_below:.3f}, as the lowest fifth of the same images would be. Measured on the fifth
that each fit left out:

| measure | value | 95 % interval |
|---|---|---|
{rows}"""


def _out_of_distribution(model: OutOfDistributionModel) -> str:
    rows = "\n".join(
        f"| {_KIND_WORDS.get(kind, kind)} | {share:.1%} |" for kind, share in model.values.items()
    )
    return f"""\
## Out of scope
Images that do not look like dermoscopic photographs, or in which no lesion stands out, are refused.
Fitted on the same photographs and on generated images; measured on the half of each kind that a fit
to the other half left out:

| images | refused |
|---|---|
{rows}"""
