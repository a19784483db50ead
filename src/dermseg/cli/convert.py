"""``dermseg convert``."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated

import typer

from dermseg.cli.terminal import print_line

__all__ = ["convert"]


def convert(
    masks: Annotated[
        Path, typer.Argument(help="Folder of masks, or what a label tool exported: file or folder.")
    ],
    output: Annotated[Path, typer.Option("-o", "--output", help="Folder for the result.")],
    to: Annotated[
        str,
        typer.Option(
            help="masks, coco, coco-polygons, labelme, cvat, label-studio, geojson (QuPath), "
            "imagej or napari."
        ),
    ],
    source_format: Annotated[
        str | None, typer.Option("--from", help="Format of the input, if its content misleads.")
    ] = None,
    images: Annotated[
        Path | None,
        typer.Option(help="Folder of the photographs, for their names, sizes and orientations."),
    ] = None,
    lesion_label: Annotated[
        str, typer.Option(help="What the label tool calls the lesion.")
    ] = "lesion",
    as_stored: Annotated[
        bool,
        typer.Option(
            "--as-stored",
            help="The label tool ignores the photographs' EXIF orientation. Needs --images.",
        ),
    ] = False,
    overwrite: Annotated[
        bool, typer.Option("--overwrite", help="Write into a folder that holds files.")
    ] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print the counts as JSON.")] = False,
) -> None:
    """Convert masks to the format of a label tool, or back, bit by bit.

    NAME_segmentation.png is the lesion, NAME_attribute_LABEL.png another label. What was drawn in
    a label tool becomes masks with --to masks. Nothing is lost but what a format cannot hold.
    """
    from dermseg.interop.labels import Habits
    from dermseg.interop.labels import convert as convert_masks

    done = convert_masks(
        masks,
        output,
        to=to,
        source_format=source_format,
        habits=Habits(lesion_label, images, as_stored),
        overwrite=overwrite,
    )
    if as_json:
        print_line(json.dumps({"num_images": done.num_images, "num_masks": done.num_masks}))
        return
    found = ", ".join(f"{label} in {number}" for label, number in done.num_masks.items())
    print_line(f"{done.num_images} images written to {output}: {found or 'no masks'}")
