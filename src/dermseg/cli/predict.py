"""``dermseg predict``."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, cast

import typer

from dermseg.errors import UsageError

if TYPE_CHECKING:
    from dermseg.package import Precision, RuntimeName
    from dermseg.prediction import Existing, MaskFormat

__all__ = ["predict", "with_progress"]


def predict(
    inputs: Annotated[list[Path], typer.Argument(help="Images, or folders of images.")],
    output: Annotated[Path, typer.Option("-o", "--output", help="Folder for the results.")],
    model: Annotated[
        str | None, typer.Option(help="A shipped model's name or a package's folder.")
    ] = None,
    threshold: Annotated[
        float | None, typer.Option(help="Probability from which a pixel is lesion.")
    ] = None,
    probability: Annotated[
        bool, typer.Option("--probability", help="Also write NAME_probability.png.")
    ] = False,
    mask_format: Annotated[
        str,
        typer.Option(
            "--format",
            help="png: a mask and an overlay for each image. coco: all masks as run lengths in "
            "predictions.coco.json, and no overlays.",
        ),
    ] = "png",
    no_overlay: Annotated[
        bool, typer.Option("--no-overlay", help="Do not write NAME_overlay.jpg.")
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
    """Write a mask, an overlay and measurements for every image.

    Masks have the image's native size, in the orientation that a viewer shows (EXIF applied).
    An image that cannot be read is named and skipped. This is no diagnosis.
    """
    from dermseg.prediction import (
        OutputOptions,
        load_model,
        open_output,
        plan_jobs,
        predict_jobs,
        share_heap,
    )

    if overwrite and skip_existing:
        message = "--overwrite and --skip-existing exclude each other: give one of them"
        raise UsageError(message)
    if spacing_mm is not None and not spacing_mm > 0:
        message = f"--spacing-mm is {spacing_mm}, expected a number above 0"
        raise UsageError(message)
    if mask_format not in ("png", "coco"):
        message = f"--format is '{mask_format}', expected png or coco"
        raise UsageError(message)
    share_heap()
    jobs = plan_jobs(inputs, recursive=recursive)
    predictor = load_model(
        model,
        threshold=threshold,
        max_megapixels=max_megapixels,
        runtime=cast("RuntimeName", runtime),  # checked by the model
        precision=cast("Precision", precision),
    )
    options = OutputOptions(
        overlay=mask_format == "png" and not no_overlay,
        probability=probability,
        spacing_mm=spacing_mm,
        masks=cast("MaskFormat", mask_format),
    )
    existing: Existing = "overwrite" if overwrite else "skip" if skip_existing else "refuse"
    todo, kept = open_output(output, jobs, predictor, options, existing=existing)
    results = predict_jobs(
        predictor, todo, output, options, kept=kept, batch_size=batch_size, workers=workers
    )
    # Not all rows: they may be a million.
    done = with_progress(results, len(todo), "predicting")
    failures = [row for _, row in done if "error" in row]
    _report(
        {
            "model": predictor.spec.name,
            "runtime": predictor.runtime.name,
            "precision": predictor.runtime.precision,
            "threshold": predictor.postprocessing.threshold,
            "output": str(output),
            "num_predicted": len(todo) - len(failures),
            "num_kept": len(kept),
            "failures": [{key: row[key] for key in ("file", "error")} for row in failures],
        },
        as_json=as_json,
    )
    if failures:
        raise typer.Exit(1)


def with_progress(items: Iterable[Any], total: int, what: str) -> Iterator[Any]:
    """Show a progress bar on standard error while iterating, if it is a terminal."""
    if not sys.stderr.isatty():
        yield from items
        return
    # Here, because importing rich takes as long as predicting an image.
    from rich.console import Console
    from rich.progress import track

    yield from track(items, description=what, total=total, console=Console(stderr=True))


def _report(summary: dict[str, Any], *, as_json: bool) -> None:
    failures: Sequence[dict[str, str]] = summary["failures"]
    for failure in failures:
        typer.echo(f"dermseg: {failure['file']}: {failure['error']}", err=True)
    if as_json:
        typer.echo(json.dumps(summary, indent=1))
        return
    kept = f", {summary['num_kept']} kept from before" if summary["num_kept"] else ""
    failed = f", {len(failures)} failed" if failures else ""
    typer.echo(f"{summary['num_predicted']} masks written to {summary['output']}{kept}{failed}")
