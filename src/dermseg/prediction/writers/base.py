"""The interface of all output formats."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Collection, Iterator, Sequence
from typing import ClassVar

from dermseg.prediction.inputs import Job
from dermseg.prediction.prediction import Prediction
from dermseg.storage import Sink
from dermseg.types import BoolMask, FloatArray

__all__ = ["LESION", "MaskFormat", "MaskWriter"]

LESION = "lesion"


class MaskWriter(ABC):
    """Writes one image in one output format.

    It is given the attributes one after the other, so that the maps of one class at a time are in
    memory, and then asked to finish. Several images are written at once, each by its own writer.

    Args:
        sink: Where to write.
        job: The image, and the keys of its files.
        prediction: What was found in it.
    """

    def __init__(self, sink: Sink, job: Job, prediction: Prediction) -> None:
        self.sink, self.job, self.prediction = sink, job, prediction

    @classmethod
    def endings(cls, attributes: Sequence[str]) -> list[str]:
        """Endings of the files that each image gets."""
        del attributes
        return []

    @abstractmethod
    def add_attribute(self, name: str, probability: FloatArray, mask: BoolMask) -> None:
        """Take the maps of an attribute, (H, W) at native size."""

    @abstractmethod
    def finish(self) -> None:
        """Write what the lesion and the whole image need.

        Raises:
            OutputError: If a file cannot be written.
        """


class MaskFormat(MaskWriter):
    """A format that holds the masks of a run, chosen by ``--format``; written after all else.

    Attributes:
        line: The image's line in ``lines``, once the writer has finished.
    """

    line: bytes = b""

    lines: ClassVar[str | None] = None
    """Key of the file of the whole run that grows by a line for each image, if there is one."""

    with_overlay: ClassVar[bool] = True
    """Whether pictures are written beside these masks, unless that is refused."""

    @classmethod
    @abstractmethod
    def mask_name(cls, job: Job) -> str:
        """The entry in the table's column ``mask``: a key, or a name inside a file."""

    @classmethod
    @abstractmethod
    def find_masks(cls, sink: Sink) -> Callable[[str], bool]:
        """A test for whether an earlier run left the mask of a ``mask_name``, whole."""

    @classmethod
    def kept_lines(cls, sink: Sink, names: Collection[str]) -> Iterator[bytes]:
        """The lines of an earlier run that stay in ``lines``, for images of these names."""
        del sink, names
        return iter(())

    @classmethod
    def complete(cls, sink: Sink, classes: Sequence[str]) -> None:
        """Write what is made of a whole run, when all images are done.

        Args:
            sink: Where the run was written.
            classes: The lesion and all attributes.

        Raises:
            OutputError: If a file cannot be read or written.
        """
        del sink, classes
