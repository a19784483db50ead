"""On what a run was made: versions, hardware, commit."""

from __future__ import annotations

import os
import platform
import subprocess
from importlib import metadata
from pathlib import Path

import torch

from dermseg import __version__

__all__ = ["describe_environment", "find_commit"]

_PACKAGES = ("dermseg", "torch", "torchvision", "lightning", "numpy", "opencv-python-headless")


def describe_environment() -> dict[str, str]:
    """Python, packages, machine and threads, which the last digits of a result depend on."""
    accelerator = torch.cuda.get_device_name() if torch.cuda.is_available() else "none"
    return {
        "python": platform.python_version(),
        "platform": platform.platform(),
        "cores": str(os.cpu_count()),
        "threads": str(torch.get_num_threads()),
        "cpu_capability": torch.backends.cpu.get_cpu_capability(),
        "accelerator": accelerator,
        **{name: metadata.version(name) for name in _PACKAGES},
    }


def find_commit() -> str:
    """The commit of the source tree, or the version of an installed package."""
    root = Path(__file__).parents[3]
    if not (root / "pyproject.toml").is_file():
        return f"dermseg {__version__}"
    try:
        result = subprocess.run(
            ["git", "describe", "--always", "--dirty", "--abbrev=40", "--exclude=*"],  # noqa: S607
            cwd=root,
            capture_output=True,
            text=True,
            check=False,
        )
    except FileNotFoundError:
        return f"dermseg {__version__}"
    return result.stdout.strip() or f"dermseg {__version__}"
