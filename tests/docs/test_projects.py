"""The tutorials of the five projects run, in each project's own folders, and do what is claimed."""

from __future__ import annotations

import glob
import json
import re
import runpy
import shlex
from pathlib import Path

import pytest
from typer.testing import CliRunner

from dermseg.cli.commands import app
from dermseg.recipes import list_recipes

DOCS = Path(__file__).parents[2] / "docs"
TUTORIALS = sorted((DOCS / "tutorials" / "projects").glob("*.md"))
CLAIMS = (DOCS / "from-the-five-projects.md").read_text("utf-8")
# Networks of a few channels, so that each command takes seconds.
TINY = {
    "xception_unet": "network.parameters.widths=[8, 16]",
    "inception_aspp_unet": "network.parameters.decoder_widths=[8, 8, 8]",
    "unet": "network.parameters.width=4",
    "improved_unet": "network.parameters.width=4",
}
NETWORK_OF = {
    "xception-unet-isic2016": "xception_unet",
    "inception-aspp-unet-isic2017": "inception_aspp_unet",
    "unet-isic2018": "unet",
    "unet-ham10000": "unet",
    "unet-256-isic2018": "unet",
    "improved-unet-isic2018": "improved_unet",
}


def commands_of(page: Path) -> list[str]:
    """The lines of the shell blocks of a page."""
    blocks = re.findall(r"^```sh\n(.*?)^```", page.read_text("utf-8"), flags=re.S | re.M)
    return [line for block in blocks for line in block.splitlines()]


def rows() -> list[tuple[str, str, str]]:
    """The rows of the tables: what a page says, the command, and how it is here."""
    lines = [
        line for line in CLAIMS.partition("## Figures")[0].splitlines() if line.startswith("| ")
    ]
    cells = [tuple(cell.strip() for cell in line.strip("|").split(" | ")) for line in lines]
    return [row for row in cells if row[0] != "the page says"]  # type: ignore[misc]


def run(command: str) -> None:
    arguments = shlex.split(command)[1:]
    if arguments[0] == "train":
        tiny = TINY[NETWORK_OF[arguments[1]]]
        small = ["--set", "training.lr=1e-3", "--set", tiny, "--workers", "0"]
        if "inception" in arguments[1]:
            small += ["--set", "network.parameters.aspp_width=8"]
        arguments += small
    if arguments[0] == "evaluate" and arguments[-1] != "scores":
        arguments.append("--no-report")
    if arguments[0] == "predict":
        arguments[1:2] = sorted(glob.glob(arguments[1]))  # noqa: PTH207 -- as a shell does
    if "NAME,NAME" in arguments:
        ids = [path.name for path in Path("scores/v1/masks").iterdir()]
        names = sorted(name.partition("_segmentation")[0] for name in ids)[:2]
        arguments[arguments.index("NAME,NAME")] = ",".join(names)
    result = CliRunner().invoke(app, arguments)
    assert result.exit_code == 0, (command, result.output, result.exception)
    if "--summary" in arguments:
        assert "total" in result.output
        assert "multiply-adds" in result.output
    if "--pictures" in arguments:
        shown = json.loads(Path("named", "comparison.json").read_text())["most_different"]
        assert [image["id"] for image in shown] == arguments[-1].split(",")


@pytest.mark.slow
@pytest.mark.parametrize("page", TUTORIALS, ids=lambda page: page.stem)
def test_a_tutorial_runs_from_the_project_s_folders_to_its_pictures(
    page: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    first, second, *commands = commands_of(page)
    assert first == f"python docs/make_project_images.py {page.stem} work"
    assert second == "cd work"
    write = runpy.run_path(str(DOCS / "make_project_images.py"))["main"]
    write(page.stem, tmp_path)
    monkeypatch.chdir(tmp_path)
    for command in commands:
        run(command)
    trained = re.findall(r"-o (\w+)", " ".join(c for c in commands if " train " in c))
    for name in trained:
        files = ["curves.png", "roc.png", "predictions.png", "model/model.onnx"]
        # Official parts are scored by `evaluate` only.
        files += [] if page.stem == "attributes" else ["roc-test.png"]
        assert all((tmp_path / name / file).is_file() for file in files)
    assert list((tmp_path / "masks").glob("*_overlay.jpg"))
    assert list((tmp_path / "scores").rglob("summary.json"))
    if page.stem == "ham10000":
        assert (tmp_path / "named" / "differences.jpg").is_file()


def test_every_command_that_is_claimed_is_run_by_a_tutorial() -> None:
    run_there = {
        re.sub(r" --quick\b", "", command) for page in TUTORIALS for command in commands_of(page)
    }
    claimed = {cell.strip("`") for _, cell, _ in rows() if cell.startswith("`dermseg ")}
    shown = {c for c in claimed if c.startswith(("dermseg recipes ", "dermseg networks "))}
    assert claimed - shown <= run_there
    for command in shown:
        result = CliRunner().invoke(app, shlex.split(command)[1:])
        assert result.exit_code == 0, command


def test_every_sentence_works_or_says_why_it_differs() -> None:
    assert len(rows()) > 40
    for sentence, place, verdict in rows():
        assert sentence
        assert place.startswith("`")
        assert verdict.startswith(("works", "differs: "))
        assert not verdict.endswith("differs")


def test_every_recipe_that_a_tutorial_trains_is_there() -> None:
    assert NETWORK_OF.keys() <= set(list_recipes())
