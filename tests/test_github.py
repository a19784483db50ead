"""The files for GitHub are well formed, and ask for what is needed."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest
import yaml

FOLDER = Path(__file__).resolve().parents[1] / ".github"
FORMS = {
    path.stem: yaml.safe_load(path.read_text("utf-8"))
    for path in (FOLDER / "ISSUE_TEMPLATE").glob("*.yml")
}
CHECK: dict[str, Any] = yaml.safe_load((FOLDER / "workflows" / "check.yml").read_text("utf-8"))


def test_checks_run_on_three_systems_and_every_python() -> None:
    matrix = CHECK["jobs"]["test"]["strategy"]["matrix"]
    assert {name.partition("-")[0] for name in matrix["os"]} == {"ubuntu", "macos", "windows"}
    assert matrix["python"] == ["3.11", "3.12", "3.13"]


@pytest.mark.parametrize("name", CHECK["jobs"])
def test_each_job_is_limited_and_installs_what_is_pinned(name: str) -> None:
    job = CHECK["jobs"][name]
    assert job["timeout-minutes"] <= 60
    commands = [step["run"] for step in job["steps"] if "run" in step]
    assert commands
    for command in commands:
        assert "pip install" not in command or "-c constraints.txt" in command
        # Windows' runners have no GNU make.
        assert not command.startswith("make ") or job["runs-on"] == "ubuntu-latest"


def test_a_job_may_only_read_the_repository() -> None:
    assert CHECK["permissions"] == {"contents": "read"}
    assert "secrets." not in (FOLDER / "workflows" / "check.yml").read_text("utf-8")


def test_reports_of_errors_ask_for_what_is_needed() -> None:
    fields = {field.get("id"): field for field in FORMS["bug_report"]["body"]}
    for name in ("version", "command", "message"):
        assert fields[name]["validations"]["required"] is True
    assert "dermseg --version" in fields["version"]["attributes"]["description"]


@pytest.mark.parametrize("name", ["bug_report", "feature_request"])
def test_forms_warn_of_photographs_of_patients(name: str) -> None:
    assert FORMS[name]["name"]
    assert FORMS[name]["description"]
    assert re.search(r"never attach photographs of patients", str(FORMS[name]), re.IGNORECASE)
