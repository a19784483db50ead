"""``dermseg predict``."""

from __future__ import annotations

import json
import math
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, cast

import typer

from dermseg.cli.push import fetched
from dermseg.cli.terminal import print_line, print_text
from dermseg.errors import UsageError

if TYPE_CHECKING:
    from dermseg.package import Precision, RuntimeName
    from dermseg.prediction import Existing, Predictor

__all__ = ["predict"]


def predict(
    inputs: Annotated[list[str], typer.Argument(help="Images, or folders of images.")],
    output: Annotated[str, typer.Option("-o", "--output", help="Folder for the results.")],
    model: Annotated[
        str | None,
        typer.Option(help="A shipped model's name, a package's folder, or hf:owner/name@revision."),
    ] = None,
    attributes: Annotated[
        bool,
        typer.Option(
            "--attributes",
            help="Also find structures inside the lesion, and write a mask for each; --model then "
            "finds the lesion. Experimental.",
        ),
    ] = False,
    threshold: Annotated[
        float | None, typer.Option(help="Probability from which a pixel is lesion.")
    ] = None,
    probability: Annotated[
        bool,
        typer.Option(
            "--probability", help="Also write NAME_probability.png, and one for each attribute."
        ),
    ] = False,
    mask_format: Annotated[
        str,
        typer.Option(
            "--format",
            help="png: a mask and an overlay for each image. coco: all masks as run lengths in "
            "predictions.coco.json, and no overlays. dicom: for DICOM photographs, a segmentation "
            "and a report of each; dicom-probability: with probabilities in place of masks.",
        ),
    ] = "png",
    no_overlay: Annotated[
        bool, typer.Option("--no-overlay", help="Do not write NAME_overlay.jpg.")
    ] = False,
    no_index: Annotated[
        bool,
        typer.Option(
            "--no-index", help="Do not write index.html, a page of all images, most doubtful first."
        ),
    ] = False,
    recursive: Annotated[
        bool, typer.Option("--recursive", help="Look into subfolders, and keep their paths.")
    ] = False,
    spacing_mm: Annotated[
        float | None, typer.Option(help="Width of a pixel in mm, for measurements in mm.")
    ] = None,
    batch_size: Annotated[int, typer.Option(min=1, help="Images per inference.")] = 8,
    workers: Annotated[
        int | None,
        typer.Option(
            min=1,
            help="Threads that read, and as many that write; by default one per core, at most 4.",
        ),
    ] = None,
    runtime: Annotated[
        str,
        typer.Option(help="onnx, openvino, or auto: CUDA, else OpenVINO where it is installed."),
    ] = "auto",
    precision: Annotated[
        str, typer.Option(help="float32, or auto: the fastest of this machine.")
    ] = "auto",
    max_megapixels: Annotated[
        float, typer.Option(help="Refuse larger images, as a guard against hostile files.")
    ] = 200,
    force: Annotated[
        bool,
        typer.Option("--force", help="Also write masks of images that the model was not made for."),
    ] = False,
    overwrite: Annotated[
        bool, typer.Option("--overwrite", help="Replace results that are there.")
    ] = False,
    skip_existing: Annotated[
        bool, typer.Option("--skip-existing", help="Continue: keep whole results that are there.")
    ] = False,
    as_json: Annotated[
        bool, typer.Option("--json", help="Print a summary for machines on standard output.")
    ] = False,
) -> None:
    """Write a mask, an overlay and measurements for every image, and a page that shows them all.

    Masks have the image's native size, in the orientation that a viewer shows (EXIF applied).
    With --attributes, or a model of attributes, NAME_attribute_CLASS.png is the mask of each.
    An image that cannot be read, or that the model was not made for, is named and skipped.
    This is no diagnosis.
    """
    from dermseg.prediction import (
        MASK_FORMATS,
        OutputOptions,
        open_output,
        plan_jobs,
        predict_jobs,
        share_heap,
    )
    from dermseg.prediction.left_out import find_left_out
    from dermseg.prediction.measurements import attribute_columns
    from dermseg.prediction.naming import INDEX
    from dermseg.progress import track
    from dermseg.storage import lock_folder, open_sink

    if overwrite and skip_existing:
        message = "--overwrite and --skip-existing exclude each other: give one of them"
        raise UsageError(message)
    if spacing_mm is not None and not 0 < spacing_mm < math.inf:
        message = f"--spacing-mm is {spacing_mm}, expected a number above 0"
        raise UsageError(message)
    if mask_format not in MASK_FORMATS:
        message = f"--format is '{mask_format}', expected {' or '.join(MASK_FORMATS)}"
        raise UsageError(message)
    share_heap()
    predictor = _load(
        fetched(model),
        attributes=attributes,
        threshold=threshold,
        max_megapixels=max_megapixels,
        runtime=cast("RuntimeName", runtime),  # checked by the model
        precision=cast("Precision", precision),
    )
    jobs = plan_jobs(inputs, recursive=recursive, attributes=predictor.spec.attributes)
    options = OutputOptions(
        overlay=MASK_FORMATS[mask_format].with_overlay and not no_overlay,
        probability=probability,
        spacing_mm=spacing_mm,
        masks=mask_format,
        force=force,
        index=not no_index,
    )
    existing: Existing = "overwrite" if overwrite else "skip" if skip_existing else "refuse"
    num_found = dict.fromkeys(predictor.spec.attributes, 0)
    failures = []
    with lock_folder(Path(output)):
        todo, kept = open_output(output, jobs, predictor, options, existing=existing)
        results = predict_jobs(
            predictor, todo, output, options, kept=kept, batch_size=batch_size, workers=workers
        )
        # Not all rows are kept: they may be a million.
        for _, row in track(results, len(todo), "predicting"):
            if "error" in row:
                failures.append({key: row[key] for key in ("file", "error")})
            else:
                for name in num_found:
                    num_found[name] += bool(row[attribute_columns(name)[0]])
    counts = {"num_predicted": len(todo) - len(failures), "num_kept": len(kept)}
    summary = _describe(predictor, num_found) | {"output": output} | counts
    if not no_index:
        summary["index"] = open_sink(output).locate(INDEX)
    left_out = find_left_out(inputs, (str(job.source) for job in jobs), recursive=recursive)
    summary |= {"failures": failures, "not_looked_at": left_out.as_json()}
    _report(summary, str(left_out), as_json=as_json)
    if failures:
        raise typer.Exit(1)


def _load(model: str | None, *, attributes: bool, **options: Any) -> Predictor:  # noqa: ANN401
    from dermseg.package import ATTRIBUTE_MODEL, load_package
    from dermseg.prediction import load_model

    if not attributes or (model and load_package(model).spec.needs_lesion_model):
        return load_model(model, **options)
    return load_model(ATTRIBUTE_MODEL, lesion_model=model, **options)


def _describe(predictor: Predictor, num_found: dict[str, int]) -> dict[str, Any]:
    """Describe the models used, and in how many images each attribute was found."""
    lesion = predictor.lesion or predictor
    described = {
        "model": predictor.spec.name,
        "runtime": predictor.runtime.name,
        "precision": predictor.runtime.precision,
        "threshold": lesion.postprocessing.threshold,
        "experimental": predictor.spec.experimental,
    }
    if predictor.lesion is not None:
        described["lesion_model"] = predictor.lesion.spec.name
    if num_found:
        described["attributes"] = {
            name: {"threshold": predictor.postprocessing.threshold_of(name), "num_found": number}
            for name, number in num_found.items()
        }
    return described


def _report(summary: dict[str, Any], left_out: str, *, as_json: bool) -> None:
    from dermseg.prediction.quality import REFUSALS

    failures: Sequence[dict[str, str]] = summary["failures"]
    for failure in failures:
        print_line(f"dermseg: {failure['file']}: {failure['error']}", err=True)
    if left_out:
        print_line(left_out, err=True)
    if as_json:
        print_text(json.dumps(summary, indent=1))
        return
    kept = f", {summary['num_kept']} kept from before" if summary["num_kept"] else ""
    num_refused = sum(failure["error"] in REFUSALS for failure in failures)
    num_failed = len(failures) - num_refused
    failed = f", {num_failed} failed" if num_failed else ""
    refused = f", {num_refused} refused (--force writes their masks)" if num_refused else ""
    written = f"{summary['num_predicted']} masks written to {summary['output']}"
    print_line(f"{written}{kept}{failed}{refused}")
    for name, attribute in summary.get("attributes", {}).items():
        print_line(f"{name.replace('_', ' ')}: in {attribute['num_found']} of these images")
    if "index" in summary:
        print_line(f"overview: {summary['index']}")
    if summary["experimental"]:
        print_line(
            f"experimental: the model {summary['model']} has not shown that it finds this in "
            "photographs; its MODEL_CARD.md says what is known"
        )
