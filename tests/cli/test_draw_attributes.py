"""``dermseg data draw-attributes`` as a user calls it."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from dermseg.images import write_image, write_mask
from dermseg.phantom import create_phantom

Run = Callable[..., "subprocess.CompletedProcess[str]"]


@pytest.fixture
def lesions(tmp_path: Path) -> Path:
    """Six generated lesions in two folders."""
    root = tmp_path / "lesions"
    for name in ("images", "masks"):
        (root / name).mkdir(parents=True)
    for number in range(6):
        phantom = create_phantom(number, size=(96, 128))
        write_image(root / "images" / f"ISIC_{number:07}.jpg", phantom.image)
        write_mask(root / "masks" / f"ISIC_{number:07}.png", phantom.mask)
    return root


@pytest.mark.slow
def test_images_are_drawn_kept_and_left_out(dermseg: Run, lesions: Path, tmp_path: Path) -> None:
    table = tmp_path / "presence.csv"
    table.write_text(
        "image_id,globules,milia_like_cyst,negative_network,pigment_network,streaks\n"
        + "".join(f"ISIC_{number:07},0,1,0,0,0\n" for number in range(5))
    )
    output = tmp_path / "drawn"
    call = ("data", "draw-attributes", lesions, "-o", output, "--presence", table, "--side", 64)
    result = dermseg(*call, "--frequency", "streaks=1", "--frequency", "globules=0")
    assert result.returncode == 0, result.stderr
    left_out = "; left out: 1 that --presence does not name"
    assert result.stdout == f"{output}: 5 images drawn{left_out}\n"
    checked = dermseg("data", "check", output).stdout
    assert "isic2018: 5 images, 5 with a mask" in checked
    assert "globules: in 0 of 5 images" in checked
    assert "streaks: in 5 of 5 images" in checked
    assert "milia_like_cyst: in" not in checked
    result = dermseg(*call, "--frequency", "streaks=1", "--frequency", "globules=0", "--json")
    summary = json.loads(result.stdout)
    assert (summary["num_drawn"], summary["num_kept"], summary["num_unnamed"]) == (0, 5, 1)
    result = dermseg(*call)
    assert result.returncode == 2
    assert "pass --overwrite" in result.stderr
    assert dermseg(*call, "--overwrite").returncode == 0


def test_an_image_that_cannot_be_read_is_named_and_the_code_is_1(
    dermseg: Run, lesions: Path, tmp_path: Path
) -> None:
    damaged = lesions / "images" / "ISIC_0000003.jpg"
    damaged.write_bytes(b"damaged")
    call = ("data", "draw-attributes", lesions, "-o", tmp_path / "drawn", "--side", 64)
    result = dermseg(*call)
    assert result.returncode == 1
    assert f"dermseg: {damaged}: " in result.stderr
    assert result.stdout == f"{tmp_path / 'drawn'}: 5 images drawn, 1 failed\n"


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("--frequency", "streaks"), "expected an attribute and a number: globules=0.4"),
        (("--frequency", "veil=0.1"), "no attribute is called 'veil'"),
        (("--frequency", "streaks=2"), "give a number from 0 (never) to 1 (always)"),
        (("--presence", "missing.csv"), "the table of presence cannot be read"),
    ],
)
def test_wrong_calls_are_one_line_and_write_nothing(
    dermseg: Run, lesions: Path, tmp_path: Path, arguments: tuple[str, ...], message: str
) -> None:
    result = dermseg("data", "draw-attributes", lesions, "-o", tmp_path / "drawn", *arguments)
    assert result.returncode == 2
    (line,) = result.stderr.splitlines()
    assert message in line
    assert not (tmp_path / "drawn").exists()


@pytest.mark.slow
@pytest.mark.skipif(os.name == "nt", reason="signals differ")
def test_an_interrupted_call_is_continued_to_the_same_files(
    command: str, dermseg: Run, lesions: Path, tmp_path: Path
) -> None:
    call = ["data", "draw-attributes", str(lesions), "--workers", "1", "--side", "128", "-o"]
    interrupted, whole = tmp_path / "interrupted", tmp_path / "whole"
    process = subprocess.Popen(
        [command, *call, str(interrupted)], stderr=subprocess.PIPE, stdout=subprocess.PIPE
    )
    images = interrupted / "ISIC2018_Task1-2_Training_Input"
    while process.poll() is None and not any(images.glob("*.png")):
        time.sleep(0.005)
    process.send_signal(signal.SIGINT)
    _, errors = process.communicate(timeout=60)
    assert process.returncode == 130, errors
    num_done = len(list(images.glob("*.png")))
    assert 1 <= num_done < 6
    result = dermseg(*call, interrupted)
    assert result.stdout == f"{interrupted}: {6 - num_done} images drawn, {num_done} kept\n"
    assert dermseg(*call, whole).returncode == 0
    names = sorted(path.relative_to(whole) for path in whole.rglob("*.png"))
    assert len(names) == 6 * 7
    assert names == sorted(path.relative_to(interrupted) for path in interrupted.rglob("*.png"))
    assert all((whole / name).read_bytes() == (interrupted / name).read_bytes() for name in names)
