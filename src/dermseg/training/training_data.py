"""The data that a run learns from: datasets, and images whose masks a model drew."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar

from dermseg.datasets import (
    Dataset,
    DatasetIndex,
    Orphan,
    Source,
    open_source,
    read_groups,
    regroup,
    tell_presence,
)
from dermseg.errors import DatasetError
from dermseg.prediction import TABLE, read_rows
from dermseg.recipes import Recipe
from dermseg.types import Sample

__all__ = ["PseudoLabels", "TrainingData"]


@dataclass(frozen=True)
class TrainingData:
    """The data that a run learns from.

    Attributes:
        sources: Folders of one dataset each, or of images and masks.
        split_file: A split to use instead of the official or a seeded one.
        groups_file: CSV with columns ``id`` and ``group``; no group is in two parts.
        excluded_ids: Ids that must not be trained on.
        cache: Folder of a cache to read prepared images from; it is completed first. Does not
            change the result.
        presence_file: CSV with columns ``id`` (or ``image_id``) and one per class, 0 or 1: what
            images show of classes of which they have no mask.
        pseudo_labels: Folder that ``dermseg predict`` wrote: more images to train on, with the
            masks that it drew. None has none.
        quick: Take a few images of each part, for a trial run.
    """

    sources: Sequence[Source]
    split_file: Path | None = None
    groups_file: Path | None = None
    excluded_ids: Collection[str] = ()
    cache: Path | None = None
    presence_file: Path | None = None
    pseudo_labels: Path | None = None
    quick: bool = False

    def open(self, recipe: Recipe) -> list[Dataset]:
        """Open the datasets.

        Args:
            recipe: Gives the datasets' name, where it names one, and the classes.

        Raises:
            DatasetError: If one cannot be recognised or paired, a group is missing, or the table of
                classes is wrong or of other images or classes.
        """
        name = recipe.data.name
        datasets = [open_source(source, name, groups=self.groups_file) for source in self.sources]
        if self.presence_file is not None:
            tell_presence(datasets, self.presence_file, recipe.classes)
        return datasets

    def open_pseudo_labels(self) -> PseudoLabels | None:
        """Open what a model drew the masks of, if there is such a folder.

        Raises:
            DatasetError: If it is not such a folder, or the table of groups cannot be read.
        """
        if self.pseudo_labels is None:
            return None
        dataset = PseudoLabels(self.pseudo_labels)
        if self.groups_file is not None:
            alone = {sample.id: sample.group for sample in dataset.samples}
            groups = alone | read_groups(self.groups_file)
            dataset.samples = regroup(dataset.samples, groups, source=self.groups_file)
        return dataset


class PseudoLabels(Dataset):
    """A folder that ``dermseg predict`` wrote, with the images that it was made of.

    What was refused, has an empty mask, or should be looked at (``review``) is left out and named.
    Every image is a group of its own.

    References:
        Lee (2013), Pseudo-Label: The Simple and Efficient Semi-Supervised Learning Method for Deep
        Neural Networks, ICML Workshop on Challenges in Representation Learning.
    """

    name = "pseudo-labels"
    title = "Images with the masks that a model drew"
    num_images: ClassVar[Mapping[str, int]] = {}
    licence = "that of the images"
    url = None
    doi = None
    layout = f"{TABLE}, and the masks that it names"
    known_defects = ()

    @classmethod
    def markers(cls) -> tuple[str, ...]:
        """No folder: it is never recognised, only asked for."""
        return ()

    @classmethod
    def index(cls, root: Path) -> DatasetIndex:
        """List the images of the table whose masks can be learned from.

        Raises:
            DatasetError: If there is no table, an id occurs twice, or no mask can be used.
        """
        rows = read_rows(root)
        if not rows:
            message = (
                f"{root / TABLE}: no table of lesion masks with a row in it. Give a folder that "
                "'dermseg predict -o' wrote."
            )
            raise DatasetError(message)
        samples, orphans = dict[str, Sample](), list[Orphan]()
        for row in rows:
            image = Path(row["file"])
            problem = _problem(row, root)
            if problem is not None:
                orphans.append(Orphan(image, problem))
            elif image.stem in samples:
                message = f"{root / TABLE}: two images are called {image.stem}: rename one of them"
                raise DatasetError(message)
            else:
                samples[image.stem] = Sample(image.stem, image, root / row["mask"], image.stem)
        if not samples:
            message = f"{root / TABLE}: none of {len(rows)} masks can be learned from; {orphans[0]}"
            raise DatasetError(message)
        return DatasetIndex(
            tuple(samples[id] for id in sorted(samples)),
            tuple(sorted(orphans, key=lambda orphan: orphan.path)),
        )


def _problem(row: Mapping[str, str], root: Path) -> str | None:
    """Why the mask of a row cannot be learned from, or None."""
    if row["error"]:
        return row["error"]
    if row["area_pixels"] == "0":
        return "no lesion was found"
    if row["review"] == "1":
        return "its mask is to be looked at"
    missing = [path for path in (Path(row["file"]), root / row["mask"]) if not path.is_file()]
    return f"{missing[0]} is not there" if missing else None
