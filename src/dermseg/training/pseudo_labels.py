"""Images whose masks a model drew, to be learned from beside those whose masks people drew."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import ClassVar

from dermseg.datasets import Dataset, DatasetIndex, Orphan
from dermseg.errors import DatasetError
from dermseg.prediction import TABLE, read_rows
from dermseg.types import Sample

__all__ = ["PseudoLabels"]


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
