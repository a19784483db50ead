"""Masks as DICOM segmentations with a measurement report, for photographs that are DICOM.

Both belong to the photograph's study and carry its patient, as DICOM demands; their names are
those of the files.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from importlib.util import find_spec
from io import BytesIO
from typing import TYPE_CHECKING, Any, ClassVar

from numpy.typing import NDArray

from dermseg import __version__
from dermseg.errors import ImageError, MissingExtraError
from dermseg.images import is_whole, read_spacing
from dermseg.prediction.dicom_objects import Algorithm, create_report, create_segmentation
from dermseg.prediction.inputs import Job
from dermseg.prediction.naming import DICOM_ENDING, RECORD, REPORT_ENDING
from dermseg.prediction.prediction import Prediction
from dermseg.prediction.writers.base import LESION, MaskFormat
from dermseg.storage import Sink, StoredFile
from dermseg.types import BoolMask, FloatArray

if TYPE_CHECKING:
    from pydicom import Dataset

__all__ = ["DicomMasks", "DicomProbabilities"]


class DicomMasks(MaskFormat):
    """``NAME_segmentation.dcm``, a segment for each class, and ``NAME_report.dcm``."""

    is_fractional: ClassVar[bool] = False

    def __init__(self, sink: Sink, job: Job, prediction: Prediction) -> None:
        super().__init__(sink, job, prediction)
        self._attributes: dict[str, NDArray[Any]] = {}

    @classmethod
    def endings(cls, attributes: Sequence[str]) -> list[str]:
        """Those of the segmentation and of the report."""
        del attributes
        return [DICOM_ENDING, REPORT_ENDING]

    def add_attribute(self, name: str, probability: FloatArray, mask: BoolMask) -> None:
        """Keep the map."""
        self._attributes[name] = probability if self.is_fractional else mask

    def finish(self) -> None:
        """Write both objects, the segmentation last.

        Raises:
            ImageError: If the image is no DICOM object, or lacks what they must repeat.
            MissingExtraError: If the extra ``dicom`` is not installed.
        """
        photograph, algorithm = _read(self.job.source), self._algorithm()
        prediction, spacing_mm = self.prediction, read_spacing(self.job.source)
        lesion = prediction.probability if self.is_fractional else prediction.mask
        try:
            segmentation = create_segmentation(
                photograph, {LESION: lesion, **self._attributes}, algorithm, spacing_mm=spacing_mm
            )
            quality = prediction.quality
            report = create_report(
                photograph,
                segmentation,
                prediction.measurements,
                algorithm,
                spacing_mm=spacing_mm,
                expected_jaccard=None if quality is None else quality.expected_jaccard,
            )
        except ImageError as error:
            raise ImageError(str(self.job.source), error.reason) from error
        for ending, data in ((REPORT_ENDING, report), (DICOM_ENDING, segmentation)):
            buffer = BytesIO()
            data.save_as(buffer, enforce_file_format=True)
            self.sink.write(self.job.key(ending), buffer.getvalue())

    def _algorithm(self) -> Algorithm:
        """The model as the run's record names it."""
        record = json.loads(StoredFile(self.sink, RECORD).read_bytes())
        return Algorithm(record["model"], f"{__version__} {record['onnx_sha256'][:12]}")

    @classmethod
    def mask_name(cls, job: Job) -> str:
        """The key of the segmentation."""
        return job.key(DICOM_ENDING)

    @classmethod
    def find_masks(cls, sink: Sink) -> Callable[[str], bool]:
        """Looks at the file."""
        return lambda name: is_whole(StoredFile(sink, name))


class DicomProbabilities(DicomMasks):
    """The same with probabilities, in 255 steps, in place of masks."""

    is_fractional: ClassVar[bool] = True


def _read(source: StoredFile) -> Dataset:
    if find_spec("pydicom") is None:
        raise MissingExtraError("writing DICOM", "dicom")
    from pydicom import dcmread  # noqa: PLC0415 -- an optional extra
    from pydicom.errors import InvalidDicomError  # noqa: PLC0415 -- an optional extra

    try:
        return dcmread(BytesIO(source.read_bytes()), stop_before_pixels=True)
    except (InvalidDicomError, ValueError) as error:
        reason = "a DICOM segmentation needs a DICOM photograph; see `dermseg dicom wrap`"
        raise ImageError(str(source), reason) from error
