"""Fixtures that several test folders share."""

from __future__ import annotations

import hashlib
import io
import logging
import os
import signal
import subprocess
import sys
import threading
import warnings
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager, redirect_stderr, redirect_stdout
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from dermseg.cli import main
from dermseg.images import write_image, write_mask
from dermseg.package import ModelSpec, Provenance
from dermseg.phantom import Phantom, PhantomOptions, create_phantom
from dermseg.preprocessing import UNIT_RANGE
from dermseg.progress import show_progress
from dermseg.recipes import LesionCrop, Postprocessing, Recipe, parse_recipe
from dermseg.types import ImageArray

Run = Callable[..., "subprocess.CompletedProcess[str]"]


RECIPE = """
name = "tiny"
description = "A tiny residual U-Net on discs"
seed = 1

[preprocessing]
size = [24, 32]

[network]
name = "residual_unet"
parameters = { widths = [4, 8] }

[[loss]]
name = "bce"

[[loss]]
name = "jaccard"

[augmentation]
horizontal_flip = 0.5
rotation_degrees = 180
brightness = 0.2

[training]
epochs = 2
batch_size = 4
lr = 2e-2
precision = "float32"
"""


@pytest.fixture(scope="session", autouse=True)
def _can_be_interrupted() -> None:
    """Let Ctrl-C reach the commands under test.

    A script that runs the tests in its background has it ignored, and all that they start inherits
    that.
    """
    if signal.getsignal(signal.SIGINT) == signal.SIG_IGN:
        signal.signal(signal.SIGINT, signal.default_int_handler)


@pytest.fixture(scope="session")
def real_data() -> Path:
    """The folder of real dermoscopic images, or a skip where there is none."""
    folder = os.environ.get("DERMSEG_DATA")
    if not folder:
        pytest.skip("needs real images: set DERMSEG_DATA to the folder that holds them")
    return Path(folder).resolve()


@pytest.fixture(scope="session")
def dicom_photograph() -> Callable[..., bytes]:
    """Make a DICOM object of a picture, (H, W, 3) uint8; further elements by keyword."""
    pydicom = pytest.importorskip("pydicom")
    uids = pytest.importorskip("pydicom.uid")

    def make(pixels: ImageArray, *, transfer_syntax: str = "", **elements: Any) -> bytes:
        data = pydicom.Dataset()
        data.file_meta = pydicom.dataset.FileMetaDataset()
        data.file_meta.TransferSyntaxUID = uids.ExplicitVRLittleEndian
        data.SOPClassUID = "1.2.840.10008.5.1.4.1.1.77.1.7"
        data.SOPInstanceUID = uids.generate_uid()
        data.StudyInstanceUID, data.SeriesInstanceUID = uids.generate_uid(), uids.generate_uid()
        data.PatientName, data.PatientID, data.StudyDate = (
            "Planted^Person",
            "ID-PLANTED",
            "19770707",
        )
        data.PatientBirthDate, data.StudyID, data.AccessionNumber = "19010101", "PLANTED", "PLANTED"
        data.StudyTime, data.ReferringPhysicianName, data.PatientSex = (
            "121212",
            "Doctor^Planted",
            "O",
        )
        data.Rows, data.Columns, data.SamplesPerPixel = *pixels.shape[:2], 3
        data.BitsAllocated, data.BitsStored, data.HighBit = 8, 8, 7
        data.PixelRepresentation, data.PlanarConfiguration = 0, 0
        data.PhotometricInterpretation = "RGB"
        data.PixelData = pixels.tobytes() + b"\0" * (pixels.size % 2)
        data["PixelData"].VR = "OB"
        for keyword, value in elements.items():
            setattr(data, keyword, value)
        if transfer_syntax in (uids.DeflatedExplicitVRLittleEndian, uids.ImplicitVRLittleEndian):
            data.file_meta.TransferSyntaxUID = transfer_syntax
        elif transfer_syntax:
            data.compress(transfer_syntax)
        stream = io.BytesIO()
        data.save_as(stream, enforce_file_format=True)
        return stream.getvalue()

    return make


@pytest.fixture(scope="session")
def command() -> str:
    """The installed entry point, beside the running Python."""
    return str(Path(sys.executable).with_name("dermseg"))


@pytest.fixture(scope="session")
def dermseg_process(command: str) -> Run:
    """Run the command line in a process of its own, and never accept a traceback."""

    def run(*arguments: object, timeout: float = 300) -> subprocess.CompletedProcess[str]:
        result = subprocess.run(
            [command, *map(str, arguments)],
            capture_output=True,
            text=True,
            timeout=timeout,
            check=False,
            env={**os.environ, "COLUMNS": "200"},
        )
        assert "Traceback" not in result.stderr, result.stderr
        return result

    return run


@pytest.fixture(scope="session")
def dermseg() -> Run:
    """Run the command line in this process, which saves the seconds of starting one.

    An error that the command line does not turn into a message is the test's.
    """

    def run(*arguments: object) -> subprocess.CompletedProcess[str]:
        words = [str(argument) for argument in arguments]
        out, err = (io.TextIOWrapper(io.BytesIO(), encoding="utf-8") for _ in range(2))
        code = 0
        with _as_a_program(["dermseg", *words]), redirect_stdout(out), redirect_stderr(err):
            try:
                main()
            except SystemExit as exit:
                code = exit.code if isinstance(exit.code, int) else int(exit.code is not None)
        texts = []
        for stream in (out, err):
            stream.flush()
            texts.append(stream.buffer.getvalue().decode())
        return subprocess.CompletedProcess(words, code, *texts)

    return run


@contextmanager
def _as_a_program(words: list[str]) -> Iterator[None]:
    """Set arguments and warnings as a new process has them, and take back what it leaves."""
    logger = logging.getLogger("dermseg")
    handlers, level, propagate = [*logger.handlers], logger.level, logger.propagate
    signals = {number: signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)}
    thread_hook = threading.excepthook
    with pytest.MonkeyPatch.context() as patch, warnings.catch_warnings():
        warnings.simplefilter("default")
        patch.setattr(sys, "argv", words)
        patch.setenv("COLUMNS", "200")
        try:
            yield
        finally:
            for number, handler in signals.items():
                signal.signal(number, handler)
            threading.excepthook = thread_hook
            logger.handlers[:] = handlers
            logger.setLevel(level)
            logger.propagate = propagate
            show_progress(None)


def write_color_package(
    folder: Path, weights: np.ndarray, biases: np.ndarray, *, size: tuple[int, int], **values: Any
) -> None:
    """Write a model package whose logits are weighted sums of the colours of each pixel.

    Args:
        folder: Where to.
        weights: (maps, 3), of red, green and blue in [0, 1].
        biases: (maps,).
        size: (height, width) of the network's input.
        values: Of ``ModelSpec``.
    """
    import onnx  # noqa: PLC0415 -- only the tests that ask for it need onnx
    from onnx import TensorProto, helper, numpy_helper  # noqa: PLC0415

    num_maps = len(weights)
    graph = helper.make_graph(
        [helper.make_node("Conv", ["images", "weight", "bias"], ["logits"])],
        values["name"],
        [helper.make_tensor_value_info("images", TensorProto.FLOAT, ["batch", 3, *size])],
        [helper.make_tensor_value_info("logits", TensorProto.FLOAT, ["batch", num_maps, *size])],
        [
            numpy_helper.from_array(
                weights.reshape(num_maps, 3, 1, 1).astype(np.float32), "weight"
            ),
            numpy_helper.from_array(biases.astype(np.float32), "bias"),
        ],
    )
    model = helper.make_model(
        graph, opset_imports=[helper.make_opsetid("", 20)], ir_version=10, producer_name="test"
    )
    onnx.checker.check_model(model)
    content = model.SerializeToString()
    (folder / "model.onnx").write_bytes(content)
    provenance = Provenance(
        recipe="none",
        network="none",
        num_parameters=4,
        seed=0,
        commit="none",
        data=[],
        training_ids=[],
        selection_ids=[],
        epochs=1,
        best_epoch=1,
        export_difference=0.0,
        versions={},
    )
    defaults = {"licence": "Apache-2.0", "postprocessing": Postprocessing()}
    spec = ModelSpec(
        **(defaults | values),
        input_size=size,
        normalization=UNIT_RANGE,
        onnx_sha256=hashlib.sha256(content).hexdigest(),
        provenance=provenance,
    )
    (folder / "model.json").write_text(spec.model_dump_json())


@pytest.fixture(scope="session")
def dark_package(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A model package whose answer is known: lesion is where the mean colour is below 0.5."""
    folder = tmp_path_factory.mktemp("dark")
    write_color_package(
        folder,
        np.full((1, 3), -20 / 3),
        np.array([10.0]),
        size=(48, 64),
        name="dark",
        description="Darkness",
        classes=["lesion"],
    )
    return folder


@pytest.fixture(scope="session")
def color_package(
    tmp_path_factory: pytest.TempPathFactory, dark_package: Path
) -> Callable[..., Path]:
    """Makes packages of three attributes inside the lesion that ``dark_package`` finds.

    Globules are where it is green, milia-like cysts where it is blue, and streaks nowhere.
    """

    def make(*, inside_only: bool = True, margin: float = 0.25, **values: Any) -> Path:
        folder = tmp_path_factory.mktemp("colors")
        defaults = {
            "name": "colors",
            "description": "Green and blue",
            "classes": ["globules", "milia_like_cyst", "streaks"],
            "lesion_crop": LesionCrop(
                model=str(dark_package), margin=margin, inside_only=inside_only
            ),
        }
        write_color_package(
            folder,
            np.array([[-40, 40, 0], [-40, 0, 40], [0, 0, 0]]),
            np.array([-6, -6, -6]),
            size=(48, 64),
            **(defaults | values),
        )
        return folder

    return make


def draw_disc(
    size: tuple[int, int], *, centre: tuple[float, float], radius: float
) -> tuple[np.ndarray, np.ndarray]:
    """A dark disc on light skin and its exact mask; ``centre`` is (x, y)."""
    y, x = np.mgrid[: size[0], : size[1]]
    mask = (x - centre[0]) ** 2 + (y - centre[1]) ** 2 <= radius**2
    image = np.where(mask[..., None], [90, 60, 50], [225, 190, 170]).astype(np.uint8)
    return image, mask


@pytest.fixture(scope="session")
def disc() -> Callable[..., tuple[np.ndarray, np.ndarray]]:
    """Draws a dark disc on light skin and its mask."""
    return draw_disc


@pytest.fixture(scope="session")
def disc_dataset(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder dataset of 20 small images of discs."""
    root = tmp_path_factory.mktemp("discs")
    (root / "images").mkdir()
    (root / "masks").mkdir()
    generator = np.random.default_rng(0)
    for number in range(20):
        x, y = generator.uniform(16, 48, 2)
        image, mask = draw_disc((48, 64), centre=(x, y), radius=generator.uniform(8, 14))
        noisy = np.clip(image + generator.normal(0, 8, image.shape), 0, 255).astype(np.uint8)
        write_image(root / "images" / f"disc_{number:02d}.png", noisy)
        write_mask(root / "masks" / f"disc_{number:02d}_segmentation.png", mask)
    return root


def mark_attributes(phantom: Phantom) -> dict[str, np.ndarray]:
    """Simple shapes inside a phantom's lesion, as masks of five attributes.

    The seed says which are empty: each class in one phantom of three. The image shows none of them.
    """
    y, x = np.indices(phantom.mask.shape)
    down, right = y - phantom.lesion.centre[0], x - phantom.lesion.centre[1]
    radius = phantom.lesion.radius
    shapes = {
        "globules": np.hypot(down, right + radius / 2) < radius / 3,
        "milia_like_cyst": np.hypot(down, right - radius / 2) < radius / 3,
        "negative_network": down < -radius / 4,
        "pigment_network": down > radius / 4,
        "streaks": np.abs(right) < radius / 4,
    }
    return {
        name: shape & phantom.mask & ((phantom.seed + number) % 3 > 0)
        for number, (name, shape) in enumerate(shapes.items())
    }


@pytest.fixture(scope="session")
def attribute_dataset(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Twelve generated images in the layout of ISIC 2018, with masks of Tasks 1 and 2."""
    root = tmp_path_factory.mktemp("isic2018")
    images, lesions, attributes = (
        root / f"ISIC2018_Task{name}"
        for name in ("1-2_Training_Input", "1_Training_GroundTruth", "2_Training_GroundTruth_v3")
    )
    for folder in (images, lesions, attributes):
        folder.mkdir()
    for seed in range(12):
        phantom = create_phantom(seed, size=(72, 96), options=PhantomOptions(area_share=0.3))
        id = f"ISIC_{seed:07}"
        write_image(images / f"{id}.jpg", phantom.image)
        write_mask(lesions / f"{id}_segmentation.png", phantom.mask)
        for name, mask in mark_attributes(phantom).items():
            write_mask(attributes / f"{id}_attribute_{name}.png", mask)
    return root


@pytest.fixture(scope="session")
def make_recipe() -> Callable[..., Recipe]:
    """Make a recipe with overrides, as --set takes them."""
    return lambda *overrides: parse_recipe(RECIPE, overrides)


@pytest.fixture
def make_folder(tmp_path: Path) -> Callable[..., Path]:
    """Make a folder dataset of empty files."""

    def make(name: str, ids: Iterable[str], *, masks: bool = True) -> Path:
        root = tmp_path / name
        (root / "images").mkdir(parents=True)
        for id in ids:
            (root / "images" / f"{id}.png").touch()
        if masks:
            (root / "masks").mkdir()
            for id in ids:
                (root / "masks" / f"{id}.png").touch()
        return root

    return make


@pytest.fixture
def make_isic2017(tmp_path: Path) -> Callable[..., Path]:
    """Make an ISIC 2017 download of empty files, by part and number."""

    def make(**parts: Iterable[int]) -> Path:
        root = tmp_path / "isic2017"
        for part, numbers in parts.items():
            images = root / f"ISIC-2017_{part}_Data"
            masks = root / f"ISIC-2017_{part}_Part1_GroundTruth"
            images.mkdir(parents=True)
            masks.mkdir()
            for number in numbers:
                (images / f"ISIC_{number:07}.jpg").touch()
                (masks / f"ISIC_{number:07}_segmentation.png").touch()
        return root

    return make
