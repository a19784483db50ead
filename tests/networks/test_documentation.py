"""The table of networks in the documentation."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch

from dermseg.networks import NETWORKS, create_network
from dermseg.networks.summary import summarize

PAGE = Path(__file__).resolve().parents[2] / "docs" / "networks.md"


def read_rows() -> dict[str, list[str]]:
    lines = PAGE.read_text("utf-8").splitlines()
    rows = [line.strip("| ").split(" | ") for line in lines if line.startswith("| `")]
    return {row[0].strip("`"): row for row in rows}


def test_every_network_has_a_row() -> None:
    assert list(read_rows()) == list(NETWORKS)


@pytest.mark.parametrize("name", NETWORKS)
def test_rows_state_what_the_command_counts(name: str) -> None:
    with torch.device("meta"):
        found = summarize(create_network(name), size=(256, 256))
    stated = read_rows()[name][-2:]
    assert stated == [f"{found.num_parameters:,}", f"{found.num_multiply_adds:,}"]
