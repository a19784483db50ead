"""A model package on disk, the shipped packages, and their runtime."""

from dermseg.package.loading import (
    ATTRIBUTE_MODEL,
    DEFAULT_MODEL,
    ModelPackage,
    list_packages,
    load_package,
)
from dermseg.package.runtime import Runtime
from dermseg.package.session import Precision, RuntimeName
from dermseg.package.spec import DataSource, ModelSpec, Provenance, Quantization, Score

__all__ = [
    "ATTRIBUTE_MODEL",
    "DEFAULT_MODEL",
    "DataSource",
    "ModelPackage",
    "ModelSpec",
    "Precision",
    "Provenance",
    "Quantization",
    "Runtime",
    "RuntimeName",
    "Score",
    "list_packages",
    "load_package",
]
