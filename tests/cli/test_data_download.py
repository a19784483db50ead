"""``dermseg data download`` as users call it."""

from __future__ import annotations

import functools
import hashlib
import io
import json
import os
import signal
import subprocess
import sys
import threading
import time
import zipfile
from collections.abc import Callable, Iterator
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest

Run = Callable[..., "subprocess.CompletedProcess[str]"]

# The command line with another table, since nobody has small archives with official checksums.
WITH_TABLE = """
import json, sys
from dermseg.cli import main
from dermseg.datasets import archives

facts = json.loads(sys.argv.pop(1))
table = tuple(archives.Archive(**one) for one in facts)
archives.DOWNLOADS["isic2016"] = archives.Download("isic2016", "http://127.0.0.1:1", table)
main()
"""


class Slow(SimpleHTTPRequestHandler):
    """Sends what it has a byte at a time, if the file is called slow."""

    def copyfile(self, source: Any, outputfile: Any) -> None:
        for byte in iter(functools.partial(source.read, 64), b""):
            outputfile.write(byte)
            if "slow" in Path(self.translate_path(self.path)).parts:
                time.sleep(0.01)

    def log_message(self, format: str, *arguments: object) -> None:
        pass


@pytest.fixture
def mirror(tmp_path: Path) -> Iterator[tuple[Path, str]]:
    """A folder, and the address at which it is served."""
    folder = tmp_path / "mirror"
    (folder / "slow").mkdir(parents=True)
    handler = functools.partial(Slow, directory=str(folder))
    server = ThreadingHTTPServer(("127.0.0.1", 0), handler)
    server.daemon_threads = True
    server.handle_error = lambda *_: None  # type: ignore[method-assign] # clients are killed here
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
    thread.start()
    yield folder, f"http://127.0.0.1:{server.server_address[1]}"
    server.shutdown()
    thread.join()
    server.server_close()


def publish(folder: Path) -> list[dict[str, object]]:
    """Write the archives of one part and tell their table."""
    facts: list[dict[str, object]] = []
    for target, holds, ending in (
        ("ISBI2016_ISIC_Part1_Test_Data", "images", ".jpg"),
        ("ISBI2016_ISIC_Part1_Test_GroundTruth", "masks", "_Segmentation.png"),
    ):
        buffer = io.BytesIO()
        with zipfile.ZipFile(buffer, "w") as file:
            for number in (3, 10):
                file.writestr(f"{target}/ISIC_{number:07}{ending}", b"content" * 50)
        content = buffer.getvalue()
        (folder / f"{target}.zip").write_bytes(content)
        (folder / "slow" / f"{target}.zip").write_bytes(content * 50)
        digest = f"sha256:{hashlib.sha256(content).hexdigest()}"
        facts.append(
            {
                **{"name": f"{target}.zip", "target": target, "holds": holds},
                **{"digest": digest, "part": "test"},
            }
        )
    return facts


def call(facts: object, *arguments: object) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-c", WITH_TABLE, json.dumps(facts), "data", "download"]
    done = subprocess.run(
        [*command, *map(str, arguments)], capture_output=True, text=True, check=False
    )
    assert "Traceback" not in done.stderr, done.stderr
    return done


def test_a_download_names_the_licence_first_and_the_counts_last(
    mirror: tuple[Path, str], tmp_path: Path
) -> None:
    facts, out = publish(mirror[0]), tmp_path / "data"
    arguments = ("isic2016", "-o", out, "--part", "test", "--url", mirror[1])
    result = call(facts, *arguments)
    assert result.returncode == 0, result.stderr
    lines = result.stderr.splitlines()
    assert "licence CC0-1.0, see https://challenge.isic-archive.com" in lines[0]
    # Bars are for terminals.
    assert lines[1:] == [
        "ISBI2016_ISIC_Part1_Test_Data.zip: downloading",
        "ISBI2016_ISIC_Part1_Test_Data.zip: unpacking",
        "ISBI2016_ISIC_Part1_Test_GroundTruth.zip: downloading",
        "ISBI2016_ISIC_Part1_Test_GroundTruth.zip: unpacking",
        "warning: test: 2 images, its makers say 379",
    ]
    counts = f"in {out}: 2 images, 2 with a mask, test 2; 0 files without a partner\n"
    assert result.stdout == f"isic2016 downloaded {counts}"

    result = call(facts, *arguments)
    assert result.stdout == f"isic2016 is complete {counts}"
    result = call(facts, *arguments, "--json")
    report = json.loads(result.stdout)
    assert (report["is_new"], report["num_images"], report["parts"]) == (False, 2, {"test": 2})
    assert set(report["archives"]) == {fact["name"] for fact in facts}


def test_an_archive_that_is_not_the_official_one_is_refused(
    dermseg: Run, mirror: tuple[Path, str], tmp_path: Path
) -> None:
    publish(mirror[0])
    out = tmp_path / "data"
    result = dermseg(
        "data", "download", "isic2016", "-o", out, "--part", "test", "--url", mirror[1]
    )
    assert result.returncode == 3
    assert "expected md5:efebcaeaae751007401a40a60d391f93, twice" in result.stderr.splitlines()[-1]
    assert not list(out.rglob("*.part"))


@pytest.mark.parametrize(
    ("arguments", "code", "message"),
    [
        (["ph2"], 2, "Ask for it at https://www.fc.up.pt/addi/ph2%20database.html"),
        (["isic2015"], 2, "unknown dataset 'isic2015'"),
        (["isic2016", "--part", "validation"], 2, "its parts: train, test"),
        (["isic2016", "--url", "example.org"], 2, "begins with https://"),
    ],
)
def test_wrong_calls_are_refused_and_make_nothing(
    dermseg: Run, tmp_path: Path, arguments: list[str], code: int, message: str
) -> None:
    result = dermseg("data", "download", *arguments, "-o", tmp_path / "data")
    assert result.returncode == code
    assert message in result.stderr
    assert not (tmp_path / "data").exists()


def test_an_archive_that_a_mirror_lacks_is_named(
    dermseg: Run, mirror: tuple[Path, str], tmp_path: Path
) -> None:
    result = dermseg("data", "download", "ham10000", "-o", tmp_path / "data", "--url", mirror[1])
    assert result.returncode == 3
    line = result.stderr.splitlines()[-1]
    assert f"{mirror[1]}/HAM10000_images_part_1.zip: the server answers 404" in line
    assert "CC-BY-NC-4.0" in result.stderr.splitlines()[0]


@pytest.mark.skipif(sys.platform == "win32", reason="sends SIGINT")
def test_interrupted_it_leaves_with_130_and_keeps_what_has_come(
    command: str, mirror: tuple[Path, str], tmp_path: Path
) -> None:
    publish(mirror[0])
    out = tmp_path / "data"
    call = ["data", "download", "isic2016", "-o", str(out), "--part", "test"]
    process = subprocess.Popen(
        [command, *call, "--url", f"{mirror[1]}/slow"], stderr=subprocess.PIPE, text=True
    )
    part = out / "archives" / "ISBI2016_ISIC_Part1_Test_Data.zip.part"
    deadline = time.monotonic() + 60
    while not (part.exists() and part.stat().st_size) and time.monotonic() < deadline:
        time.sleep(0.02)
    os.kill(process.pid, signal.SIGINT)
    _, errors = process.communicate(timeout=30)
    assert process.returncode == 130
    assert "run the same command again to continue" in errors
    assert "Traceback" not in errors
    assert part.stat().st_size > 0


def test_without_the_extra_it_is_named(tmp_path: Path) -> None:
    code = "import sys; sys.modules['requests'] = None; from dermseg.cli import main; main()"
    arguments = ["data", "download", "isic2016", "-o", str(tmp_path / "data")]
    result = subprocess.run(
        [sys.executable, "-c", code, *arguments], capture_output=True, text=True, check=False
    )
    assert result.returncode == 2
    assert result.stderr == (
        "dermseg: downloading needs the extra 'train': pip install 'dermseg[train]'\n"
    )
