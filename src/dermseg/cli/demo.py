"""``dermseg demo``."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from dermseg.cli.terminal import print_line

__all__ = ["demo"]

_NUM_IMAGES = 8
_SIZE = (768, 1024)


def demo(
    output: Annotated[Path, typer.Option("-o", "--output", help="Folder for the results.")] = Path(
        "dermseg-demo"
    ),
    num_images: Annotated[int, typer.Option(min=1, help="Images to generate.")] = _NUM_IMAGES,
) -> None:
    """Generate example images, predict them with the packaged model, and score the masks.

    Needs nothing else: no images, no download. The generated images' exact masks are the truth.
    """
    from rich.console import Console
    from rich.table import Table

    from dermseg.images import read_mask, write_image, write_mask
    from dermseg.metrics import jaccard
    from dermseg.phantom import create_phantom
    from dermseg.prediction import (
        MASK_ENDING,
        OutputOptions,
        load_model,
        open_output,
        plan_jobs,
        predict_jobs,
    )
    from dermseg.prediction.naming import INDEX
    from dermseg.progress import track
    from dermseg.storage import make_folder

    images, truth, predictions = (output / name for name in ("images", "truth", "predictions"))
    for folder in (images, truth):
        make_folder(folder)
    names = [f"phantom_{seed:03d}" for seed in range(num_images)]
    for seed, name in track(enumerate(names), num_images, "generating images"):
        phantom = create_phantom(seed, size=_SIZE)
        write_image(images / f"{name}.jpg", phantom.image)
        write_mask(truth / f"{name}{MASK_ENDING}", phantom.mask)
    predictor = load_model()
    jobs = plan_jobs([images / f"{name}.jpg" for name in names], recursive=False)
    # Generated images are no photographs: a model may say so.
    options = OutputOptions(force=True, index=True)
    todo, _ = open_output(predictions, jobs, predictor, options, existing="overwrite")
    table = Table("image", "lesion, % of image", "diameter, pixels", "Jaccard", "seconds")
    scores = []
    results = predict_jobs(predictor, todo, predictions, options)
    for job, row in track(results, num_images, "predicting"):
        mask = read_mask(predictions / job.key(MASK_ENDING))
        scores.append(jaccard(mask, read_mask(truth / f"{job.stem.name}{MASK_ENDING}")))
        table.add_row(
            job.source.name,
            f"{100 * row['area_share']:.1f}",
            f"{row['longest_diameter']:.0f}",
            f"{scores[-1]:.3f}",
            f"{row['seconds']:.2f}",
        )
    Console().print(table)
    print_line(f"mean Jaccard index against the exact masks: {sum(scores) / len(scores):.3f}")
    print_line(f"generated images: {images}")
    print_line(f"masks, overlays and predictions.csv: {predictions}")
    print_line("Generated images are not patients: these figures say that it runs, no more.")
    print_line(f"look at them: {predictions / INDEX}")
