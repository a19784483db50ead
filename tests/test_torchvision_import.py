"""torchvision imports beside any torch, and its other failures are not hidden."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest
import torch

from dermseg.torchvision_import import tv_tensors, v2


def run_python(
    code: str, *options: str, first_on_path: Path | None = None
) -> subprocess.CompletedProcess[str]:
    """Run ``code`` in an interpreter of its own, as imports happen once per process."""
    if first_on_path is not None:
        code = f"import sys; sys.path.insert(0, {str(first_on_path)!r})\n{code}"
    command = [sys.executable, *options, "-c", code]
    return subprocess.run(command, capture_output=True, text=True, check=False)


def write_torchvision(folder: Path, init: str) -> None:
    """Write a package that stands in for a torchvision of another build."""
    package = folder / "torchvision"
    (package / "transforms").mkdir(parents=True)
    (package / "__init__.py").write_text(init)
    (package / "tv_tensors.py").write_text("")
    (package / "transforms" / "__init__.py").write_text("")
    (package / "transforms" / "v2.py").write_text("")


def test_transforms_move_image_and_mask_alike() -> None:
    image = tv_tensors.Image(torch.arange(12, dtype=torch.uint8).reshape(1, 3, 4))
    mask = tv_tensors.Mask(torch.arange(12, dtype=torch.uint8).reshape(1, 3, 4))
    flipped_image, flipped_mask = v2.RandomHorizontalFlip(p=1.0)(image, mask)
    assert isinstance(flipped_mask, tv_tensors.Mask)
    assert flipped_image[0, 0].tolist() == [3, 2, 1, 0]
    assert flipped_mask[0, 0].tolist() == [3, 2, 1, 0]


@pytest.mark.slow
def test_libraries_on_top_of_torchvision_import_after_it_without_a_warning() -> None:
    done = run_python(
        "import dermseg.torchvision_import, lightning, timm, segmentation_models_pytorch",
        "-W",
        "error",
    )
    assert done.returncode == 0, done.stderr


@pytest.mark.slow
def test_failed_import_before_it_leaves_a_whole_torchvision() -> None:
    done = run_python(
        "try:\n    import torchvision\nexcept RuntimeError:\n    pass\n"
        "from dermseg.torchvision_import import v2\n"
        "v2.Compose([v2.Identity()])\n"
        "import sys, torchvision\n"
        "loaded = [name.split('.') for name in sys.modules]\n"
        "children = {name[1] for name in loaded if name[0] == 'torchvision' and len(name) > 1}\n"
        "assert children <= set(vars(torchvision))"
    )
    assert done.returncode == 0, done.stderr


@pytest.mark.slow
def test_nothing_is_declared_where_torchvision_imports_by_itself(tmp_path: Path) -> None:
    write_torchvision(tmp_path, init="")
    done = run_python(
        "import dermseg.torchvision_import, torch, torchvision\n"
        f"assert torchvision.__file__.startswith({str(tmp_path)!r})\n"
        "assert not hasattr(torch.ops.torchvision, 'nms')",
        first_on_path=tmp_path,
    )
    assert done.returncode == 0, done.stderr


@pytest.mark.slow
def test_other_failures_of_torchvision_are_passed_on(tmp_path: Path) -> None:
    write_torchvision(tmp_path, init="raise RuntimeError('CUDA versions differ')")
    done = run_python("import dermseg.torchvision_import", first_on_path=tmp_path)
    assert done.stderr.splitlines()[-1] == "RuntimeError: CUDA versions differ"


@pytest.mark.slow
def test_module_missing_inside_torchvision_is_not_called_a_missing_extra(tmp_path: Path) -> None:
    write_torchvision(tmp_path, init="import a_module_that_is_not_there")
    done = run_python("import dermseg.torchvision_import", first_on_path=tmp_path)
    assert done.stderr.splitlines()[-1].startswith("ModuleNotFoundError: No module named 'a_mod")


def test_missing_torch_and_missing_torchvision_name_the_extra() -> None:
    for missing in ("torch", "torchvision"):
        done = run_python(
            f"import sys; sys.modules[{missing!r}] = None\nimport dermseg.torchvision_import"
        )
        assert "training needs the extra 'train': pip install 'dermseg[train]'" in done.stderr
