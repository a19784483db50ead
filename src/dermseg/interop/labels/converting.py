"""Convert masks from one label format to another."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import Final

import numpy as np

from dermseg.errors import ImageError, OutputError, UsageError
from dermseg.images import find_images, read_orientation, read_size
from dermseg.interop.labels import (
    coco,
    cvat,
    geojson,
    imagej,
    label_studio,
    labelme,
    rasters,
)
from dermseg.interop.labels.annotated import (
    LESION,
    AnnotatedImage,
    Decoder,
    Encoder,
    SizeLookup,
    refusing,
)
from dermseg.storage import write_chunks_atomically
from dermseg.types import BoolMask, Size

__all__ = ["LABEL_FORMATS", "Converted", "Habits", "LabelFormat", "convert", "recognise_format"]


@dataclass(frozen=True)
class LabelFormat:
    """One format of label tools.

    Attributes:
        title: As messages call it.
        suffixes: Of its files; the first is written.
        read: Reads all files of a folder, or one.
        write: Writes images into a folder.
    """

    title: str
    suffixes: tuple[str, ...]
    read: Callable[[Sequence[Path], SizeLookup], Iterator[AnnotatedImage]]
    write: Callable[[Iterable[AnnotatedImage], Path], None]


def _in_one_file(title: str, file_name: str, encode: Encoder, decode: Decoder) -> LabelFormat:
    def write(images: Iterable[AnnotatedImage], folder: Path) -> None:
        write_chunks_atomically(folder / file_name, encode(images))

    suffix = Path(file_name).suffix
    return LabelFormat(title, (suffix,), partial(_read_files, decode, title), write)


def _in_files(
    title: str, suffixes: tuple[str, ...], encode: Encoder, decode: Decoder
) -> LabelFormat:
    def write(images: Iterable[AnnotatedImage], folder: Path) -> None:
        for image in images:
            write_chunks_atomically(folder / f"{image.stem}{suffixes[0]}", encode([image]))

    return LabelFormat(title, suffixes, partial(_read_files, decode, title), write)


def _read_files(
    decode: Decoder, title: str, paths: Sequence[Path], sizes: SizeLookup
) -> Iterator[AnnotatedImage]:
    for path in paths:
        try:
            content = path.read_bytes()
        except OSError as error:
            raise ImageError(str(path), f"it could not be read ({error.strerror})") from error
        yield from refusing(decode(content, path.name, sizes), str(path), title)


_PICTURES = (".png", ".bmp", ".tif", ".tiff", ".jpg", ".jpeg", ".webp")

LABEL_FORMATS: Final[dict[str, LabelFormat]] = {
    "masks": LabelFormat(
        "masks", _PICTURES, lambda paths, _: rasters.read_masks(paths), rasters.write_masks
    ),
    "coco": _in_one_file("COCO", "annotations.json", coco.encode_run_lengths, coco.decode),
    "coco-polygons": _in_one_file("COCO", "annotations.json", coco.encode_polygons, coco.decode),
    "labelme": _in_files("labelme", (".json",), labelme.encode, labelme.decode),
    "cvat": _in_one_file("CVAT XML", "annotations.xml", cvat.encode, cvat.decode),
    "label-studio": _in_one_file(
        "Label Studio", "tasks.json", label_studio.encode, label_studio.decode
    ),
    "geojson": _in_files("GeoJSON", (".geojson", ".json"), geojson.encode, geojson.decode),
    "imagej": _in_files("ImageJ regions", (".zip", ".roi"), imagej.encode, imagej.decode),
    "napari": LabelFormat(
        "napari labels",
        (".tif", ".tiff"),
        lambda paths, _: rasters.read_layers(paths),
        rasters.write_layers,
    ),
}
"""Every label format by name; a new one is a row here and a file beside this one."""


@dataclass(frozen=True)
class Converted:
    """What was converted: how many images, and how many masks that are not empty, by label."""

    num_images: int
    num_masks: dict[str, int]


@dataclass(frozen=True)
class Habits:
    """What a label tool does in its own way.

    Attributes:
        lesion_label: What it calls the lesion.
        images: Folder of the photographs: gives the files' names, and their sizes where the
            format does not hold them.
        as_stored: Its masks lie as the photographs' pixels are stored, without their EXIF
            orientation; masks files always lie as a viewer shows the photograph.
    """

    lesion_label: str = LESION
    images: Path | None = None
    as_stored: bool = False


def convert(
    source: Path,
    output: Path,
    *,
    to: str,
    source_format: str | None = None,
    habits: Habits | None = None,
    overwrite: bool = False,
) -> Converted:
    """Convert masks, bit by bit, from one format to another.

    Args:
        source: A file of a label tool, or a folder of masks or such files.
        output: The folder to write into.
        to: A name from ``LABEL_FORMATS``.
        source_format: Another; None tells it by the content.
        habits: Those of the label tool, be it the source or the target.
        overwrite: Replace files that are there.

    Raises:
        UsageError: If a format is unknown, ``source`` is missing or holds nothing, ``output``
            holds files already, or two images have one name.
        ImageError: If a file cannot be read, or a photograph is needed that is not there.
        OutputError: If a file cannot be written.
    """
    _check_formats(to, source_format or to)
    habits = habits or Habits()
    if habits.as_stored and habits.images is None:
        message = "the stored orientation is known from the photographs: give their folder"
        raise UsageError(message)
    name = source_format or recognise_format(source)
    from_masks = name == "masks"
    if habits.as_stored and from_masks == (to == "masks"):
        message = "the stored orientation is that of a label tool's masks: convert from or to masks"
        raise UsageError(message)
    photographs = _Photographs(habits.images, turned=habits.as_stored and not from_masks)
    read = LABEL_FORMATS[name].read(_files_of(source, LABEL_FORMATS[name]), photographs.size_of)
    _make(output, overwrite=overwrite)
    result = Converted(0, {})

    def renamed() -> Iterator[AnnotatedImage]:
        nonlocal result
        seen: set[str] = set()
        for stored in read:
            if stored.stem in seen:
                message = f"{source}: two images are called {stored.stem}; rename one"
                raise UsageError(message)
            seen.add(stored.stem)
            image = stored
            if habits.as_stored:
                image = photographs.turn(stored, upright=not from_masks)
            image = photographs.name(_with_lesion(image, habits.lesion_label, to_tool=from_masks))
            for label, mask in image.masks.items():
                result.num_masks[label] = result.num_masks.get(label, 0) + bool(mask.any())
            result = replace(result, num_images=result.num_images + 1)
            yield image

    LABEL_FORMATS[to].write(renamed(), output)
    return result


def _check_formats(*names: str) -> None:
    for name in names:
        if name not in LABEL_FORMATS:
            message = f"no label format '{name}': expected one of {', '.join(LABEL_FORMATS)}"
            raise UsageError(message)


def _with_lesion(image: AnnotatedImage, label: str, *, to_tool: bool) -> AnnotatedImage:
    old, new = (LESION, label) if to_tool else (label, LESION)
    return replace(image, masks={new if key == old else key: m for key, m in image.masks.items()})


def _make(folder: Path, *, overwrite: bool) -> None:
    try:
        folder.mkdir(parents=True, exist_ok=True)
        if not overwrite and any(folder.iterdir()):
            message = f"{folder} holds files already: choose another folder, or pass --overwrite"
            raise UsageError(message)
    except OSError as error:
        message = f"{folder}: the folder cannot be made or read: {error.strerror}"
        raise OutputError(message) from error


def _files_of(source: Path, format: LabelFormat) -> list[Path]:
    if not source.is_dir():
        return [source]
    files = sorted(
        path
        for path in source.iterdir()
        if path.suffix.lower() in format.suffixes and not path.name.startswith(".")
    )
    if not files:
        message = f"{source} holds no {format.title} ({', '.join(format.suffixes)})"
        raise UsageError(message)
    return files


def recognise_format(source: Path) -> str:
    """The name of the format of a file, or of the files in a folder.

    Raises:
        UsageError: If it is none of ``LABEL_FORMATS``, or missing.
    """
    if not source.exists():
        message = f"{source} does not exist: give masks, or a file of a label tool"
        raise UsageError(message)
    files = [source] if source.is_file() else sorted(source.iterdir())
    by_suffix = {path.suffix.lower(): path for path in reversed(files) if path.is_file()}
    for suffix, name in ((".xml", "cvat"), (".zip", "imagej"), (".roi", "imagej")):
        if suffix in by_suffix:
            return name
    for suffix in (".geojson", ".json"):
        kind = _kind_of_json(by_suffix[suffix]) if suffix in by_suffix else None
        if kind is not None:
            return kind
    if by_suffix.keys() & {".tif", ".tiff"} and not by_suffix.keys() & {".png", ".bmp"}:
        return "napari"
    if by_suffix.keys() & {*_PICTURES}:
        return "masks"
    message = f"{source} holds no masks and nothing of {', '.join(LABEL_FORMATS)}; name the format"
    raise UsageError(message)


def _kind_of_json(path: Path) -> str | None:
    try:
        document = json.loads(path.read_bytes())
    except (OSError, ValueError, RecursionError) as error:
        raise ImageError(str(path), f"no JSON that can be read ({error})") from error
    first = document[0] if isinstance(document, list) and document else document
    marks = {
        "shapes": "labelme",
        "features": "geojson",
        "geometry": "geojson",
        "data": "label-studio",
    }
    keys = set(first) if isinstance(first, dict) else set()
    if {"images", "annotations"} <= keys:
        return "coco"
    return next((name for key, name in marks.items() if key in keys), None)


class _Photographs:
    """The photographs of masks, by their names without suffix.

    Args:
        folder: Where they are, with all folders in it; None if nobody said.
        turned: Whether sizes are those of the stored pixels.
    """

    def __init__(self, folder: Path | None, *, turned: bool) -> None:
        found = [] if folder is None else find_images(folder, recursive=True)
        self._paths = {path.stem: path for path in found}
        self._turned = turned

    def path_of(self, stem: str) -> Path:
        if stem not in self._paths:
            raise ImageError(stem, "its photograph is needed and not there; give --images FOLDER")
        return self._paths[stem]

    def size_of(self, file_name: str) -> Size:
        path = self.path_of(AnnotatedImage(file_name, (1, 1)).stem)
        height, width = read_size(path)
        is_turned = self._turned and read_orientation(path) >= 5
        return (width, height) if is_turned else (height, width)

    def name(self, image: AnnotatedImage) -> AnnotatedImage:
        path = self._paths.get(image.stem)
        return image if path is None else replace(image, file_name=path.name)

    def turn(self, image: AnnotatedImage, *, upright: bool) -> AnnotatedImage:
        """From the stored orientation to that of a viewer, or back."""
        orientation = read_orientation(self.path_of(image.stem))
        masks = {k: _turn(mask, orientation, upright=upright) for k, mask in image.masks.items()}
        size = image.size[::-1] if orientation >= 5 else image.size
        return AnnotatedImage(image.file_name, size, masks)


def _turn(mask: BoolMask, orientation: int, *, upright: bool) -> BoolMask:
    turns: dict[int, Callable[[BoolMask], BoolMask]] = {
        1: lambda m: m,
        2: np.fliplr,
        3: lambda m: np.rot90(m, 2),
        4: np.flipud,
        5: np.transpose,
        6: lambda m: np.rot90(m, -1 if upright else 1),
        7: lambda m: np.rot90(m, 2).T,
        8: lambda m: np.rot90(m, 1 if upright else -1),
    }
    return np.ascontiguousarray(turns[orientation](mask))
