"""DICOM objects: colours, calibration, and nothing about people."""

from __future__ import annotations

import io
import zlib
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from dermseg.errors import ImageError, ImageWarning
from dermseg.images import open_image, read_image, read_size
from dermseg.types import ImageArray

pydicom = pytest.importorskip("pydicom")
uids = pytest.importorskip("pydicom.uid")
pixels = pytest.importorskip("pydicom.pixels")

FILES = Path(pydicom.__file__).parent / "data" / "test_files"
PHOTOGRAPHS = sorted(
    path
    for pattern in ("SC_*.dcm", "examples_[jpry]*.dcm", "GDCMJ2K*.dcm", "ExplVR_BigEnd.dcm")
    for path in FILES.glob(pattern)
)
LOSSLESS = (
    uids.ImplicitVRLittleEndian,
    uids.DeflatedExplicitVRLittleEndian,
    uids.RLELossless,
    uids.JPEG2000Lossless,
    uids.JPEGLSLossless,
)

Make = Callable[..., bytes]


@pytest.mark.filterwarnings("ignore::dermseg.errors.ImageWarning")  # several frames
@pytest.mark.filterwarnings("ignore:Expected explicit VR:UserWarning")  # one of the files
def test_two_decoders_agree_on_the_colours_of_all_sample_files() -> None:
    assert len(PHOTOGRAPHS) == 33
    num_compared = 0
    for path in PHOTOGRAPHS:
        image = read_image(path)
        data = pydicom.dcmread(path)
        syntax = data.file_meta.TransferSyntaxUID
        # Where nothing is compressed, numpy's view of the bytes is the second decoder.
        plugins = pixels.get_decoder(syntax).available_plugins if syntax.is_encapsulated else [""]
        for plugin in plugins:
            try:
                values = pixels.pixel_array(data, index=0, decoding_plugin=plugin)
            except RuntimeError:
                continue
            if data.PhotometricInterpretation == "PALETTE COLOR":
                values = pixels.apply_color_lut(values, data)
            values = values >> (values.itemsize * 8 - 8)
            assert np.abs(values.astype(int) - image).max() <= 3, (path.name, plugin)
            num_compared += 1
    assert num_compared > 40


@pytest.mark.parametrize("syntax", LOSSLESS, ids=lambda uid: uid.name)
def test_every_lossless_compression_keeps_the_pixels(
    syntax: str, picture: ImageArray, dicom_photograph: Make
) -> None:
    tiled = np.tile(picture, (3, 2, 1))  # JPEG 2000 does not take small pictures
    content = dicom_photograph(tiled, transfer_syntax=syntax)
    assert read_size(content) == tiled.shape[:2]
    assert np.array_equal(read_image(content), tiled)


def test_monochrome_is_read_as_it_is_shown(dicom_photograph: Make) -> None:
    ramp = np.arange(0, 4096, 64, dtype=np.uint16).reshape(8, 8)
    grey = {
        "SamplesPerPixel": 1, "BitsAllocated": 16, "BitsStored": 12, "HighBit": 11,
        "PixelData": ramp.tobytes(),
    }  # fmt: skip
    square = np.zeros((8, 8, 3), np.uint8)
    read = read_image(dicom_photograph(square, PhotometricInterpretation="MONOCHROME2", **grey))
    assert np.array_equal(read[..., 0], ramp >> 4)
    read = read_image(dicom_photograph(square, PhotometricInterpretation="MONOCHROME1", **grey))
    assert np.array_equal(read[..., 0], 255 - (ramp >> 4))


@pytest.mark.parametrize(
    ("elements", "spacing_mm"),
    [
        ({}, None),
        ({"PixelSpacing": ["0.02", "0.02"]}, None),
        ({"PixelSpacing": ["0.02", "0.02"], "PixelSpacingCalibrationType": "FIDUCIAL"}, 0.02),
        ({"PixelSpacing": ["0.02", "0.03"], "PixelSpacingCalibrationType": "FIDUCIAL"}, None),
        ({"ImagerPixelSpacing": ["0.02", "0.02"], "PixelSpacingCalibrationType": "GEOMETRY"}, None),
    ],
)
def test_spacing_counts_only_where_it_was_calibrated(
    elements: dict[str, object],
    spacing_mm: float | None,
    picture: ImageArray,
    dicom_photograph: Make,
) -> None:
    with open_image(dicom_photograph(picture, **elements)) as encoded:
        assert encoded.spacing_mm == spacing_mm


def test_of_several_frames_the_first_is_read(picture: ImageArray, dicom_photograph: Make) -> None:
    content = dicom_photograph(
        picture, NumberOfFrames=2, PixelData=picture.tobytes() + (255 - picture).tobytes()
    )
    with pytest.warns(ImageWarning, match="the first"):
        assert np.array_equal(read_image(content), picture)


def test_an_object_without_picture_says_so() -> None:
    with pytest.raises(ImageError, match="it holds no picture"):
        read_image(FILES / "test-SR.dcm")


def test_errors_do_not_quote_the_object(picture: ImageArray, dicom_photograph: Make) -> None:
    content = dicom_photograph(picture)
    for old, new in ((b"RGB ", b"PLANTED "), (b"US\x02\0", b"DS\x07\0Planted")):
        with pytest.raises(ImageError) as caught:
            read_image(content.replace(old, new))
        assert "planted" not in str(caught.value).lower()


def test_a_deflated_bomb_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("dermseg.images.dicom._MAX_INFLATED", 1 << 20)
    meta = pydicom.dataset.FileMetaDataset()
    meta.TransferSyntaxUID = uids.DeflatedExplicitVRLittleEndian
    meta.MediaStorageSOPClassUID = meta.MediaStorageSOPInstanceUID = "1.2.3"
    head = io.BytesIO()
    pydicom.filewriter.write_file_meta_info(head, meta)
    packer = zlib.compressobj(9, wbits=-15)
    bomb = packer.compress(bytes(1 << 22)) + packer.flush()
    with pytest.raises(ImageError, match="elements cannot be read"):
        read_image(bytes(128) + b"DICM" + head.getvalue() + bomb)
