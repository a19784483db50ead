"""A study goes in, and nothing personal comes out but inside the study's own objects."""

from __future__ import annotations

import csv
import subprocess
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from dermseg.images import read_mask, write_image
from dermseg.phantom import create_phantom

highdicom = pytest.importorskip("highdicom")
pydicom = pytest.importorskip("pydicom")

Run = Callable[..., "subprocess.CompletedProcess[str]"]


@pytest.fixture(scope="module")
def study(tmp_path_factory: pytest.TempPathFactory, dicom_photograph: Callable[..., bytes]) -> Path:
    """A calibrated photograph without suffix, and an image that is no DICOM."""
    folder = tmp_path_factory.mktemp("study")
    content = dicom_photograph(
        create_phantom(3).image,
        FrameOfReferenceUID="1.2.3.4",
        PatientOrientation="",
        PixelSpacing=["0.02", "0.02"],
        PixelSpacingCalibrationType="FIDUCIAL",
    )
    (folder / "IM000001").write_bytes(content)
    (folder / "notes").write_text("no picture")
    return folder


def test_personal_details_stay_out_of_tables_logs_and_pictures(
    study: Path, dermseg: Run, tmp_path: Path
) -> None:
    done = dermseg("predict", study, "-o", tmp_path / "out", "--verbose", "--force")
    assert done.returncode == 0
    said = (done.stdout + done.stderr).encode()
    files = [path for path in (tmp_path / "out").rglob("*") if path.is_file()]
    assert {"IM000001_segmentation.png", "IM000001_overlay.jpg"} <= {path.name for path in files}
    for content in (said, *(path.read_bytes() for path in files)):
        for planted in (b"planted", b"19770707", b"19010101", b"121212"):
            assert planted not in content.lower()
    (row,) = csv.DictReader((tmp_path / "out" / "predictions.csv").read_text().splitlines())
    assert float(row["area_mm2"]) == pytest.approx(int(row["area_pixels"]) * 0.02**2, rel=1e-4)


def test_the_segmentation_holds_the_mask(study: Path, dermseg: Run, tmp_path: Path) -> None:
    arguments = ("predict", study, "--force", "-o")
    assert dermseg(*arguments, tmp_path / "png").returncode == 0
    assert dermseg(*arguments, tmp_path / "dicom", "--format", "dicom").returncode == 0
    segmentation = highdicom.seg.segread(tmp_path / "dicom" / "IM000001_segmentation.dcm")
    source = pydicom.dcmread(study / "IM000001")
    frames = segmentation.get_pixels_by_source_instance([source.SOPInstanceUID])
    mask = read_mask(tmp_path / "png" / "IM000001_segmentation.png")
    assert mask.any()
    assert np.array_equal(frames[0, ..., 0] > 0, mask)
    name = segmentation.SegmentSequence[0].SegmentationAlgorithmIdentificationSequence[0]
    assert name.AlgorithmName == "fast"
    report = pydicom.dcmread(tmp_path / "dicom" / "IM000001_report.dcm")
    assert report.StudyInstanceUID == source.StudyInstanceUID


def test_a_photograph_that_is_no_dicom_is_named(dermseg: Run, tmp_path: Path) -> None:
    write_image(tmp_path / "a.jpg", create_phantom(3).image)
    out = tmp_path / "out"
    done = dermseg("predict", tmp_path / "a.jpg", "-o", out, "--format", "dicom", "--force")
    assert done.returncode == 1
    assert "needs a DICOM photograph" in done.stderr
