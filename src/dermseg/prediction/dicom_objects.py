"""Masks and measurements as DICOM objects of the photograph's study, through highdicom.

The objects belong to the patient of the photograph, whose elements of patient and study they
repeat, as DICOM demands. Lengths are in mm only if the photograph states a calibration.

References:
    DICOM PS3.3 A.51 (Segmentation), PS3.16 TID 1500 (Measurement Report).
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from importlib.util import find_spec
from typing import TYPE_CHECKING, Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

from dermseg.errors import ImageError, MissingExtraError
from dermseg.prediction.measurements import Measurements

if TYPE_CHECKING:
    from highdicom.seg import Segmentation, SegmentDescription
    from highdicom.sr import Comprehensive3DSR, PlanarROIMeasurementsAndQualitativeEvaluations
    from pydicom import Dataset

__all__ = ["Algorithm", "create_report", "create_segmentation"]

_NAME = "dermseg"
_LESION = ("52988006", "SCT", "Lesion")
_ABNORMAL = ("49755003", "SCT", "Morphologically Abnormal Structure")
Code: TypeAlias = tuple[str, str, str]
"""Value, scheme and meaning."""

Measured: TypeAlias = tuple[Code, float, Code]
"""Name, value and unit."""

_SERIES_NUMBERS = {"SEG": 901, "SR": 902}


@dataclass(frozen=True)
class Algorithm:
    """What drew the masks.

    Attributes:
        name: The model's name.
        version: That of dermseg, and what tells two models of one name apart.
        corrected: Whether a person changed the masks, which makes them semi-automatic.
    """

    name: str
    version: str
    corrected: bool = False


def create_segmentation(
    photograph: Dataset,
    masks: Mapping[str, NDArray[Any]],
    algorithm: Algorithm,
    *,
    spacing_mm: float | None = None,
) -> Segmentation:
    """Make a DICOM SEG of one frame for each mask, empty ones included.

    Args:
        photograph: The DICOM object that the masks belong to; its pixels are not needed.
        masks: (H, W) by label, the lesion first: all bool gives a BINARY segmentation, all floats
            in [0, 1] a FRACTIONAL one of probabilities in 255 steps.
        algorithm: What drew them.
        spacing_mm: Width of a pixel, if the photograph states a calibration.

    Raises:
        ImageError: If the photograph lacks what a SEG must repeat.
        MissingExtraError: If highdicom is not installed.
    """
    highdicom = _highdicom()
    stack = np.stack([*masks.values()], axis=-1)[np.newaxis]
    is_binary = stack.dtype == np.bool_
    # Explicit, since highdicom finds none in a photograph; validators demand a thickness.
    spacing = spacing_mm or 1.0
    measures = highdicom.PixelMeasuresSequence(
        pixel_spacing=(spacing, spacing), slice_thickness=spacing
    )
    with _refusing(photograph):
        segmentation: Segmentation = highdicom.seg.Segmentation(
            source_images=[photograph],
            pixel_array=stack.astype(np.uint8 if is_binary else np.float32),
            segmentation_type="BINARY" if is_binary else "FRACTIONAL",
            segment_descriptions=_describe_segments(masks, algorithm),
            pixel_measures=measures,
            omit_empty_frames=False,
            content_label="LESION",
            content_description="Masks of skin lesion and structures",
            device_serial_number=algorithm.name,
            software_versions=algorithm.version,
            manufacturer_model_name=_NAME,
            **_instance("SEG"),
        )
    segmentation.PatientOrientation = ""
    if spacing_mm is None:
        for groups in segmentation.SharedFunctionalGroupsSequence:
            groups.pop("PixelMeasuresSequence", None)
    return segmentation


def _describe_segments(labels: Iterable[str], algorithm: Algorithm) -> list[SegmentDescription]:
    highdicom, codes = _highdicom(), _codes()
    identification = highdicom.AlgorithmIdentificationSequence(
        name=algorithm.name, family=codes.cid7162.ArtificialIntelligence, version=algorithm.version
    )
    return [
        highdicom.seg.SegmentDescription(
            segment_number=number,
            segment_label=label,
            segmented_property_category=highdicom.sr.CodedConcept(*_ABNORMAL),
            segmented_property_type=_type_of(label),
            algorithm_type="SEMIAUTOMATIC" if algorithm.corrected else "AUTOMATIC",
            algorithm_identification=identification,
            tracking_uid=highdicom.UID(),
            tracking_id=label,
        )
        for number, label in enumerate(labels, 1)
    ]


def create_report(
    photograph: Dataset,
    segmentation: Segmentation,
    measurements: Measurements,
    algorithm: Algorithm,
    *,
    spacing_mm: float | None = None,
    expected_jaccard: float | None = None,
) -> Comprehensive3DSR:
    """Make a measurement report (TID 1500) about the lesion, the first segment.

    Args:
        photograph: As for :func:`create_segmentation`.
        segmentation: What it made.
        measurements: Of the lesion's mask.
        algorithm: What drew it.
        spacing_mm: Width of a pixel, if the photograph states a calibration.
        expected_jaccard: The expected quality of the mask, if the model gives one.

    Raises:
        ImageError: If the photograph lacks what a report must repeat.
        MissingExtraError: If highdicom is not installed.
    """
    highdicom, codes = _highdicom(), _codes()
    sr = highdicom.sr
    group = _describe_lesion(
        photograph,
        segmentation,
        _measured(measurements, spacing_mm, expected_jaccard),
        algorithm,
    )
    observer = sr.ObserverContext(
        observer_type=codes.DCM.Device,
        observer_identifying_attributes=sr.DeviceObserverIdentifyingAttributes(
            uid=highdicom.UID.from_uuid(_DEVICE), name=_NAME, model_name=algorithm.name
        ),
    )
    content = sr.MeasurementReport(
        observation_context=sr.ObservationContext(observer_device_context=observer),
        procedure_reported=sr.CodedConcept("446108003", "SCT", "Dermatoscopy"),
        imaging_measurements=[group],
        title=codes.DCM.ImagingMeasurementReport,
    )
    with _refusing(photograph):
        report: Comprehensive3DSR = sr.Comprehensive3DSR(
            evidence=[photograph, segmentation],
            content=content[0],
            is_complete=True,
            is_final=False,
            is_verified=False,
            **_instance("SR"),
        )
    _drop_segment_numbers(report)
    return report


def _describe_lesion(
    photograph: Dataset,
    segmentation: Segmentation,
    measured: Iterable[Measured],
    algorithm: Algorithm,
) -> PlanarROIMeasurementsAndQualitativeEvaluations:
    """The group of TID 1500 about the first segment."""
    sr = _highdicom().sr
    segment = segmentation.SegmentSequence[0]
    group: PlanarROIMeasurementsAndQualitativeEvaluations = (
        sr.PlanarROIMeasurementsAndQualitativeEvaluations(
            tracking_identifier=sr.TrackingIdentifier(
                uid=segment.TrackingUID, identifier=segment.TrackingID
            ),
            referenced_segment=sr.ReferencedSegmentationFrame(
                sop_class_uid=segmentation.SOPClassUID,
                sop_instance_uid=segmentation.SOPInstanceUID,
                frame_number=1,
                segment_number=1,
                source_image=sr.SourceImageForSegmentation(
                    photograph.SOPClassUID, photograph.SOPInstanceUID
                ),
            ),
            finding_type=sr.CodedConcept(*_LESION),
            finding_category=sr.CodedConcept(*_ABNORMAL),
            algorithm_id=sr.AlgorithmIdentification(algorithm.name, algorithm.version),
            measurements=[
                sr.Measurement(
                    name=sr.CodedConcept(*name), value=value, unit=sr.CodedConcept(*unit)
                )
                for name, value, unit in measured
            ],
        )
    )
    return group


def _drop_segment_numbers(item: Dataset) -> None:
    """Remove what highdicom writes beside frame numbers, where DICOM forbids it."""
    for reference in item.get("ReferencedSOPSequence", ()):
        if "ReferencedFrameNumber" in reference:
            reference.pop("ReferencedSegmentNumber", None)
    for child in item.get("ContentSequence", ()):
        _drop_segment_numbers(child)


# Tells dermseg from other devices that observe; made once.
_DEVICE = "6c4fb4a2-2b7b-4e5c-9d4f-0e6f9f8b6f0d"


def _measured(
    measurements: Measurements, spacing_mm: float | None, expected_jaccard: float | None
) -> Iterator[Measured]:
    scale = 1.0 if spacing_mm is None else spacing_mm
    length = ("{pixels}", "UCUM", "pixels") if spacing_mm is None else ("mm", "UCUM", "mm")
    area = ("{pixels}", "UCUM", "pixels") if spacing_mm is None else ("mm2", "UCUM", "mm2")
    yield ("42798000", "SCT", "Area"), measurements.area * scale**2, area
    yield ("131191004", "SCT", "Perimeter"), round(measurements.perimeter * scale, 4), length
    diameter = round(measurements.longest_diameter * scale, 4)
    yield ("103339001", "SCT", "Long Axis"), diameter, length
    if expected_jaccard is not None:
        name = ("expected-jaccard", "99DERMSEG", "Expected Jaccard index of the mask")
        yield name, round(expected_jaccard, 4), ("1", "UCUM", "no units")


def _type_of(label: str) -> Any:  # noqa: ANN401 -- a CodedConcept
    concept = _highdicom().sr.CodedConcept
    if label == "lesion":
        return concept(*_LESION)
    # SNOMED CT has no codes for most structures of dermoscopy.
    return concept(label[:16], "99DERMSEG", label.replace("_", " ")[:64])


def _instance(modality: str) -> dict[str, Any]:
    highdicom = _highdicom()
    return {
        "series_instance_uid": highdicom.UID(),
        "series_number": _SERIES_NUMBERS[modality],
        "sop_instance_uid": highdicom.UID(),
        "instance_number": 1,
        "manufacturer": _NAME,
    }


@contextmanager
def _refusing(photograph: Dataset) -> Iterator[None]:
    """Name the photograph by its UID, never by what highdicom quotes of it."""
    try:
        yield
    except (ValueError, TypeError, AttributeError, LookupError) as error:
        name = str(photograph.get("SOPInstanceUID", "the photograph"))
        detail = str(error) if isinstance(error, AttributeError) else type(error).__name__
        reason = f"its elements do not permit a DICOM segmentation or report ({detail})"
        raise ImageError(name, reason) from error


def _highdicom() -> Any:  # noqa: ANN401 -- a module
    if find_spec("highdicom") is None:
        raise MissingExtraError("writing DICOM", "dicom")
    import highdicom  # noqa: PLC0415 -- an optional extra, and slow to import
    import highdicom.sr  # noqa: PLC0415 -- likewise

    return highdicom


def _codes() -> Any:  # noqa: ANN401 -- pydicom's dictionary
    from pydicom.sr.codedict import codes  # noqa: PLC0415 -- an optional extra

    return codes
