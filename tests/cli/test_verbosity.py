"""One place decides how much a command says, and the library itself prints nothing."""

from __future__ import annotations

import logging
import re
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pytest
from typer.testing import CliRunner

import dermseg
from dermseg.cli.commands import app
from dermseg.images import write_image
from dermseg.progress import is_shown, show_progress, track

Disc = Callable[..., tuple[np.ndarray, np.ndarray]]

WORKING = [
    ["predict"], ["demo"], ["train"], ["evaluate"], ["compare"], ["export"], ["calibrate"],
    ["data", "audit"], ["data", "check"], ["data", "download"], ["data", "prepare"],
    ["data", "preview"],
]  # fmt: skip


@pytest.fixture(autouse=True)
def restored() -> Iterator[None]:
    logger = logging.getLogger("dermseg")
    before = logger.level, logger.propagate, list(logger.handlers)
    yield
    logger.level, logger.propagate, logger.handlers = before
    logging.getLogger().manager._clear_cache()  # type: ignore[attr-defined]
    show_progress(None)


@pytest.mark.parametrize("command", WORKING, ids=" ".join)
def test_every_command_that_works_has_both_options(command: list[str]) -> None:
    text = CliRunner().invoke(app, [*command, "--help"]).output
    assert "--quiet" in text
    assert "--verbose" in text


@pytest.mark.parametrize(
    ("options", "said"),
    [([], ["info", "warning"]), (["--quiet"], ["warning"]), (["--verbose"], None)],
)
def test_what_is_said_depends_on_the_options(
    dark_package: Path, tmp_path: Path, disc: Disc, options: list[str], said: list[str] | None,
    monkeypatch: pytest.MonkeyPatch,
) -> None:  # fmt: skip
    photo = tmp_path / "a.jpg"
    write_image(photo, disc((60, 80), centre=(40, 30), radius=20)[0])

    def speak() -> None:
        logging.getLogger("dermseg.prediction").info("info")
        logging.getLogger("dermseg.prediction").warning("%s", "warning")

    monkeypatch.setattr("dermseg.prediction.share_heap", speak)
    call = ["predict", str(photo), "-o", str(tmp_path / "out"), "--model", str(dark_package)]
    result = CliRunner().invoke(app, [*call, *options])
    assert result.exit_code == 0
    assert result.stdout.startswith("1 masks written")
    lines = result.stderr.splitlines()
    if said is None:
        assert lines[:2] == ["info", "warning: warning"]
        assert re.fullmatch(rf"{re.escape(str(photo))}: \d\.\d+ s", lines[-1])
    else:
        assert [line.rpartition(" ")[2] for line in lines] == said


def test_both_options_at_once_are_refused(tmp_path: Path) -> None:
    result = CliRunner().invoke(app, ["predict", "a", "-o", str(tmp_path), "--quiet", "--verbose"])
    assert "exclude each other" in str(result.exception)


def test_progress_is_passed_to_the_display() -> None:
    assert not is_shown()
    assert list(track([1, 2], 2, "counting")) == [1, 2]
    seen: list[object] = []

    def display(items: Iterator[int], total: int, what: str) -> Iterator[int]:
        seen.append((total, what))
        yield from items

    show_progress(display)  # type: ignore[arg-type]
    assert list(track([1, 2], 2, "counting")) == [1, 2]
    assert seen == [(2, "counting")]


def test_only_the_command_line_prints() -> None:
    root = Path(dermseg.__file__).parent
    printing = re.compile(r"(?<![\w.])print\(|\bConsole\(|typer\.echo|sys\.std(out|err)\.write")
    found = [
        str(path.relative_to(root))
        for path in root.rglob("*.py")
        if "cli" not in path.relative_to(root).parts
        and printing.search(re.sub(r"^\s*>>>.*$", "", path.read_text(), flags=re.MULTILINE))
    ]
    assert found == []
