"""The requirements in pyproject.toml are those that the code imports."""

from __future__ import annotations

import ast
import sys
import tomllib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from packaging.requirements import Requirement

ROOT = Path(__file__).resolve().parents[1]
SOURCES = ROOT / "src"
SETTINGS: dict[str, Any] = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))
EXTRAS: dict[str, list[str]] = SETTINGS["project"]["optional-dependencies"]
CORE: list[str] = SETTINGS["project"]["dependencies"]

# The extras that the package's own code imports; SQLAlchemy imports that of another.
USED = ("dicom", "eval", "heic", "hub", "labels", "openvino", "serve", "train")

# Where a distribution's modules do not have its name.
MODULES = {
    "argon2-cffi": ("argon2",),
    "opencv-python-headless": ("cv2",),
    "pillow": ("PIL",),
    # Decoders that pydicom finds by itself.
    "pyjpegls": ("pydicom.pixels",),
    "pylibjpeg": ("pydicom.pixels",),
    "pylibjpeg-openjpeg": ("pydicom.pixels",),
    "python-gdcm": ("pydicom.pixels",),
    "pydantic": ("pydantic", "pydantic_core"),  # each pydantic requires one pydantic-core
    "tensorboard": ("lightning.pytorch.loggers.TensorBoardLogger",),  # which imports it
}


def names(requirements: list[str]) -> set[str]:
    """The distributions of a list of requirements, without the project's own extras."""
    return {Requirement(line).name for line in requirements} - {"dermseg"}


def modules_of(distribution: str) -> tuple[str, ...]:
    return MODULES.get(distribution, (distribution.replace("-", "_"),))


def imports_of(path: Path) -> Iterator[str]:
    """The absolute names that a file imports, wherever in it: ``a.b`` and ``a.b.name``."""
    for node in ast.walk(ast.parse(path.read_text("utf-8"))):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module and node.level == 0:
            yield node.module
            yield from (f"{node.module}.{alias.name}" for alias in node.names)


IMPORTS = {
    path.relative_to(SOURCES).with_suffix("").as_posix().replace("/", "."): set(imports_of(path))
    for path in SOURCES.rglob("*.py")
}


def provides(distribution: str, imported: str) -> bool:
    return any(f"{imported}.".startswith(f"{module}.") for module in modules_of(distribution))


def importers(distribution: str) -> set[str]:
    """The project's modules that import one of the distribution's."""
    return {
        module
        for module, imported in IMPORTS.items()
        if any(provides(distribution, name) for name in imported)
    }


@pytest.mark.parametrize(
    "distribution",
    sorted(names([*CORE, *(line for extra in USED for line in EXTRAS[extra])])),
)
def test_every_requirement_of_users_is_imported(distribution: str) -> None:
    assert importers(distribution)


@pytest.mark.parametrize("distribution", sorted(names(EXTRAS["eval"])))
def test_what_eval_requires_is_imported_where_torch_is_not(distribution: str) -> None:
    (free,) = [
        contract["source_modules"]
        for contract in SETTINGS["tool"]["importlinter"]["contracts"]
        if contract["id"] == "torch-free"
    ]
    assert any(
        f"{module}.".startswith(f"{part}.") for module in importers(distribution) for part in free
    )


def test_everything_imported_is_required() -> None:
    required = names([*CORE, *(line for extra in USED for line in EXTRAS[extra])])
    own = {*sys.stdlib_module_names, "dermseg"}
    missing = {
        f"{module} imports {name}"
        for module, imported in IMPORTS.items()
        for name in imported
        if name.partition(".")[0] not in own
        and not any(provides(distribution, name) for distribution in required)
    }
    assert not missing
