"""The errors a caller can meet.

::

    DermsegError
    ├── UsageError                the call was wrong; nothing was done
    │   ├── RecipeError           a recipe key or value is not valid
    │   ├── DatasetError          a dataset folder, pairing or split is not usable
    │   ├── PackageError          a model package is missing or broken
    │   ├── MissingExtraError     an optional dependency is not installed
    │   ├── UnknownImageError     a project has no image of this id
    │   └── LeasedError           somebody else has the image open
    ├── ImageError                one image or mask could not be read
    │   └── RefusedImageError     the model was not made for an image whose mask was asked for
    └── RunError                  the work could not be finished
        ├── OutputError           disk full, no permission, folder gone
        ├── DownloadError         a download cannot be finished, is damaged or unsafe
        ├── DivergenceError       the loss is no longer a number
        └── ExportError           exported numbers differ from the network's

    ImageWarning                  an image file is odd, and was read all the same

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
    "ImageWarning",
    "LeasedError",
    "MissingExtraError",
    "OutputError",
    "PackageError",
    "RecipeError",
    "RefusedImageError",
    "RunError",
    "UnknownImageError",
    "UsageError",
    "one_line",
]


def one_line(text: str) -> str:
    r"""The text with escapes for whatever is not printable: line breaks, terminal codes, bytes.

    Example:
        >>> one_line("mole\n.jpg"), one_line("\x1b[2Jm\udce4l.jpg"), one_line("Leberfleck Ä.jpg")
        ('mole\\n.jpg', '\\x1b[2Jm\\udce4l.jpg', 'Leberfleck Ä.jpg')
    """
    if text.isprintable():
        return text
    return "".join(c if c.isprintable() else ascii(c)[1:-1] for c in text)


_LONGEST = 3000


class DermsegError(Exception):
    """Base of all errors that dermseg raises on purpose.

    Its text is one line: what the names in it hold cannot act on a terminal.
    """

    def __str__(self) -> str:
        text = one_line(super().__str__())
        # A damaged file may have a megabyte where a name should be.
        return text if len(text) <= _LONGEST else f"{text[: _LONGEST - 200]} ... {text[-195:]}"


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


class UnknownImageError(UsageError):
    """A project under review has no image of this id."""


class LeasedError(UsageError):
    """Another reviewer has the image open."""


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


class ImageWarning(UserWarning):
    """Something is odd about an image file, which was read all the same."""


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
