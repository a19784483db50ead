"""What lies in the folders that were given, and is not predicted."""

from __future__ import annotations

import os
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from dermseg.prediction.naming import INDEX, RECORD, RUN_FILES, is_output_name, is_superpixel_map
from dermseg.storage import Location

__all__ = ["LeftOut", "find_left_out"]

_MOST_NAMED: Final = 5


@dataclass(frozen=True)
class LeftOut:
    """Files and folders that nobody looked at.

    Attributes:
        files: Neither predicted nor results of an earlier prediction, sorted.
        folders: Sub-folders that were not entered, sorted.
        links: Links to folders, which are never followed, sorted.
    """

    files: tuple[Path, ...] = ()
    folders: tuple[Path, ...] = ()
    links: tuple[Path, ...] = ()

    def as_json(self) -> dict[str, Any]:
        """Give the paths as text."""
        return {key: [str(path) for path in paths] for key, paths in vars(self).items()}

    def __str__(self) -> str:
        """Say it in one line; empty where nothing was left out."""
        counts = (
            (len(self.files), "other file", ""),
            (len(self.folders), "sub-folder", " (--recursive)"),
            (len(self.links), "link to a folder", " (give the folder itself)"),
        )
        parts = [f"{num} {_plural(what, num)}{hint}" for num, what, hint in counts if num]
        if not parts:
            return ""
        named = [path.name for path in (*self.files, *self.folders, *self.links)]
        more = f" and {len(named) - _MOST_NAMED} more" if len(named) > _MOST_NAMED else ""
        listed = ", ".join(named[:_MOST_NAMED])
        maps = sum(is_superpixel_map(path.name) for path in self.files)
        maps_hint = f"; {maps} of them are superpixel maps" if maps else ""
        return f"not looked at: {' and '.join(parts)}: {listed}{more}{maps_hint}"


def find_left_out(
    inputs: Sequence[Location], predicted: Iterable[str], *, recursive: bool
) -> LeftOut:
    """Look for what a prediction of folders leaves out.

    Hidden files and folders do not count, nor does what a prediction writes.

    Args:
        inputs: As for :func:`plan_jobs`.
        predicted: Where the planned images are.
        recursive: Whether sub-folders were entered.
    """
    known = set(predicted)
    files, folders, links = list[Path](), list[Path](), list[Path]()
    for root in inputs:
        if not isinstance(root, str | os.PathLike) or not Path(root).is_dir():
            continue
        for parent, below, names in os.walk(root):
            entered = [name for name in sorted(below) if not name.startswith(".")]
            for name in entered:
                path = Path(parent, name)
                if path.is_symlink():
                    links.append(path)
                elif not recursive:
                    folders.append(path)
            below[:] = entered if recursive else []
            others = (name for name in sorted(names) if name[0] != "." and not _is_result(name))
            paths = (Path(parent, name) for name in others)
            files += (path for path in paths if os.fspath(path) not in known)
    return LeftOut(tuple(files), tuple(folders), tuple(links))


def _is_result(name: str) -> bool:
    return name in (*RUN_FILES, RECORD, INDEX) or is_output_name(name)


def _plural(what: str, number: int) -> str:
    if number == 1:
        return what
    return f"links{what.removeprefix('link')}" if what.startswith("link") else f"{what}s"
