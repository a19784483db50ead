"""A model package on disk, the shipped packages, and their runtime."""

from dermseg.package.estimates import (
    Calibration,
    LinearModel,
    OutOfDistributionModel,
    PresenceEstimate,
    PresenceModel,
    QualityModel,
    Reliability,
)
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
    "Calibration",
    "DataSource",
    "LinearModel",
    "ModelPackage",
    "ModelSpec",
    "OutOfDistributionModel",
    "Precision",
    "PresenceEstimate",
    "PresenceModel",
    "Provenance",
    "QualityModel",
    "Quantization",
    "Reliability",
    "Runtime",
    "RuntimeName",
    "Score",
    "list_packages",
    "load_package",
]
