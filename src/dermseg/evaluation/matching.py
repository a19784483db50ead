"""Which prediction belongs to which truth, by id."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from dermseg.datasets.pairing import files_by_id, find_masks, mask_id
from dermseg.errors import DatasetError
from dermseg.types import Sample

__all__ = ["Matching", "Pair", "Skipped", "match_folders", "match_samples"]


@dataclass(frozen=True)
class Pair:
    """A truth with its prediction, as files."""

    id: str
    truth: Path
    prediction: Path


@dataclass(frozen=True)
class Skipped:
    """An image without scores, and why.

    Example:
        >>> print(Skipped("ISIC_0000000", "no prediction"))
        ISIC_0000000: no prediction
    """

    id: str
    reason: str

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

    pairs: tuple[Pair, ...]
    skipped: tuple[Skipped, ...]
    extra: tuple[str, ...]


def match_folders(truth_dir: Path, predictions_dir: Path) -> Matching:
    """Match two folders of masks.

    In both, ``NAME_segmentation.png``, ``NAME_Segmentation.png``, ``NAME_mask.png`` and
    ``NAME.png`` belong to the image NAME; other image formats do too.

    Raises:
        DatasetError: If a folder is missing, the truth folder has no mask, or two files in a
            folder belong to the same image.
    """
    _check_folder(truth_dir, "truth masks")
    truths = files_by_id(find_masks(truth_dir), mask_id)
    if not truths:
        raise DatasetError(
            f"{truth_dir}: no mask is in this folder; expected files such as NAME_segmentation.png"
        )
    return _match(truths, predictions_dir)


def match_samples(samples: Iterable[Sample], predictions_dir: Path) -> Matching:
    """Match samples of a dataset and a folder of masks named as in `match_folders`.

    Samples without a mask are skipped.

    Raises:
        DatasetError: If the folder is missing, or two files in it belong to the same image.
    """
    return _match({sample.id: sample.mask for sample in samples}, predictions_dir)


def _match(truths: Mapping[str, Path | None], predictions_dir: Path) -> Matching:
    _check_folder(predictions_dir, "predicted masks")
    identify = partial(mask_id, known=truths)
    predictions = files_by_id(find_masks(predictions_dir), identify)
    pairs, skipped = [], []
    for id in sorted(truths):
        truth, prediction = truths[id], predictions.get(id)
        if truth is None:
            skipped.append(Skipped(id, "the dataset has no mask for it"))
        elif prediction is None:
            skipped.append(Skipped(id, f"no prediction in {predictions_dir}"))
        else:
            pairs.append(Pair(id, truth, prediction))
    extra = sorted(predictions.keys() - truths.keys())
    return Matching(tuple(pairs), tuple(skipped), tuple(extra))


def _check_folder(folder: Path, what: str) -> None:
    if not folder.is_dir():
        raise DatasetError(f"{folder}: no such folder. Give the folder that holds the {what}.")
