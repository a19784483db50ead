"""Nothing is sent, and nothing is written outside the output and the temporary folder."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import tomlkit

from dermseg.images import write_image, write_mask
from dermseg.recipes import Recipe

Disc = Callable[..., tuple[np.ndarray, np.ndarray]]

TRACE = "trace=connect,sendto,openat,open,creat,mkdir,mkdirat,rename,renameat,renameat2,symlinkat"
# A call that succeeded, its name and its arguments.
CALL = re.compile(r"(\w+)\((.*)\)\s+= (?:\d+)")
WRITES = re.compile(r"O_WRONLY|O_RDWR|O_CREAT")
HARMLESS = re.compile(r"/dev/(null|tty|shm/.*|pts/.*)|/proc/(self|\d+)/.*")


@pytest.fixture(scope="module")
def tracer() -> list[str]:
    """What runs a command in a network namespace of its own, and notes its calls."""
    if sys.platform != "linux" or not (shutil.which("strace") and shutil.which("unshare")):
        pytest.skip("needs strace and unshare")
    prefix = ["unshare", "--map-root-user", "--net", "strace", "-f", "-qq", "-e", TRACE]
    tried = subprocess.run([*prefix, "true"], capture_output=True, text=True, check=False)
    if tried.returncode:
        pytest.skip(f"namespaces or tracing are not allowed here: {tried.stderr.strip()[:200]}")
    return prefix


def outside(log: Path, allowed: list[Path]) -> list[str]:
    """Calls that connect, or write into none of the folders."""
    found = []
    for line in log.read_text("utf-8", "replace").splitlines():
        call = CALL.search(line)
        if "connect(" in line or "sendto(" in line:
            if "AF_UNIX" not in line:
                found.append(line)
        elif call and (call[1] not in ("openat", "open") or WRITES.search(call[2])):
            paths = re.findall(r'"((?:[^"\\]|\\.)*)"', call[2])
            found += [
                line
                for path in paths
                if not any(Path(path).is_relative_to(folder) for folder in allowed)
                and not HARMLESS.fullmatch(path)
            ]
    return found


@pytest.mark.parametrize(
    "command",
    [
        "predict",
        "evaluate",
        pytest.param("train", marks=pytest.mark.slow),
    ],
)
def test_commands_connect_to_nothing_and_write_nowhere_else(
    tracer: list[str],
    tmp_path: Path,
    command: str,
    dark_package: Path,
    disc: Disc,
    make_recipe: Callable[..., Recipe],
) -> None:
    home, temporary, out = (tmp_path / name for name in ("home", "tmp", "out"))
    data = tmp_path / "data"
    for folder in (home, temporary, data / "images", data / "masks"):
        folder.mkdir(parents=True)
    for number in range(12):
        image, mask = disc((48, 64), centre=(20 + number, 24), radius=9)
        write_image(data / "images" / f"{number}.png", image)
        write_mask(data / "masks" / f"{number}.png", mask)
    recipe = tmp_path / "tiny.toml"
    recipe.write_text(tomlkit.dumps(make_recipe("training.epochs=1").to_dict()), "utf-8")
    arguments = {
        "predict": [data / "images", "-o", out, "--model", dark_package],
        "evaluate": ["--truth", data / "masks", "--predictions", data / "masks", "-o", out],
        "train": [recipe, "--data", data, "-o", out, "--workers", "1"],
    }[command]
    log = temporary / "calls.log"
    environment = {
        key: value
        for key, value in os.environ.items()
        if not key.startswith(("XDG_", "MPL", "HF_", "TORCH", "ORT_"))
    }
    environment |= {"HOME": str(home), "TMPDIR": str(temporary), "PYTHONDONTWRITEBYTECODE": "1"}
    entry = [sys.executable, "-m", "dermseg", command]
    result = subprocess.run(
        [*tracer, "-o", str(log), *entry, *map(str, arguments)],
        capture_output=True, text=True, check=False, env=environment, timeout=500,
    )  # fmt: skip
    assert result.returncode == 0, result.stderr[-2000:]
    assert out.is_dir()
    assert outside(log, [out, temporary]) == []
    assert list(home.iterdir()) == []
