"""The model card: what a model is, was trained on, scores, and is not for."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from dermseg.export.calibration_card import calibration_card
from dermseg.package import ModelSpec, Provenance, Score
from dermseg.recipes import Postprocessing

__all__ = ["model_card"]

_ACTIVATIONS = {
    "sigmoid": "Each class has a probability of its own (sigmoid).",
    "softmax": "The probabilities of background and classes sum to 1 (softmax).",
}

_LESION_USE: Final = """\
Drawing the border of a single skin lesion in a dermoscopic photograph, for archives, research and
teaching. Not for clinical photographs taken without a dermatoscope, histology, or images with
several lesions, and not for any decision about a patient."""

_ATTRIBUTE_USE: Final = """\
Marking structures inside a single skin lesion in a dermoscopic photograph, for research and
teaching. Not for clinical photographs taken without a dermatoscope, histology, or images with
several lesions, and not for any decision about a patient. That a structure is not marked does not
mean that it is not there."""


_EXPERIMENTAL: Final = """
**Experimental.** This model has not shown that it finds in photographs what it was made to find; do
not rely on its masks.
"""


_OF_FIRST: Final = " (of the first network; the others may differ in seed and best epoch)"


def model_card(spec: ModelSpec) -> str:
    """Write the card of a package as Markdown; every figure comes from the spec."""
    origin = spec.provenance
    sources = "\n".join(
        f"- {source.name}, licence {source.licence}: a folder of {source.num_images} images with "
        f"masks, of which only those above were used; fingerprint `{source.fingerprint[:16]}`"
        for source in origin.data
    )
    scores = "\n".join(_score_lines(score, spec.classes) for score in origin.scores)
    finds_lesion = "lesion" in spec.classes
    where = "a lesion is, never what it is"
    if not finds_lesion:
        where = "structures in a lesion are, never what the lesion is"
    return f"""# Model card: {spec.name}
{_EXPERIMENTAL if spec.experimental else ""}
{spec.description}. Classes: {", ".join(map(_words, spec.classes))}. Licence: {spec.licence}.

**Not a medical device, and no diagnosis.** The masks say where {where}.

## Intended use
{_LESION_USE if finds_lesion else _ATTRIBUTE_USE}

## How it works
{_how_it_works(spec)}

## Training
Recipe `{origin.recipe}`{_changed(origin)}, seed {origin.seed},
{origin.epochs} epochs (best: {origin.best_epoch}),
commit `{origin.commit}`{_OF_FIRST * (origin.num_networks > 1)}.
{len(origin.training_ids)} images were trained on; {len(origin.selection_ids)} others of the
training part chose the checkpoint. All ids are in `model.json`.

{sources}

## Scores
{scores or "None measured yet."}

{_precision(spec)}
{calibration_card(spec)}{_notes(spec.notes)}"""


def _changed(origin: Provenance) -> str:
    if not origin.changed:
        return ""
    keys = ", ".join(f"`{key}`" for key in origin.changed)
    return f" with other values of {keys} (see `recipe.toml`)"


def _notes(notes: str) -> str:
    return f"\n{notes.strip()}\n" if notes.strip() else ""


def _precision(spec: ModelSpec) -> str:
    difference = (
        f"ONNX Runtime's probabilities differ from torch's by at most "
        f"{spec.provenance.export_difference:.1g}"
    )
    measured = spec.quantization
    if measured is None:
        return f"{difference}."
    calibration = f"calibrated on {measured.num_calibration_images} training images"
    figures = f"{measured.int8_jaccard:.4f} instead of {measured.float32_jaccard:.4f} in float32"
    return f"""{difference}, before the network was quantised.

## Precision
The network calculates in int8, {calibration}. The mean
Jaccard index is {figures}, a loss of {measured.loss:.4f},
on {measured.num_images} images of {measured.on}."""


def _how_it_works(spec: ModelSpec) -> str:
    origin = spec.provenance
    height, width = spec.input_size
    activation = _ACTIVATIONS[spec.activation]
    network = _network(origin)
    if spec.classes == ["lesion"]:
        return f"""\
{network}; every image is resized to
{width}x{height} pixels (width x height), the probability is brought back to the image's size, and a
pixel belongs to the lesion from {spec.postprocessing.threshold} upwards. {activation}"""
    crop = ""
    if spec.lesion_crop is not None:
        crop = (
            f"Each image is cut to the lesion that the model `{spec.lesion_crop.model}` finds, "
            f"with a margin of {spec.lesion_crop.margin:.0%} of its sides; where it finds none, "
            "the whole image is taken.\n"
        )
        if spec.lesion_crop.inside_only:
            crop += "Nothing outside that lesion is ever marked.\n"
    fitted = ""
    if origin.untuned_postprocessing is not None:
        fitted = f"""

Thresholds and kernels were fitted to the images that chose the checkpoint, for the highest Jaccard
index of each class over all of their pixels; before, they were:

{_postprocessing_table(origin.untuned_postprocessing, spec.classes)}"""
    return f"""\
{crop}{network}; what it sees is resized to
{width}x{height} pixels (width x height), and the probabilities are brought back to the image's
size. {activation}
A pixel belongs to a class from its threshold upwards; the mask is then eroded and dilated with
square kernels, whose sides are given as shares of the shorter side of what it sees:

{_postprocessing_table(spec.postprocessing, spec.classes)}{fitted}"""


def _network(origin: Provenance) -> str:
    parameters = f"{origin.num_parameters:,} parameters"
    if origin.num_networks == 1:
        found = f"Network `{origin.network}`, {parameters}"
    else:
        found = (
            f"{origin.num_networks} networks `{origin.network}`, together {parameters}, whose "
            "logits are averaged"
        )
    return found + ", over an image and its three mirror images" * origin.flips


def _postprocessing_table(options: Postprocessing, classes: Sequence[str]) -> str:
    rows = [
        f"| {_words(name)} | {options.threshold_of(name):.3f} | {options.erosion.get(name, 0.0):g} "
        f"| {options.dilation.get(name, 0.0):g} |"
        for name in classes
    ]
    return "\n".join(["| class | threshold | erosion | dilation |", "|---|---|---|---|", *rows])


def _score_lines(score: Score, classes: Sequence[str]) -> str:
    note = " (these images chose the checkpoint: the figures flatter)" * score.used_for_selection
    table = _class_table(score, classes) or _plain_table(score)
    return f"On {score.on}, {score.num_images} images{note}:\n\n{table}\n"


def _plain_table(score: Score) -> str:
    rows = "\n".join(
        f"| {name} | {value:.4f} | {low:.4f} to {high:.4f} |"
        for name, (value, low, high) in score.values.items()
    )
    return f"| measure | value | 95 % interval |\n|---|---|---|\n{rows}"


def _class_table(score: Score, classes: Sequence[str]) -> str | None:
    """One row per class and one column per measure; None where no figure is of a class.

    A figure of a class is called by the measure and the class, ``pooled_jaccard_globules``.
    """
    measures = dict.fromkeys(
        name.removesuffix(f"_{row}")
        for name in score.values
        for row in classes
        if name.endswith(f"_{row}")
    )
    if not measures:
        return None
    named = {f"{measure}_{row}" for measure in measures for row in classes}
    single = [name for name in score.values if name not in named and name not in measures]
    lines = [
        f"| class | {' | '.join(map(_words, measures))} |",
        "|---" * (len(measures) + 1) + "|",
    ]
    if any(measure in score.values for measure in measures):
        cells = " | ".join(_cell(score, measure) for measure in measures)
        lines.append(f"| all together | {cells} |")
    for row in classes:
        cells = " | ".join(_cell(score, f"{measure}_{row}") for measure in measures)
        lines.append(f"| {_words(row)} | {cells} |")
    pooled = " Pooled: over the pixels of all images." * any("pooled" in name for name in measures)
    lines.append(f"\nIn brackets: 95 % intervals.{pooled}")
    lines += _comparison_with_area(score, classes)
    lines += [f"{_words(name).capitalize()}: {_cell(score, name)}." for name in single]
    return "\n".join(lines)


def _comparison_with_area(score: Score, classes: Sequence[str]) -> list[str]:
    """Say for which classes the model ranks images better than the lesion's area alone."""
    lows = {
        name: score.values[f"difference_{name}"][1]
        for name in classes
        if f"difference_{name}" in score.values
    }
    if not lows:
        return []
    better = ", ".join(_words(name) for name, low in lows.items() if low > 0)
    others = ", ".join(_words(name) for name, low in lows.items() if low <= 0)
    return [
        "Presence AUC says how well the model tells which images show a class, area AUC how well "
        "the lesion's area alone does; difference is the one minus the other on the same images.",
        f"Shown to be better than the area: {better or 'none'}. Not shown to be better: "
        f"{others or 'none'}.",
    ]


def _cell(score: Score, name: str) -> str:
    if name not in score.values:
        return "not measured"
    value, low, high = score.values[name]
    return f"{value:.4f} ({low:.4f} to {high:.4f})"


def _words(name: str) -> str:
    return name.replace("_", " ")
