"""What mkdocs.yml cannot say: pages made of the command line and of the notebooks."""

from __future__ import annotations

import base64
import html
import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import typer.main
from mkdocs.config.defaults import MkDocsConfig
from mkdocs.plugins import get_plugin_logger
from mkdocs.structure.files import File, Files
from mkdocs.structure.pages import Page

from dermseg.cli.commands import app

_log = get_plugin_logger("hooks")
_COMMAND_LINE = "reference/command-line.md"
_COLOR = re.compile(r"\x1b\[[\d;]*m")
_ROLE = re.compile(r":(?:attr|class|data|func|meth|mod):(?=<code>|`)")

_FOREIGN = re.compile(
    r"<(?:script|img|iframe|source|video|audio)\b[^>]*\bsrc=[\"']?(?:https?:)?//[^\s>]*"
    r"|<link\b(?=[^>]*\brel=[\"']?(?:stylesheet|preload|preconnect|icon))[^>]*//[^\s>]*"
)


def on_files(files: Files, config: MkDocsConfig) -> Files:
    """Add the page of the command line, and one beside each notebook."""
    files.append(File.generated(config, _COMMAND_LINE, content=command_line()))
    for file in [file for file in files if file.src_uri.endswith(".ipynb")]:
        source = Path(str(file.abs_src_path))
        page, pictures = notebook(source)
        files.append(File.generated(config, file.src_uri.replace(".ipynb", ".md"), content=page))
        for name, content in pictures.items():
            uri = f"{file.src_uri.rpartition('/')[0]}/{name}"
            files.append(File.generated(config, uri, content=content))
    return files


def on_page_markdown(markdown: str, page: Page, **_: object) -> str:
    """Lead to the page of a notebook where the repository leads to its file."""
    if page.file.src_uri.startswith("tutorials/first-model"):
        return markdown
    return markdown.replace(".ipynb)", ".md)")


def on_page_content(content: str, **_: object) -> str:
    """Take the roles of Sphinx out of docstrings: ``:func:`name``` becomes code."""
    return _ROLE.sub("", content)


def on_post_page(output: str, page: Page, **_: object) -> None:
    """Warn of what a page would fetch from another host: a reader asks nobody but this site."""
    for match in _FOREIGN.findall(output):
        _log.warning("%s loads from another host: %s", page.file.src_uri, match)


def command_line() -> str:
    """Every command with its arguments and options, in Markdown."""
    group = typer.main.get_command(app)
    context = group.context_class(group, info_name="dermseg", **group.context_settings)
    return "\n".join(["# Command line", "", *_describe(group, context, level=1)])


def _describe(command: Any, context: Any, *, level: int) -> Iterator[str]:  # noqa: ANN401
    """A command and those below it; typer keeps the types of both to itself."""
    if level > 1:
        yield from (f"{'#' * level} {context.command_path}", "")
    yield from (f"    {command.get_usage(context).removeprefix('Usage: ')}", "")
    yield from (html.escape(command.help or "", quote=False), "")
    records = [parameter.get_help_record(context) for parameter in command.get_params(context)]
    yield from ("| argument or option | what |", "|---|---|")
    for names, what in filter(None, records):
        yield f"| `{_cell(names)}` | {html.escape(_cell(what), quote=False)} |"
    yield ""
    for name, below in getattr(command, "commands", {}).items():
        inner = command.context_class(below, info_name=name, parent=context)
        yield from _describe(below, inner, level=min(level + 1, 3))


def _cell(text: str) -> str:
    return " ".join(text.split()).replace("|", "\\|")


def notebook(path: Path) -> tuple[str, dict[str, bytes]]:
    """A notebook as it was run: a page in Markdown, and its pictures by name."""
    parts, pictures = [], dict[str, bytes]()
    for cell in json.loads(path.read_text("utf-8"))["cells"]:
        source = "".join(cell["source"])
        if cell["cell_type"] == "markdown":
            parts.append(source)
            continue
        parts.append(f"```python\n{source}\n```")
        printed = ""
        for output in cell["outputs"]:
            data = output.get("data", {})
            kind = next((kind for kind in ("png", "jpeg") if f"image/{kind}" in data), None)
            if kind is not None:
                name = f"{path.stem}-{len(pictures) + 1}.{kind}"
                pictures[name] = base64.b64decode("".join(data[f"image/{kind}"]))
                parts.append(f"![Output of the cell above]({name})")
            else:
                printed += "".join(output.get("text") or data.get("text/plain", ""))
        if printed:
            parts.append(f"```text\n{_COLOR.sub('', printed).rstrip()}\n```")
    where = f"[Download this page as a notebook]({path.name}) to run it."
    return "\n\n".join([parts[0], where, *parts[1:]]), pictures
