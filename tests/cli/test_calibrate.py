"""``dermseg calibrate``, and ``dermseg predict`` with what it fits."""

from __future__ import annotations

import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from dermseg.images import write_image
from dermseg.package import LinearModel, OutOfDistributionModel, load_package
from dermseg.phantom import create_phantom

Dermseg = Callable[..., "subprocess.CompletedProcess[str]"]


@pytest.mark.slow
def test_calibrating_needs_the_images_that_were_held_out(dermseg: Dermseg, tmp_path: Path) -> None:
    result = dermseg("calibrate", "fast", "-o", tmp_path / "model")
    assert result.returncode == 2
    assert "no images: give --data" in result.stderr
    for folder in ("images", "masks"):
        (tmp_path / folder).mkdir()
        (tmp_path / folder / "a.png").touch()
    result = dermseg(
        "calibrate", "fast", "-o", tmp_path / "model",
        "--images", tmp_path / "images", "--masks", tmp_path / "masks",
    )  # fmt: skip
    assert result.returncode == 2
    assert "none of 1 images was held out in training" in result.stderr
    assert not (tmp_path / "model").exists()


def test_what_is_refused_is_counted_apart_and_can_be_forced(
    dermseg: Dermseg, tmp_path: Path
) -> None:
    package = load_package()
    folder = shutil.copytree(package.folder, tmp_path / "model")
    grey = LinearModel(
        features=["grey"], centres=[0.5], scales=[0.1], weights=[-2.0], intercept=0.0
    )
    always = LinearModel(features=["lit"], centres=[0], scales=[1], weights=[0], intercept=9)
    refusing = OutOfDistributionModel(
        threshold=0.5, photograph=grey, least_photograph=0.3, lesion=always, least_lesion=0.3
    )
    spec = package.spec.model_copy(update={"out_of_distribution": refusing})
    (folder / "model.json").write_text(spec.model_dump_json())
    lesion = create_phantom(1).image
    images = tmp_path / "images"
    images.mkdir()
    write_image(images / "lesion.png", lesion)
    write_image(images / "grey.png", np.repeat(lesion[..., 1:2], 3, axis=2))
    (images / "broken.png").write_bytes(b"nothing")
    result = dermseg("predict", images, "-o", tmp_path / "masks", "--model", folder)
    assert result.returncode == 1
    assert "grey.png: out of scope: it does not look like a dermoscopic" in result.stderr
    counts = (
        "1 masks written to {0}, 1 failed, 1 refused (--force writes their masks)\n"
        "overview: {0}/index.html\n"
    )
    assert result.stdout == counts.format(tmp_path / "masks")
    result = dermseg("predict", images, "-o", tmp_path / "all", "--model", folder, "--force")
    assert result.stdout.startswith(f"2 masks written to {tmp_path / 'all'}, 1 failed\n")
    assert (tmp_path / "all" / "grey_segmentation.png").is_file()
