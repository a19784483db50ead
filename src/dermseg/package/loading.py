"""Find and open model packages: shipped ones by name, others by folder."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from importlib import resources
from pathlib import Path

from dermseg.errors import PackageError
from dermseg.package.spec import ModelSpec
from dermseg.storage import read_file, read_model

__all__ = ["ATTRIBUTE_MODEL", "DEFAULT_MODEL", "ModelPackage", "list_packages", "load_package"]

DEFAULT_MODEL = "fast"
ATTRIBUTE_MODEL = "attributes"

_LARGEST_GRAPH = 1 << 31  # as protobuf has it
# The key under which ONNX names the file of a tensor that is elsewhere, as protobuf writes it.
_EXTERNAL = b"\x0a\x08location"


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
    spec = read_model(
        folder / "model.json",
        ModelSpec,
        what="that of a model package of format version 1",
        refuse=_refuse,
    )
    content = read_file(folder / "model.onnx", refuse=_refuse, max_bytes=_LARGEST_GRAPH)
    if hashlib.sha256(content).hexdigest() != spec.onnx_sha256:
        message = (
            f"{folder / 'model.onnx'}: its SHA-256 is not the one in model.json; "
            "the file was damaged or exchanged: export or copy the package again"
        )
        raise PackageError(message)
    if _EXTERNAL in content:
        message = (
            f"{folder / 'model.onnx'}: it keeps weights in other files, which its SHA-256 says "
            "nothing of: export the package again, as one file"
        )
        raise PackageError(message)
    return ModelPackage(folder, spec)


def _refuse(message: str) -> PackageError:
    return PackageError(f"not a whole model package: {message}")


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
