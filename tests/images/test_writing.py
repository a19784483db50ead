"""Files appear whole or not at all, and hold what was to be written."""

from __future__ import annotations

import os
import shutil
import stat
import subprocess
import sys
import textwrap
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis.extra import numpy as hnp
from numpy.typing import NDArray
from PIL import Image

from dermseg.errors import OutputError, UsageError
from dermseg.images import read_image, read_mask, write_image, write_mask, write_probability
from dermseg.storage import write_bytes_atomically
from dermseg.types import BoolMask, ImageArray

needs_posix = pytest.mark.skipif(os.name == "nt", reason="needs POSIX limits and signals")


def python(code: str) -> list[str]:
    return [sys.executable, "-c", textwrap.dedent(code)]


def test_a_mask_is_an_8_bit_grey_png_of_0_and_255(tmp_path: Path) -> None:
    mask = np.array([[True, False, False], [False, True, True]])
    write_mask(tmp_path / "mask.png", mask)
    with Image.open(tmp_path / "mask.png") as file:
        assert (file.format, file.mode, file.size) == ("PNG", "L", (3, 2))
        assert np.asarray(file).tolist() == [[255, 0, 0], [0, 255, 255]]
    assert [path.name for path in tmp_path.iterdir()] == ["mask.png"]


@given(mask=hnp.arrays(bool, hnp.array_shapes(min_dims=2, max_dims=2, max_side=40)))
@settings(deadline=None, max_examples=50)
def test_a_mask_comes_back(tmp_path_factory: pytest.TempPathFactory, mask: BoolMask) -> None:
    path = tmp_path_factory.mktemp("masks") / "mask.png"
    write_mask(path, mask)
    np.testing.assert_array_equal(read_mask(path), mask)


def test_a_view_of_a_mask_comes_back(tmp_path: Path) -> None:
    mask = np.random.default_rng(0).random((20, 30)) > 0.5
    for view in (mask.T, mask[::-1, ::2], np.broadcast_to(mask[0], (4, 30))):
        write_mask(tmp_path / "mask.png", view)
        np.testing.assert_array_equal(read_mask(tmp_path / "mask.png"), view)


@pytest.mark.parametrize(
    "mask", [np.zeros((2, 2), np.uint8), np.zeros((2, 2, 1), bool), np.zeros((0, 2), bool)]
)
def test_what_is_no_mask_is_not_written(tmp_path: Path, mask: BoolMask) -> None:
    with pytest.raises(ValueError, match=r"expected a bool mask \(H, W\), got"):
        write_mask(tmp_path / "mask.png", mask)
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("dtype", [np.float16, np.float32, np.float64])
def test_a_probability_is_rounded_to_255_steps(tmp_path: Path, dtype: type[np.floating]) -> None:
    probability = np.array([[0, 0.25, 0.5], [0.4 / 255, 0.75, 1]], dtype)
    write_probability(tmp_path / "p.png", probability)
    values = cv2.imread(str(tmp_path / "p.png"), cv2.IMREAD_UNCHANGED)
    assert values is not None
    # 63.75, 127.5 (to even), 0.4, 191.25
    assert values.tolist() == [[0, 64, 128], [0, 191, 255]]


def test_half_precision_is_not_rounded_twice(tmp_path: Path) -> None:
    everything = np.arange(0x3C01, dtype=np.uint16).view(np.float16)[np.newaxis]
    assert everything.max() == 1
    write_probability(tmp_path / "p.png", everything)
    values = cv2.imread(str(tmp_path / "p.png"), cv2.IMREAD_UNCHANGED)
    np.testing.assert_array_equal(values, np.rint(everything.astype(np.float64) * 255))


@pytest.mark.parametrize("bad", [np.nan, -0.01, 1.01, np.inf])
def test_what_is_no_probability_is_not_written(tmp_path: Path, bad: float) -> None:
    with pytest.raises(ValueError, match=r"expected probabilities in \[0, 1\], got values from"):
        write_probability(tmp_path / "p.png", np.array([[0.5, bad]]))
    wrong_arrays: list[NDArray[Any]] = [np.zeros((2, 2), np.uint8), np.zeros(3), np.zeros((0, 3))]
    for wrong in wrong_arrays:
        with pytest.raises(ValueError, match=r"expected float probabilities \(H, W\), got"):
            write_probability(tmp_path / "p.png", wrong)
    assert not list(tmp_path.iterdir())


def test_a_png_image_comes_back_exactly_and_a_jpeg_nearly(
    tmp_path: Path, picture: ImageArray
) -> None:
    write_image(tmp_path / "a.png", picture)
    np.testing.assert_array_equal(read_image(tmp_path / "a.png"), picture)
    for name in ("a.jpg", "a.JPEG"):
        write_image(tmp_path / name, picture, quality=95)
        assert (tmp_path / name).read_bytes()[:3] == b"\xff\xd8\xff"
        difference = read_image(tmp_path / name).astype(int) - picture
        assert abs(difference).mean() < 4


def test_quality_makes_larger_files(tmp_path: Path, picture: ImageArray) -> None:
    for quality in (1, 50, 100):
        write_image(tmp_path / f"{quality}.jpg", picture, quality=quality)
    sizes = [(tmp_path / f"{quality}.jpg").stat().st_size for quality in (1, 50, 100)]
    assert sizes == sorted(sizes)
    assert sizes[0] < sizes[2]


def test_wrong_images_are_not_written(tmp_path: Path, picture: ImageArray) -> None:
    for wrong in (picture[..., 0], picture[..., :2], picture[:0], picture / np.float32(255)):
        with pytest.raises(ValueError, match=r"expected an RGB image \(H, W, 3\) uint8, got"):
            write_image(tmp_path / "a.png", wrong)  # type: ignore[arg-type]
    for quality in (0, 101):
        with pytest.raises(ValueError, match="expected a JPEG quality from 1 to 100"):
            write_image(tmp_path / "a.jpg", picture, quality=quality)
    with pytest.raises(UsageError, match=r"written as \.jpg or \.png, not \.gif"):
        write_image(tmp_path / "a.gif", picture)
    with pytest.raises(UsageError, match="not no suffix"):
        write_image(tmp_path / "a", picture)
    with pytest.raises(UsageError, match=r"70000 x 1 pixels do not fit JPEG"):
        write_image(tmp_path / "a.jpg", np.zeros((1, 70_000, 3), np.uint8))
    assert not list(tmp_path.iterdir())


def test_an_existing_file_is_replaced(tmp_path: Path) -> None:
    path = tmp_path / "table.csv"
    write_bytes_atomically(path, b"old and longer")
    write_bytes_atomically(str(path), b"new")
    assert path.read_bytes() == b"new"
    write_bytes_atomically(path, b"")
    assert path.read_bytes() == b""
    assert list(tmp_path.iterdir()) == [path]


@needs_posix
def test_files_have_the_permissions_that_the_user_s_mask_leaves(tmp_path: Path) -> None:
    previous = os.umask(0o027)
    try:
        write_bytes_atomically(tmp_path / "table.csv", b"x")
    finally:
        os.umask(previous)
    assert stat.S_IMODE((tmp_path / "table.csv").stat().st_mode) == 0o640


@pytest.mark.parametrize("name", ["n" * 251 + ".png", "痣" * 83 + "ab.png", "größe 🔬.png"])
def test_names_may_be_as_long_as_the_file_system_allows(tmp_path: Path, name: str) -> None:
    write_mask(tmp_path / name, np.ones((2, 2), bool))
    assert read_mask(tmp_path / name).all()


def test_the_message_names_the_path_and_the_reason(tmp_path: Path) -> None:
    (tmp_path / "folder.png").mkdir()
    (tmp_path / "file").touch()
    for name, reason in {
        "missing/mask.png": f"there is no folder {tmp_path / 'missing'}; create it first",
        "file/mask.png": f"{tmp_path / 'file'} is not a folder",
        "folder.png": "there is a folder of this name",
        "n" * 256: "the name is too long for this file system",
        "a\0b.png": "the name contains a null character",
    }.items():
        with pytest.raises(OutputError) as caught:
            write_mask(tmp_path / name, np.ones((2, 2), bool))
        shown = str(tmp_path / name).replace("\0", "\\x00")
        assert str(caught.value) == f"{shown}: cannot be written: {reason}"
    with pytest.raises(OutputError, match="the path names no file"):
        write_bytes_atomically("", b"x")
    assert sorted(path.name for path in tmp_path.iterdir()) == ["file", "folder.png"]


@needs_posix
def test_a_device_is_not_replaced(tmp_path: Path) -> None:
    # Through a link: wrong code would replace the link, and not harm the machine.
    (tmp_path / "null").symlink_to("/dev/null")
    with pytest.raises(OutputError, match="this is a device or a pipe, not a file"):
        write_bytes_atomically(tmp_path / "null", b"x")
    assert (tmp_path / "null").is_char_device()


@pytest.mark.skipif(
    not hasattr(os, "geteuid") or os.geteuid() == 0, reason="permissions do not bind root"
)
def test_a_folder_without_permission_is_an_output_error(tmp_path: Path) -> None:
    tmp_path.chmod(0o500)
    try:
        with pytest.raises(OutputError, match="no permission to write in"):
            write_bytes_atomically(tmp_path / "table.csv", b"x")
    finally:
        tmp_path.chmod(0o700)


@needs_posix
def test_a_failed_write_keeps_the_old_file_and_leaves_nothing_else(tmp_path: Path) -> None:
    path = tmp_path / "table.csv"
    path.write_bytes(b"old")
    code = """
        import resource, sys
        from dermseg.errors import OutputError
        from dermseg.storage import write_bytes_atomically
        resource.setrlimit(resource.RLIMIT_FSIZE, (65536, 65536))
        try:
            write_bytes_atomically(sys.argv[1], bytes(1_000_000))
        except OutputError as error:
            print(error)
    """
    result = subprocess.run(
        [*python(code), str(path)], capture_output=True, text=True, check=True, timeout=60
    )
    expected = f"{path}: cannot be written: the file would be larger than the system allows\n"
    assert result.stdout == expected
    assert path.read_bytes() == b"old"
    assert list(tmp_path.iterdir()) == [path]


@needs_posix
def test_a_process_killed_while_it_writes_leaves_no_final_file(tmp_path: Path) -> None:
    # The kernel's signal for too large a file kills the process after 64 KiB of a megabyte.
    code = """
        import resource, signal, sys
        from dermseg.storage import write_bytes_atomically
        signal.signal(signal.SIGXFSZ, signal.SIG_DFL)
        resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
        resource.setrlimit(resource.RLIMIT_FSIZE, (65536, 65536))
        write_bytes_atomically(sys.argv[1], bytes(1_000_000))
    """
    path = tmp_path / "mask.png"
    result = subprocess.run([*python(code), str(path)], check=False, timeout=60)
    assert result.returncode < 0
    (left,) = tmp_path.iterdir()
    assert left.name.startswith(".dermseg-")
    assert left.stat().st_size == 65536


def test_any_other_exception_while_writing_leaves_nothing(tmp_path: Path) -> None:
    with pytest.raises(TypeError):
        write_bytes_atomically(tmp_path / "table.csv", "text")  # type: ignore[arg-type]
    assert not list(tmp_path.iterdir())


@pytest.mark.skipif(shutil.which("unshare") is None, reason="needs the program unshare")
def test_a_full_disk_is_an_output_error_and_leaves_no_file(tmp_path: Path) -> None:
    # A disk of 64 KiB in a mount namespace of its own, gone with the process.
    code = """
        import os, sys
        from pathlib import Path
        from dermseg.errors import OutputError
        from dermseg.storage import write_bytes_atomically
        disk = Path(sys.argv[1])
        write_bytes_atomically(disk / "small.csv", b"fits")
        try:
            write_bytes_atomically(disk / "small.csv", os.urandom(200_000))
        except OutputError as error:
            print(error)
        print([path.name for path in disk.iterdir()], (disk / "small.csv").read_bytes())
    """
    mount = 'mount -t tmpfs -o size=64k tmpfs "$1" || exit 77; shift; exec "$@"'
    namespace = ["unshare", "--map-root-user", "--mount", "sh", "-c", mount, "sh", str(tmp_path)]
    result = subprocess.run(
        [*namespace, *python(code), str(tmp_path)],
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )
    if result.returncode == 77 or result.stderr.startswith("unshare:"):
        pytest.skip(f"no small disk can be mounted here: {result.stderr.strip()}")
    assert result.returncode == 0, result.stderr
    reason = "the disk is full; free some space or choose another folder"
    assert result.stdout.splitlines() == [
        f"{tmp_path / 'small.csv'}: cannot be written: {reason}",
        "['small.csv'] b'fits'",
    ]
    assert not list(tmp_path.iterdir())
