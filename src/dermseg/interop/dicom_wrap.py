"""Put a JPEG photograph into a DICOM object, its bytes unchanged.

References:
    DICOM PS3.3 A.32.11 and C.8.12.13 (Dermoscopic Photography Image), PS3.5 A.4.1 (JPEG).
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from datetime import datetime
from importlib.util import find_spec
from io import BytesIO
from pathlib import Path
from typing import TYPE_CHECKING, Final

from dermseg.errors import ImageError, MissingExtraError, UsageError
from dermseg.images import find_images, read_image, read_orientation
from dermseg.storage import make_folder, write_bytes_atomically

if TYPE_CHECKING:
    from pydicom import Dataset

__all__ = ["plan_objects", "wrap_file", "wrap_jpeg"]

_SOP_CLASS: Final = "1.2.840.10008.5.1.4.1.1.77.1.7"
_BASELINE, _EXTENDED = 0xC0, 0xC1
_FRAME_MARKERS = frozenset({*range(0xC0, 0xD0)} - {0xC4, 0xC8, 0xCC})
_BARE_MARKERS = frozenset({0x01, *range(0xD0, 0xD8)})


def plan_objects(
    inputs: Sequence[Path], folder: Path, *, overwrite: bool, study_uid: str | None
) -> tuple[list[tuple[Path, Path]], str]:
    """Pair photographs with the DICOM files to write, and make their folder.

    Args:
        inputs: JPEG files, or folders of images.
        folder: Where the objects go, named as the photographs.
        overwrite: Whether files that are there may be replaced.
        study_uid: The study of all; None makes a new one.

    Raises:
        MissingExtraError: If pydicom is not installed.
        UsageError: If nothing is found, two photographs have one name, or a file is there.
        OutputError: If the folder cannot be made.
    """
    if find_spec("pydicom") is None:
        raise MissingExtraError("wrapping photographs as DICOM", "dicom")
    from pydicom.uid import generate_uid  # noqa: PLC0415 -- an optional extra

    sources = [
        path for given in inputs for path in (find_images(given) if given.is_dir() else [given])
    ]
    jobs = [(source, folder / f"{source.stem}.dcm") for source in sources]
    if not jobs:
        message = f"no images in {', '.join(map(str, inputs))}"
        raise UsageError(message)
    targets = [target for _, target in jobs]
    for target in targets:
        if targets.count(target) > 1:
            message = f"two photographs would be written to {target}: rename one"
            raise UsageError(message)
        if target.exists() and not overwrite:
            message = f"{target} is already there: choose another folder, or pass --overwrite"
            raise UsageError(message)
    make_folder(folder)
    return jobs, study_uid or generate_uid()


def wrap_file(
    source: Path, target: Path, *, patient_id: str, study_uid: str, taken: datetime | None
) -> None:
    """:func:`wrap_jpeg` from file to file.

    Raises:
        ImageError: If the file cannot be read or wrapped.
        OutputError: If the object cannot be written.
    """
    try:
        content = source.read_bytes()
    except OSError as error:
        raise ImageError(str(source), f"it could not be read ({error.strerror})") from error
    wrapped = wrap_jpeg(
        content, str(source), patient_id=patient_id, study_uid=study_uid, taken=taken
    )
    write_bytes_atomically(target, wrapped)


def wrap_jpeg(
    content: bytes,
    name: str,
    *,
    patient_id: str = "",
    study_uid: str | None = None,
    taken: datetime | None = None,
) -> bytes:
    """Make a Dermoscopic Photography object that holds a JPEG file as it is.

    Only what DICOM demands is said, and left empty where nothing is known. The JPEG's own
    metadata, such as EXIF, stay inside it.

    Args:
        content: The JPEG file, baseline or extended with 8 bits.
        name: What to call it in messages.
        patient_id: Who it shows.
        study_uid: The study that it belongs to; None makes a new one.
        taken: When it was taken.

    Raises:
        ImageError: If it is no such JPEG, or its EXIF orientation would be lost.
        MissingExtraError: If pydicom is not installed.
        UsageError: If the patient's or the study's id is none that DICOM permits.
    """
    if find_spec("pydicom") is None:
        raise MissingExtraError("wrapping photographs as DICOM", "dicom")
    from pydicom.encaps import encapsulate  # noqa: PLC0415 -- an optional extra

    if len(patient_id) > 64 or "\\" in patient_id or not patient_id.isprintable():
        message = "the patient's id has more than 64 characters, a backslash or unprintable ones"
        raise UsageError(message)
    if study_uid is not None and not re.fullmatch(r"[0-9.]{3,64}", study_uid):
        message = f"the study '{study_uid}' is no DICOM UID: digits and dots, at most 64"
        raise UsageError(message)
    height, width = read_image(content).shape[:2]  # also finds what is cut off or damaged
    if read_orientation(content) != 1:
        reason = (
            "its EXIF orientation would be lost, since DICOM viewers skip it: turn the pixels "
            "first, for example with jpegtran"
        )
        raise ImageError(name, reason)
    data = _elements(patient_id, study_uid, taken)
    _describe_pixels(data, content, name)
    data.Rows, data.Columns = height, width
    data.LossyImageCompressionRatio = round(height * width * data.SamplesPerPixel / len(content), 2)
    data.PixelData = encapsulate([content])
    data["PixelData"].VR = "OB"
    buffer = BytesIO()
    data.save_as(buffer, enforce_file_format=True)
    return buffer.getvalue()


def _elements(patient_id: str, study_uid: str | None, taken: datetime | None) -> Dataset:
    """All elements but those of the pixels; the validator demands each of them."""
    from pydicom.dataset import Dataset, FileMetaDataset  # noqa: PLC0415 -- an optional extra
    from pydicom.uid import generate_uid  # noqa: PLC0415 -- an optional extra

    data = Dataset()
    data.file_meta = FileMetaDataset()
    data.SpecificCharacterSet = "ISO_IR 192"
    data.SOPClassUID, data.SOPInstanceUID = _SOP_CLASS, generate_uid()
    data.StudyInstanceUID = study_uid or generate_uid()
    data.SeriesInstanceUID, data.FrameOfReferenceUID = generate_uid(), generate_uid()
    data.PositionReferenceIndicator = data.PatientOrientation = data.Laterality = ""
    data.PatientID, data.PatientName = patient_id, ""
    data.PatientBirthDate = data.PatientSex = data.ReferringPhysicianName = ""
    data.StudyID = data.AccessionNumber = ""
    data.StudyDate = data.ContentDate = "" if taken is None else f"{taken:%Y%m%d}"
    data.StudyTime = data.ContentTime = "" if taken is None else f"{taken:%H%M%S}"
    if taken is not None:
        data.AcquisitionDateTime = f"{taken:%Y%m%d%H%M%S}"
    data.Modality, data.SeriesNumber, data.InstanceNumber = "DMS", 1, 1
    data.Manufacturer = data.ManufacturerModelName = data.DeviceSerialNumber = "unknown"
    data.SoftwareVersions = "unknown"
    data.ImageType = ["ORIGINAL", "PRIMARY"]
    data.BurnedInAnnotation = "NO"
    data.RecognizableVisualFeatures = "YES"  # nobody looked: the careful answer
    data.LightSourcePolarization = data.ContactMethod = ""
    data.EmitterColorTemperature = data.OpticalMagnificationFactor = None
    data.AcquisitionContextSequence = []
    data.LossyImageCompression, data.LossyImageCompressionMethod = "01", "ISO_10918_1"
    return data


def _describe_pixels(data: Dataset, content: bytes, name: str) -> None:
    from pydicom.uid import JPEGBaseline8Bit, JPEGExtended12Bit  # noqa: PLC0415 -- an extra

    segments = dict(_segments(content))
    kind = next((marker for marker in segments if marker in _FRAME_MARKERS), None)
    frame = segments.get(kind, b"") if kind in (_BASELINE, _EXTENDED) else b""
    if len(frame) < 6 or frame[0] != 8 or frame[5] not in (1, 3):
        reason = (
            "only baseline JPEG of one or three channels can be wrapped, no progressive or other "
            "kind: save it as such"
        )
        raise ImageError(name, reason)
    data.file_meta.TransferSyntaxUID = JPEGBaseline8Bit if kind == _BASELINE else JPEGExtended12Bit
    data.SamplesPerPixel = frame[5]
    data.BitsAllocated, data.BitsStored, data.HighBit, data.PixelRepresentation = 8, 8, 7, 0
    if frame[5] == 1:
        data.PhotometricInterpretation = "MONOCHROME2"
        return
    adobe = segments.get(0xEE, b"")
    if adobe.startswith(b"Adobe") and adobe[11:12] == b"\0":
        raise ImageError(name, "its colours are stored as RGB, which DICOM permits only in YCbCr")
    data.PlanarConfiguration = 0
    # The only name for YCbCr that the object permits; the JPEG itself says how it is sampled.
    data.PhotometricInterpretation = "YBR_FULL_422"


def _segments(content: bytes) -> Iterator[tuple[int, bytes]]:
    """Markers before the first scan, each with its content."""
    position = 2
    while position + 4 <= len(content) and content[position] == 0xFF:
        marker = content[position + 1]
        if marker == 0xDA:
            return
        if marker in _BARE_MARKERS or marker == 0xFF:
            position += 1 if marker == 0xFF else 2
            continue
        length = int.from_bytes(content[position + 2 : position + 4], "big")
        yield marker, content[position + 4 : position + 2 + length]
        position += 2 + length
