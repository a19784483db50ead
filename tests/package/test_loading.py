"""Opening model packages, whole and broken ones."""

from __future__ import annotations

import hashlib
import json
import math
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import onnx
import pytest

from dermseg.errors import PackageError
from dermseg.package import ModelSpec, list_packages, load_package

Edit = Callable[..., Path]


def explain(folder: Path | str) -> str:
    """The message of the error that opening a package makes."""
    with pytest.raises(PackageError) as caught:
        load_package(folder)
    return str(caught.value)


def test_whole_package_is_opened_from_a_path_or_text(package: Path) -> None:
    opened = load_package(package)
    assert opened.spec.name == "dark"
    assert opened.spec.input_size == (48, 64)
    assert opened.onnx_path == package / "model.onnx"
    assert load_package(str(package)) == opened


def test_damaged_graph_is_noticed_by_its_hash(package: Path) -> None:
    content = bytearray((package / "model.onnx").read_bytes())
    content[len(content) // 2] ^= 1
    (package / "model.onnx").write_bytes(content)
    message = explain(package)
    assert "model.onnx" in message
    assert "SHA-256" in message


def test_cut_graph_is_noticed(package: Path) -> None:
    content = (package / "model.onnx").read_bytes()
    (package / "model.onnx").write_bytes(content[:-1])
    assert "damaged" in explain(package)


@pytest.mark.parametrize("name", ["model.json", "model.onnx"])
def test_missing_file_is_named(package: Path, name: str) -> None:
    (package / name).unlink()
    message = explain(package)
    assert "not a whole model package" in message
    assert name in message


def test_empty_folder_is_no_package(tmp_path: Path) -> None:
    assert "not a whole model package" in explain(tmp_path)


@pytest.mark.parametrize("version", [0, 2, "1"])
def test_other_format_version_is_refused(edit: Edit, version: object) -> None:
    message = explain(edit(format_version=version))
    assert (
        "model.json: not that of a model package of format version 1: format_version: " in message
    )


def test_newer_format_is_named_before_its_unknown_keys(edit: Edit) -> None:
    assert ": format_version: " in explain(edit(format_version=2, a_new_key=1))


def test_unknown_key_is_named(edit: Edit) -> None:
    assert "colour: Extra inputs are not permitted" in explain(edit(colour="red"))


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("activation", "tanh"),
        ("temperature", 0),
        ("classes", []),
        ("input_size", [48]),
        ("normalization", {"mean": [0, 0, 0]}),
        ("postprocessing", {"threshold": 2}),
        ("input_size", [0, 64]),
        ("input_size", [10**6, 10**6]),
        ("normalization", {"mean": [0, 0, 0], "std": [0, 1, 1]}),
    ],
)
def test_value_that_is_not_valid_is_named(edit: Edit, key: str, value: Any) -> None:
    assert f"format version 1: {key}" in explain(edit(**{key: value}))


@pytest.mark.parametrize("value", [math.nan, math.inf, -math.inf])
def test_numbers_are_finite(edit: Edit, value: float) -> None:
    assert "is no finite number" in explain(edit(temperature=value))


@pytest.mark.parametrize("name", ["model.json", "model.onnx"])
def test_only_regular_files_are_opened(package: Path, name: str) -> None:
    (package / name).unlink()
    os.mkfifo(package / name)
    assert f"{name}: this is a device or a pipe" in explain(package)
    (package / name).unlink()
    (package / name).mkdir()
    assert f"{name}: cannot be read: this is a folder" in explain(package)


def test_weights_outside_the_checksum_are_refused(package: Path) -> None:
    model = onnx.load(package / "model.onnx")
    onnx.save(
        model,
        package / "model.onnx",
        save_as_external_data=True,
        location="weights.bin",
        size_threshold=0,
    )
    content = (package / "model.onnx").read_bytes()
    spec = json.loads((package / "model.json").read_text())
    spec["onnx_sha256"] = hashlib.sha256(content).hexdigest()
    (package / "model.json").write_text(json.dumps(spec))
    assert "keeps weights in other files" in explain(package)


def test_older_names_of_keys_are_read() -> None:
    spec = load_package().spec.model_copy(update={"activation": "softmax", "bias": 0.0})
    content = spec.model_dump(mode="json")
    content["head"] = content.pop("activation")
    content["scope"] = content.pop("out_of_distribution")
    assert content["scope"] is not None
    assert ModelSpec.model_validate(content) == spec


def test_bias_has_no_meaning_under_a_softmax(edit: Edit) -> None:
    assert "bias is 0.5, expected 0 under the activation softmax" in explain(
        edit(activation="softmax", bias=0.5)
    )


@pytest.mark.parametrize("content", [b"", b"{", b"\xff\xfe", b"[]"])
def test_spec_that_is_no_json_object_is_refused(package: Path, content: bytes) -> None:
    (package / "model.json").write_bytes(content)
    assert "model.json: " in explain(package)


def test_unknown_name_says_what_there_is() -> None:
    message = explain("no-such-model")
    assert "no model 'no-such-model'" in message
    assert "nor a folder with model.json and model.onnx" in message
    for name in list_packages():
        assert name in message


@pytest.mark.parametrize("name", list_packages())
def test_shipped_package_is_whole(name: str) -> None:
    package = load_package(name)
    assert package.spec.name == name
    assert package.spec.provenance.scores or package.spec.quantization
