"""What the scripts that train and score many runs have in common."""

from __future__ import annotations

import shlex
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

from dermseg.types import Sample

__all__ = ["call", "is_of_other_sources", "put_table", "train"]

_FIRST_OF_OTHER_SOURCES = 12000


def is_of_other_sources(sample: Sample) -> bool:
    """Whether a photograph of ISIC 2017 or 2018 is one of those that come from other sources.

    The number tells: they are those from 12000 on.
    """
    return int(sample.id.removeprefix("ISIC_")) >= _FIRST_OF_OTHER_SOURCES


def call(arguments: Sequence[str], *, may_refuse: bool = False) -> None:
    """Run the installed command line, and stop with its exit code where it fails.

    Args:
        arguments: Of ``dermseg``.
        may_refuse: Go on where some images failed or were refused, and the others were done.
    """
    command = [str(Path(sys.executable).with_name("dermseg")), *arguments]
    print(f"\n$ {shlex.join(['dermseg', *arguments])}", flush=True)
    code = subprocess.run(command, check=False).returncode  # noqa: S603 -- our own command
    if code > may_refuse:
        raise SystemExit(code)


def train(recipe: str, run: Path, overrides: Sequence[str], arguments: Sequence[str]) -> None:
    """Train a recipe, or continue a run that was broken off; a finished one is kept.

    Args:
        recipe: Name of a packaged recipe.
        run: The run folder.
        overrides: ``KEY=VALUE`` each.
        arguments: What else ``dermseg train`` is told, such as ``--data DIR``.
    """
    if (run / "model" / "model.json").is_file():
        return
    settings = [word for override in overrides for word in ("--set", override)]
    resume = ["--resume"] if (run / "recipe.toml").is_file() else []
    call(["train", recipe, "-o", str(run), *arguments, *settings, *resume])


def put_table(document: Path, title: str, table: str) -> None:
    """Replace what stands between a document's two markers of a title.

    Args:
        document: A Markdown file with ``<!-- TITLE: begin -->`` and ``<!-- TITLE: end -->``.
        title: Which markers.
        table: What to put there, with a newline at its end.
    """
    begin, end = f"<!-- {title}: begin -->\n", f"<!-- {title}: end -->"
    head, rest = document.read_text("utf-8").split(begin)
    document.write_text(head + begin + table + end + rest.split(end, maxsplit=1)[1], "utf-8")
