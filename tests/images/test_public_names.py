"""The package says what it offers, and only it knows Pillow."""

from __future__ import annotations

import subprocess
import sys

from dermseg import images


def test_all_names_exist_and_are_sorted() -> None:
    assert images.__all__ == sorted(images.__all__, key=lambda name: (not name.isupper(), name))
    assert all(hasattr(images, name) for name in images.__all__)


def test_images_needs_neither_torch_nor_opencv() -> None:
    code = "import sys, dermseg.images; print({'torch', 'torchvision', 'cv2'} & set(sys.modules))"
    result = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True, timeout=60
    )
    assert result.stdout == "set()\n"
