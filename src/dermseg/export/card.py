"""The model card: what a model is, was trained on, scores, and is not for."""

from __future__ import annotations

from dermseg.package import ModelSpec, Score

__all__ = ["model_card"]

_HEADS = {
    "sigmoid": "Each class has a probability of its own (sigmoid).",
    "softmax": "The probabilities of background and classes sum to 1 (softmax).",
}


def model_card(spec: ModelSpec) -> str:
    """Write the card of a package as Markdown; every figure comes from the spec."""
    origin = spec.provenance
    height, width = spec.input_size
    sources = "\n".join(
        f"- {source.name}, licence {source.licence}: a folder of {source.num_images} images with "
        f"masks, of which only those above were used; fingerprint `{source.fingerprint[:16]}`"
        for source in origin.data
    )
    scores = "\n".join(_score_lines(score) for score in origin.scores)
    return f"""# Model card: {spec.name}

{spec.description}. Classes: {", ".join(spec.classes)}. Licence: {spec.licence}.

**Not a medical device, and no diagnosis.** The masks say where a lesion is, never what it is.

## Intended use
Drawing the border of a single skin lesion in a dermoscopic photograph, for archives, research and
teaching. Not for clinical photographs taken without a dermatoscope, histology, or images with
several lesions, and not for any decision about a patient.

## How it works
Network `{origin.network}`, {origin.num_parameters:,} parameters; every image is resized to
{width}x{height} pixels (width x height), the probability is brought back to the image's size, and a
pixel belongs to the lesion from {spec.postprocessing.threshold} upwards. {_HEADS[spec.head]}

## Training
Recipe `{origin.recipe}`, seed {origin.seed}, {origin.epochs} epochs (best: {origin.best_epoch}),
commit `{origin.commit}`. {len(origin.training_ids)} images were trained on;
{len(origin.selection_ids)} others of the training part chose the checkpoint. All ids are in
`model.json`.

{sources}

## Scores
{scores or "None measured yet."}

{_precision(spec)}
"""


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


def _score_lines(score: Score) -> str:
    note = " (these images chose the checkpoint: the figures flatter)" * score.used_for_selection
    rows = "\n".join(
        f"| {name} | {value:.4f} | {low:.4f} to {high:.4f} |"
        for name, (value, low, high) in score.values.items()
    )
    return (
        f"On {score.on}, {score.num_images} images{note}:\n\n"
        f"| measure | value | 95 % interval |\n|---|---|---|\n{rows}\n"
    )
