"""Match the files of each image by id, and list them in ``files.csv``."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path, PurePosixPath
from typing import Final

from dermseg.csv_text import encode_csv
from dermseg.datasets.identity import archive_id, normal_id
from dermseg.datasets.pairing import mask_id
from dermseg.errors import DatasetError, UsageError
from dermseg.evaluation.masks import (
    PROBABILITY_ENDING,
    MaskFile,
    list_masks,
    list_probabilities,
)
from dermseg.prediction import TABLE, Quality, read_rows
from dermseg.storage import Archive, StoredFile, read_table, write_bytes_atomically
from dermseg.types import Sample

__all__ = [
    "FILES_NAME",
    "ImageFiles",
    "MaskPair",
    "Matching",
    "Skipped",
    "find_lesions",
    "match_folders",
    "match_samples",
    "read_files",
    "with_images",
    "write_files",
]


FILES_NAME: Final = "files.csv"

_COLUMNS = ("id", "image", "truth", "prediction")
_IN_ARCHIVE = ".zip!"


@dataclass(frozen=True)
class MaskPair:
    """A truth with its prediction, as files.

    Attributes:
        id: The image.
        truth: The true mask.
        prediction: The predicted mask.
        probability: The probabilities as 8-bit grey values, if there are any.
        image: The photograph, if it is known.
        quality: What the model expected of its mask, if it said so.
    """

    id: str
    truth: MaskFile
    prediction: MaskFile
    probability: MaskFile | None = None
    image: Path | None = None
    quality: Quality | None = None


@dataclass(frozen=True)
class Skipped:
    """An image without scores, and why.

    Attributes:
        id: The image.
        reason: For people.
        kind: For counting: ``missing``, ``no truth``, ``duplicate``, ``size`` or ``unreadable``.

    Example:
        >>> print(Skipped("ISIC_0000000", "no prediction"))
        ISIC_0000000: no prediction
    """

    id: str
    reason: str
    kind: str = "unreadable"

    def __str__(self) -> str:
        return f"{self.id}: {self.reason}"


@dataclass(frozen=True)
class Matching:
    """Truths and predictions, matched.

    Attributes:
        pairs: Sorted by id.
        skipped: Images that cannot be scored, sorted by id.
        extra: Ids of predictions without truth, sorted; they play no part in the scores.
    """

    pairs: tuple[MaskPair, ...]
    skipped: tuple[Skipped, ...]
    extra: tuple[str, ...]


@dataclass(frozen=True)
class ImageFiles:
    """The files of one image; None where one is not known.

    Attributes:
        image: The photograph.
        truth: The true mask.
        prediction: The predicted mask.
    """

    image: Path | None = None
    truth: MaskFile | None = None
    prediction: MaskFile | None = None


def match_folders(truth_dir: Path, predictions_dir: Path) -> Matching:
    """Match two folders, or ZIP archives, of masks.

    In both, ``NAME_segmentation.png``, ``NAME_Segmentation.png``, ``NAME_mask.png`` and
    ``NAME.png`` belong to the image NAME; other image formats do too. ``NAME_probability.png``
    beside the predictions holds the probabilities. An image with two truths or two predictions is
    skipped: which one is meant would be a guess.

    Raises:
        DatasetError: If a folder is missing, or the truth folder has no mask.
    """
    truths = _by_id(list_masks(truth_dir, "truth masks"), mask_id)
    if not truths:
        raise DatasetError(
            f"{truth_dir}: no mask is in this folder; expected files such as NAME_segmentation.png"
        )
    return _match(truths, predictions_dir)


def find_lesions(folder: Path) -> dict[str, MaskFile]:
    """Find the lesion masks in a folder or ZIP archive, by image.

    Raises:
        DatasetError: If there is no such folder, it has no mask, or two masks of one image.
    """
    found = _by_id(list_masks(folder, "lesion masks"), mask_id)
    if not found:
        raise DatasetError(
            f"{folder}: no mask is in this folder; expected files such as NAME_segmentation.png"
        )
    for id, files in found.items():
        if len(files) > 1:
            names = ", ".join(file.name for file in files)
            raise DatasetError(f"{folder}: {id} has {len(files)} masks, {names}. Keep one of them.")
    return {id: files[0] for id, files in found.items()}


def match_samples(samples: Iterable[Sample], predictions_dir: Path) -> Matching:
    """Match samples of a dataset and a folder of masks named as in `match_folders`.

    Samples without a mask are skipped. The pairs know their images.

    Raises:
        DatasetError: If the folder is missing.
    """
    samples = tuple(samples)
    truths = {sample.id: [sample.mask] if sample.mask else [] for sample in samples}
    matching = _match(truths, predictions_dir)
    return with_images(matching, {sample.id: sample.image for sample in samples})


def with_images(matching: Matching, images: Mapping[str, Path]) -> Matching:
    """Return the matching with the images of its pairs by id, where there are any."""
    pairs = tuple(replace(pair, image=images.get(pair.id, pair.image)) for pair in matching.pairs)
    return replace(matching, pairs=pairs)


def write_files(folder: Path, ids: Iterable[str], files: Mapping[str, ImageFiles]) -> None:
    """Write ``files.csv`` with the columns id, image, truth and prediction.

    Paths inside the folder are written relative to it, so that it can be moved; others are
    absolute. A member of an archive is written as ``archive.zip!member``. Unknown files are empty.

    Args:
        folder: The evaluation's folder; it must exist.
        ids: A row each, in this order.
        files: What is known of them.

    Raises:
        OutputError: If the file cannot be written.
    """
    known = ((id, files.get(id, ImageFiles())) for id in ids)
    rows = (
        [id, *(_written(file, folder) for file in (each.image, each.truth, each.prediction))]
        for id, each in known
    )
    # File names may hold bytes that are no text; they come back as they were.
    content = encode_csv(_COLUMNS, rows, errors="surrogateescape")
    write_bytes_atomically(folder / FILES_NAME, content)


def read_files(folder: Path) -> dict[str, ImageFiles]:
    """Read ``files.csv`` of an evaluation's folder; empty where there is none.

    Whether the files are still there is not checked; a member of an archive that is gone counts as
    not known.

    Raises:
        DatasetError: If the file is not the table that `write_files` writes.
    """
    path = folder / FILES_NAME
    if not path.is_file():
        return {}
    table = read_table(path, what="the table", refuse=DatasetError, may_hold_any_name=True)
    if table.columns != _COLUMNS:
        raise DatasetError(f"{path}: expected the columns {','.join(_COLUMNS)}; evaluate again")
    archives: dict[str, Archive | None] = {}
    return {
        id: ImageFiles(
            folder / image if image else None,
            _read(truth, folder, archives),
            _read(prediction, folder, archives),
        )
        for id, image, truth, prediction in table.rows
    }


def _match(
    truths: Mapping[str, list[MaskFile]] | Mapping[str, list[Path]], folder: Path
) -> Matching:
    numbers: dict[str, list[str]] = {}
    for id in truths:
        numbers.setdefault(archive_id(id) or "", []).append(id)
    identify = partial(_prediction_id, truths=truths, numbers=numbers)
    predictions = _by_id(list_masks(folder, "predicted masks"), identify)
    probabilities = _by_id(list_probabilities(folder), _probability_id)
    qualities = _qualities(folder)
    pairs, skipped = [], []
    for id in sorted(truths):
        true, predicted = truths[id], predictions.get(id, [])
        if not true:
            skipped.append(Skipped(id, "the dataset has no mask for it", "no truth"))
        elif not predicted:
            skipped.append(Skipped(id, f"no prediction in {folder}", "missing"))
        elif len(true) > 1 or len(predicted) > 1:
            what, files = ("truths", true) if len(true) > 1 else ("predictions", predicted)
            names = ", ".join(file.name for file in files)
            reason = f"{len(files)} {what}: {names}. Keep one of them."
            skipped.append(Skipped(id, reason, "duplicate"))
        else:
            (probability, *_) = probabilities.get(id, [None])
            quality = qualities.get(str(predicted[0]))
            pairs.append(MaskPair(id, true[0], predicted[0], probability, quality=quality))
    extra = sorted(predictions.keys() - truths.keys())
    return Matching(tuple(pairs), tuple(skipped), tuple(extra))


def _qualities(folder: Path) -> dict[str, Quality]:
    """Read the expected quality of each mask from the table that `dermseg predict` wrote."""
    found = {}
    for row in read_rows(folder):
        if not row["mask"] or not row["expected_jaccard"]:
            continue
        expected = _parse_share(row["expected_jaccard"])
        if expected is None:
            message = (
                f"{folder / TABLE}: the expected_jaccard of {row['mask']} is "
                f"'{row['expected_jaccard']}', expected a number from 0 to 1. Predict again, or "
                "take the table away: masks are scored without it, too."
            )
            raise DatasetError(message)
        found[str(folder / row["mask"])] = Quality(expected, row["review"] == "1")
    return found


def _parse_share(text: str) -> float | None:
    try:
        value = float(text)
    except ValueError:
        return None
    return value if 0 <= value <= 1 else None


def _by_id(files: Iterable[MaskFile], identify: Callable[[Path], str]) -> dict[str, list[MaskFile]]:
    found: dict[str, list[MaskFile]] = {}
    for file in files:
        # In archives that Windows made, backslashes stand between folders.
        name = file.name if isinstance(file, Path) else file.name.rpartition("\\")[2]
        found.setdefault(identify(Path(name)), []).append(file)
    return found


def _prediction_id(
    path: Path, truths: Collection[str], numbers: Mapping[str, Sequence[str]]
) -> str:
    """The image of a predicted mask: by its name or, as ISIC's scorer does, by the number in it."""
    id = mask_id(path, truths)
    same = numbers.get(archive_id(id) or "-", ())
    return same[0] if id not in truths and len(same) == 1 else id


def _probability_id(path: Path) -> str:
    return normal_id(PurePosixPath(path.name).stem.removesuffix(PROBABILITY_ENDING))


def _written(file: MaskFile | None, folder: Path) -> str:
    if file is None:
        return ""
    if isinstance(file, StoredFile):
        if isinstance(file.storage, Archive):
            return f"{file.storage.path.resolve()}!{file.key}"
        file = Path(str(file))
    absolute, home = file.resolve(), folder.resolve()
    if absolute.is_relative_to(home):
        return str(PurePosixPath(absolute.relative_to(home)))
    return str(absolute)


def _read(text: str, folder: Path, archives: dict[str, Archive | None]) -> MaskFile | None:
    if not text:
        return None
    name, separator, member = text.partition(_IN_ARCHIVE)
    if not separator:
        return folder / text
    archive = f"{name}{_IN_ARCHIVE[:-1]}"
    if archive not in archives:
        archives[archive] = _open_archive(Path(archive))
    opened = archives[archive]
    return None if opened is None else StoredFile(opened, member)


def _open_archive(path: Path) -> Archive | None:
    try:
        # A pipe would be waited for.
        return Archive(path) if path.is_file() else None
    except UsageError:
        return None
