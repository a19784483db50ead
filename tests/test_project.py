"""Facts about the project that one file states and another could contradict."""

from __future__ import annotations

import os
import re
import subprocess
import sys
import tomllib
from pathlib import Path
from typing import Any

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

import dermseg

ROOT = Path(__file__).resolve().parents[1]
PROJECT: dict[str, Any] = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]
EXTRAS: dict[str, list[str]] = PROJECT["optional-dependencies"]
REQUIREMENTS = [
    requirement
    for line in [*PROJECT["dependencies"], *(line for lines in EXTRAS.values() for line in lines)]
    if (requirement := Requirement(line)).name != "dermseg"
]
PINS = [
    Requirement(line)
    for line in (ROOT / "constraints.txt").read_text("utf-8").splitlines()
    if line and not line.startswith("#")
]


def citation_value(key: str) -> str:
    """The value of a one-line top-level key of CITATION.cff."""
    text = (ROOT / "CITATION.cff").read_text("utf-8")
    (value,) = re.findall(rf"^{key}: (.+)$", text, flags=re.MULTILINE)
    return str(value)


def test_citation_names_the_version_of_the_package() -> None:
    assert citation_value("version") == dermseg.__version__


def test_licence_is_apache_2_everywhere() -> None:
    lines = [line.strip() for line in (ROOT / "LICENSE").read_text("utf-8").splitlines()]
    assert [line for line in lines if line][:2] == [
        "Apache License",
        "Version 2.0, January 2004",
    ]
    assert PROJECT["license"] == "Apache-2.0"
    assert citation_value("license") == "Apache-2.0"


def test_extras_are_the_documented_ones() -> None:
    for_users = {"eval", "train", "openvino", "pretrained", "dicom", "heic", "hub", "labels"}
    assert set(EXTRAS) == {*for_users, "serve", "postgresql", "notebook", "docs", "dev"}
    assert "dermseg[eval]" in EXTRAS["train"]
    assert (
        "dermseg[dicom,heic,hub,labels,notebook,postgresql,pretrained,serve,train]" in EXTRAS["dev"]
    )


def test_core_does_not_require_torch() -> None:
    core = {Requirement(line).name for line in PROJECT["dependencies"]}
    assert not core & {"torch", "torchvision", "lightning", "timm", "matplotlib"}


@pytest.mark.parametrize("requirement", REQUIREMENTS, ids=lambda requirement: requirement.name)
def test_every_requirement_has_a_pin_within_its_bounds(requirement: Requirement) -> None:
    name = canonicalize_name(requirement.name)
    (pin,) = [pin for pin in PINS if canonicalize_name(pin.name) == name]
    (specifier,) = pin.specifier
    assert requirement.specifier.contains(specifier.version)


def test_constraints_fix_each_package_once_and_name_no_build() -> None:
    names = [canonicalize_name(pin.name) for pin in PINS]
    assert names == sorted(set(names))
    for pin in PINS:
        (specifier,) = pin.specifier
        assert specifier.operator == "=="
        assert "+" not in specifier.version
        assert "*" not in specifier.version
        assert pin.url is None
        assert pin.marker is None


def test_importing_dermseg_loads_nothing_heavy() -> None:
    code = (
        "import sys, dermseg\n"
        "heavy = {'torch', 'torchvision', 'matplotlib', 'onnxruntime'} & set(sys.modules)\n"
        "assert not heavy, heavy"
    )
    command = [sys.executable, "-W", "error", "-c", code]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr


def test_onnx_runtime_neither_reports_nor_keeps_an_identifier(tmp_path: Path) -> None:
    names = ("HOME", "USERPROFILE", "LOCALAPPDATA", "XDG_CACHE_HOME", "XDG_DATA_HOME")
    env = os.environ | dict.fromkeys(names, str(tmp_path))
    env.pop("ORT_DISABLE_TELEMETRY", None)
    code = "import dermseg; dermseg.load_model()"
    subprocess.run([sys.executable, "-c", code], env=env, check=True)
    assert not [path for path in tmp_path.rglob("*") if "onnxruntime" in path.name]
