"""Images that a model has seen before it is scored on them."""

from __future__ import annotations

import warnings
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeAlias

from dermseg.datasets import LESION, Dataset, archive_id, dataset_fingerprint
from dermseg.datasets.listing import list_some
from dermseg.errors import ImageError, RunError, UsageError
from dermseg.package import ModelSpec, list_packages, load_package
from dermseg.storage import read_json, read_table

__all__ = [
    "AuditedPair",
    "Checks",
    "EvaluationWarning",
    "Leaks",
    "check_leaks",
    "find_leaks",
    "find_predictions_leaks",
    "read_pairs",
]

AuditedPair: TypeAlias = tuple[str, str]
"""Two images that show the same, see `_image_key`."""


@dataclass(frozen=True)
class Leaks:
    """The images that a model has seen of those that it is scored on; ids are sorted.

    Attributes:
        model: The model's name.
        num_images: How many images it is scored on.
        is_recorded: Whether its package says which images it was trained on.
        trained: Images that it was trained on.
        selected: Images that it was not trained on, but that chose its checkpoint.
        same_lesion: Other images of a lesion that it has seen, as far as the dataset tells.
        copies: Images that an audit found to show the same as one that it has seen.
        unsure: Images that only have the name of a seen one: nothing tells whether they are that
            image.
    """

    model: str
    num_images: int
    is_recorded: bool
    trained: tuple[str, ...] = ()
    selected: tuple[str, ...] = ()
    same_lesion: tuple[str, ...] = ()
    copies: tuple[str, ...] = ()
    unsure: tuple[str, ...] = ()

    @property
    def num_seen(self) -> int:
        """Number of images that it has seen: themselves, their lesion or a copy."""
        return sum(map(len, (self.trained, self.selected, self.same_lesion, self.copies)))

    @property
    def warnings(self) -> tuple[str, ...]:
        """Warnings for the reader of the figures, one sentence each."""
        if not self.is_recorded:
            return (
                f"the model '{self.model}' does not record its training images: nothing tells "
                "whether it has seen these",
            )
        lines = []
        if self.num_seen:
            found = (
                (self.trained, "it was trained on"),
                (self.selected, "that chose its checkpoint"),
                (self.same_lesion, "of lesions of which it has seen another image"),
                (self.copies, "that show the same as one it has seen, as the audit found"),
            )
            parts = [f"{len(ids)} {what} ({list_some(ids)})" for ids, what in found if ids]
            lines.append(
                f"NO TEST RESULT: the model '{self.model}' has seen {self.num_seen} of the "
                f"{self.num_images} images: {', '.join(parts)}. The figures are too good"
            )
        if self.unsure:
            lines.append(
                f"{len(self.unsure)} images have the name of one that the model '{self.model}' has "
                f"seen in a folder that was not this one, or was changed since: "
                f"{list_some(self.unsure)}. If they are the same images, the figures are no test "
                "result"
            )
        return tuple(lines)

    def as_json(self) -> dict[str, Any]:
        """Return plain values, ready for JSON."""
        return {
            "model": self.model,
            "is_recorded": self.is_recorded,
            "num_images": self.num_images,
            "num_seen": self.num_seen,
            "trained": list(self.trained),
            "selected": list(self.selected),
            "same_lesion": list(self.same_lesion),
            "copies": list(self.copies),
            "unsure": list(self.unsure),
        }


def read_pairs(path: Path) -> list[AuditedPair]:
    """Read the pairs of an audit's ``pairs.csv``.

    Raises:
        UsageError: If it cannot be read, or is no such table.
    """
    what = "the pairs.csv that 'dermseg data audit' writes"
    table = read_table(
        path,
        what="the table",
        refuse=lambda message: UsageError(f"{message}; expected {what}"),
        may_hold_any_name=True,
    )
    if missing := {"id", "id2", "folder", "folder2"} - set(table.columns):
        message = f"{path}: not {what}: it has no column {' or '.join(sorted(missing))}"
        raise UsageError(message)
    return [
        (_image_key(row["id"], Path(row["folder"])), _image_key(row["id2"], Path(row["folder2"])))
        for _, row in table
    ]


class EvaluationWarning(UserWarning):
    """A warning about an evaluation, given before anybody reads its figures."""


@dataclass(frozen=True)
class Checks:
    """How an evaluation is checked for what would make its figures wrong.

    Attributes:
        model: The record of the model whose masks are scored. Where it is None, masks in a folder
            may still tell which shipped model made them.
        dataset: The dataset that the images are of, whole, see `find_leaks`.
        pairs: What an audit found to show the same, see `read_pairs`.
        strict: Refuse images that the model has seen, and masks that are not in order.
    """

    model: ModelSpec | None = None
    dataset: Dataset | None = None
    pairs: Sequence[AuditedPair] = ()
    strict: bool = False


def check_leaks(
    checks: Checks, ids: Sequence[str], *, predictions: Path | None = None
) -> Leaks | None:
    """Find what the model has seen of some images; if anything, warn at once.

    Args:
        checks: Which model, and how strict to be.
        ids: The images that are scored.
        predictions: The folder of the masks, where the model is not known.

    Returns:
        None where it is not known which model it is.

    Raises:
        RunError: If the checks are strict and the model has seen one of the images.
    """
    leaks = None
    if checks.model is not None:
        leaks = find_leaks(checks.model, ids, checks.dataset, pairs=checks.pairs)
    elif predictions is not None:
        leaks = find_predictions_leaks(predictions, ids, pairs=checks.pairs)
    if leaks is not None and leaks.num_seen:
        warnings.warn(leaks.warnings[0], EvaluationWarning, stacklevel=3)
        if checks.strict:
            message = (
                f"{leaks.num_seen} of the {leaks.num_images} images are not new to the model, and "
                "--strict was given: nothing was written; evaluate it on other images"
            )
            raise RunError(message)
    return leaks


def find_leaks(
    spec: ModelSpec,
    ids: Sequence[str],
    dataset: Dataset | None = None,
    *,
    pairs: Sequence[AuditedPair] = (),
) -> Leaks:
    """Compare the images that a model is scored on with those that its package records.

    Numbers of the ISIC archive and of PH2 mean one image in every dataset. Any other name, such as
    ``image_001``, counts only if the very folder is recorded that is scored on; if not, the image
    is `Leaks.unsure`.

    Args:
        spec: The model's record.
        ids: The images that it is scored on.
        dataset: The dataset that they are of, whole: tells which images show one lesion, and
            whether it is the recorded one. Its files are read only if other names agree.
        pairs: What an audit found, so that copies under other names are noticed.
    """
    origin = spec.provenance
    trained, selected = (
        {_key(id) for id in recorded} for recorded in (origin.training_ids, origin.selection_ids)
    )
    known = trained | selected
    samples = dataset.samples if dataset else ()
    everything = {*ids, *(sample.id for sample in samples)}
    names = {id for id in everything if archive_id(id) is None and id in known}
    unsure = names if names and not _is_recorded(dataset, spec) else set[str]()
    seen = {id for id in everything if _key(id) in known} - unsure
    lesions = {sample.group for sample in samples if sample.id in seen}
    by_lesion = {sample.id for sample in samples if sample.group in lesions} - seen - unsure
    places = {id: _image_key(id, dataset.root) if dataset else _key(id) for id in everything}
    start = {key for key in known if archive_id(key)} | {places[id] for id in seen}
    known_by_audit = _connected(pairs, start) if pairs else set[str]()
    copies = {id for id in places if places[id] in known_by_audit} - seen - by_lesion
    by_training = {id for id in seen if _key(id) in trained}

    def evaluated(found: set[str]) -> tuple[str, ...]:
        return tuple(sorted(found.intersection(ids)))

    return Leaks(
        spec.name,
        len(set(ids)),
        bool(known),
        trained=evaluated(by_training),
        selected=evaluated(seen - by_training),
        same_lesion=evaluated(by_lesion),
        copies=evaluated(copies),
        unsure=evaluated(unsure - copies),
    )


def find_predictions_leaks(
    predictions: Path, ids: Sequence[str], *, pairs: Sequence[AuditedPair] = ()
) -> Leaks | None:
    """Do the same for masks in a folder that ``dermseg predict`` wrote with a shipped model.

    Returns:
        None where the folder does not say what made it, or that is no shipped model.
    """
    try:
        made_by = read_json(predictions / "predictions.json")["onnx_sha256"]
    except (UsageError, KeyError, TypeError):
        return None
    for name in list_packages():
        spec = load_package(name).spec
        if spec.onnx_sha256 == made_by:
            return find_leaks(spec, ids, pairs=pairs)
    return None


def _image_key(id: str, folder: Path) -> str:
    """Name an image wherever it is: by its archive's number, else by dataset folder and id."""
    return archive_id(id) or str(folder.resolve() / id)


def _key(id: str) -> str:
    return archive_id(id) or id


def _is_recorded(dataset: Dataset | None, spec: ModelSpec) -> bool:
    """Whether a dataset is, to the byte, one that a model was trained on."""
    if dataset is None:
        return False
    alike = {
        source.fingerprint
        for source in spec.provenance.data
        if source.name == dataset.name and source.num_images == len(dataset.samples)
    }
    classes = [*spec.classes, *([] if spec.lesion_crop is None else [LESION])]
    try:
        return bool(alike) and dataset_fingerprint(dataset.samples, classes=classes) in alike
    except ImageError:
        return False


def _connected(pairs: Sequence[AuditedPair], start: Iterable[str]) -> set[str]:
    """All images that are joined to some others by pairs, directly or over others."""
    neighbours: dict[str, list[str]] = {}
    for one, other in pairs:
        neighbours.setdefault(one, []).append(other)
        neighbours.setdefault(other, []).append(one)
    found: set[str] = set()
    waiting = list(start)
    while waiting:
        key = waiting.pop()
        if key not in found:
            found.add(key)
            waiting += neighbours.get(key, ())
    return found
