"""The errors a caller can meet.

::

    DermsegError
    ├── UsageError                the call was wrong; nothing was done
    │   ├── RecipeError           a recipe key or value is not valid
    │   ├── DatasetError          a dataset folder, pairing or split is not usable
    │   ├── PackageError          a model package is missing or broken
    │   └── MissingExtraError     an optional dependency is not installed
    ├── ImageError                one image or mask could not be read
    │   └── RefusedImageError     the model was not made for an image whose mask was asked for
    └── RunError                  the work could not be finished
        ├── OutputError           disk full, no permission, folder gone
        ├── DownloadError         a download cannot be finished, is damaged or unsafe
        ├── DivergenceError       the loss is no longer a number
        └── ExportError           exported numbers differ from the network's

Every message says what was received, what was expected and what to do. The command line turns
these into exit codes (``UsageError`` 2, ``ImageError`` 1, ``RunError`` 3) and never shows a
traceback for them.
"""

from __future__ import annotations

__all__ = [
    "DatasetError",
    "DermsegError",
    "DivergenceError",
    "DownloadError",
    "ExportError",
    "ImageError",
    "MissingExtraError",
    "OutputError",
    "PackageError",
    "RecipeError",
    "RefusedImageError",
    "RunError",
    "UsageError",
]


class DermsegError(Exception):
    """Base of all errors that dermseg raises on purpose."""


class UsageError(DermsegError):
    """The call was wrong: a path, a name or an option; nothing was done."""


class RecipeError(UsageError):
    """A recipe has an unknown key or an invalid value."""


class DatasetError(UsageError):
    """A dataset folder cannot be recognised, paired or split."""


class PackageError(UsageError):
    """A model package is missing, incomplete or of an unknown format."""


class MissingExtraError(UsageError):
    """An optional dependency is not installed.

    Example:
        >>> str(MissingExtraError("training", "train"))
        "training needs the extra 'train': pip install 'dermseg[train]'"
    """

    def __init__(self, what: str, extra: str) -> None:
        super().__init__(f"{what} needs the extra '{extra}': pip install 'dermseg[{extra}]'")
        self.extra = extra


class ImageError(DermsegError):
    """One image or mask could not be read.

    Attributes:
        source: The file's path, or a description of the bytes that were given.
        reason: What is wrong with it, in a few words.

    Example:
        >>> str(ImageError("mole.jpg", "the file is empty"))
        'mole.jpg: the file is empty'
    """

    def __init__(self, source: str, reason: str) -> None:
        super().__init__(f"{source}: {reason}")
        self.source = source
        self.reason = reason


class RefusedImageError(ImageError):
    """The mask of an image was asked for that the model was not made for.

    ``predict(..., force=True)`` gives it nevertheless.
    """

    def __init__(self, refusal: str) -> None:
        super().__init__(
            "the image was refused",
            f"{refusal}; prediction.refusal tells in advance, and predict(..., force=True) gives "
            "a mask nevertheless",
        )


class RunError(DermsegError):
    """The work was started and could not be finished."""


class OutputError(RunError):
    """Output could not be written: the disk is full, the folder gone or not writable."""


class DownloadError(RunError):
    """A download cannot be finished, or what came is damaged or unsafe."""


class DivergenceError(RunError):
    """The training loss is no longer a finite number."""


class ExportError(RunError):
    """An exported model does not give the numbers of the network it came from."""
