"""Find and open model packages: shipped ones by name, others by folder."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from importlib import resources
from pathlib import Path

from pydantic import ValidationError

from dermseg.errors import PackageError
from dermseg.package.spec import ModelSpec

__all__ = ["ATTRIBUTE_MODEL", "DEFAULT_MODEL", "ModelPackage", "list_packages", "load_package"]

DEFAULT_MODEL = "fast"
ATTRIBUTE_MODEL = "attributes"


@dataclass(frozen=True)
class ModelPackage:
    """A model as users hold it: a folder with ``model.json`` and ``model.onnx``."""

    folder: Path
    spec: ModelSpec

    @property
    def onnx_path(self) -> Path:
        """The network's graph and weights."""
        return self.folder / "model.onnx"


def list_packages() -> list[str]:
    """Names of the shipped models, the default first."""
    folder = _shipped()
    names = sorted(entry.parent.name for entry in folder.glob("*/model.json"))
    return sorted(names, key=lambda name: name != DEFAULT_MODEL)


def load_package(name_or_path: str | Path | None = None) -> ModelPackage:
    """Open a model package; nothing in it is executed.

    Args:
        name_or_path: A shipped model's name, a folder, or None for the default model.

    Raises:
        PackageError: If there is no such package, or it is incomplete, damaged or too new.
    """
    folder = _locate(name_or_path or DEFAULT_MODEL)
    try:
        text = (folder / "model.json").read_bytes()
        content = (folder / "model.onnx").read_bytes()
    except OSError as error:
        message = f"{folder}: not a whole model package: {error.strerror} ({error.filename})"
        raise PackageError(message) from error
    try:
        spec = ModelSpec.model_validate_json(text)
    except ValidationError as error:
        detail = error.errors()[0]
        where = ".".join(str(part) for part in detail["loc"]) or "the file"
        message = f"{folder / 'model.json'}: {where}: {detail['msg']}; expected format version 1"
        raise PackageError(message) from error
    if hashlib.sha256(content).hexdigest() != spec.onnx_sha256:
        message = (
            f"{folder / 'model.onnx'}: its SHA-256 is not the one in model.json; "
            "the file was damaged or exchanged: export or copy the package again"
        )
        raise PackageError(message)
    return ModelPackage(folder, spec)


def _locate(name_or_path: str | Path) -> Path:
    shipped = list_packages()
    if str(name_or_path) in shipped:
        return _shipped() / str(name_or_path)
    folder = Path(name_or_path)
    if folder.is_dir():
        return folder
    message = (
        f"no model '{name_or_path}': neither a shipped model ({', '.join(shipped)}) nor a folder "
        "with model.json and model.onnx"
    )
    raise PackageError(message)


def _shipped() -> Path:
    return Path(str(resources.files("dermseg.package"))) / "data"
