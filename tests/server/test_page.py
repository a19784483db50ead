"""The page's scripts, by the tools of their own language."""

from __future__ import annotations

import re
import shutil
import subprocess
from pathlib import Path

import pytest

from dermseg.server.static import read_page

HERE = Path(__file__).parent / "page"
PAGE = Path(__file__).parents[2] / "src" / "dermseg" / "server" / "page"
TSC = Path(__file__).parents[2] / "build" / "node" / "node_modules" / ".bin" / "tsc"


def test_the_editor_does_what_its_own_tests_say() -> None:
    node = shutil.which("node")
    if node is None:
        pytest.skip("needs node, to run the page's own tests")
    files = sorted(map(str, HERE.glob("*.test.mjs")))
    done = subprocess.run([node, "--test", *files], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout


@pytest.mark.slow
def test_the_types_in_comments_are_right() -> None:
    compiler = str(TSC) if TSC.is_file() else shutil.which("tsc")
    if compiler is None:
        pytest.skip("needs TypeScript: npm install --prefix build/node typescript")
    command = [compiler, "-p", str(HERE / "tsconfig.json")]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout


def test_all_files_are_served_and_nothing_else_is_named() -> None:
    files = read_page()
    assert set(files) == {path.name for path in PAGE.iterdir()}
    named = set()
    for path in PAGE.glob("*.*"):
        text = path.read_text("utf-8")
        named |= set(re.findall(r'(?:from|import\()\s*"\./([\w.]+)"', text))
        named |= set(re.findall(r'(?:src|href)="/page/([\w.]+)"', text))
        assert not re.findall(r"https?://(?!www\.w3\.org)", text)
        assert not re.search(r"innerHTML|insertAdjacentHTML|document\.write|\beval\(", text)
    assert named == set(files) - {"index.html", "login.html"}
