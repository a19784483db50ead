"""A download that is killed, again and again, ends as one that was not."""

from __future__ import annotations

import json
import os
import random
import shutil
import signal
import subprocess
import sys
import time
from dataclasses import asdict
from pathlib import Path

import pytest

from dermseg.datasets.archives import Download
from dermseg.datasets.download import download_dataset

from .conftest import Publish, Site

CLIENT = """
import json, sys
from pathlib import Path
from dermseg.datasets.archives import Archive, Download
from dermseg.datasets.download import download_dataset

facts = json.loads(sys.argv[1])
archives = tuple(Archive(**archive) for archive in facts.pop("archives"))
print("begins", flush=True)
download_dataset(Download(**facts, archives=archives), Path(sys.argv[2]))
print("done")
"""


def start(download: Download, folder: Path) -> subprocess.Popen[str]:
    command = [sys.executable, "-c", CLIENT, json.dumps(asdict(download)), str(folder)]
    return subprocess.Popen(command, stdout=subprocess.PIPE, text=True)


def finish(process: subprocess.Popen[str]) -> bool:
    """Wait for the process, and tell whether it came to its end."""
    output, _ = process.communicate(timeout=120)
    return process.returncode == 0 and output.endswith("done\n")


def tree(root: Path) -> dict[str, bytes]:
    return {
        path.relative_to(root).as_posix(): path.read_bytes()
        for path in sorted(root.rglob("*"))
        if path.is_file()
    }


def assert_what_is_in_place_is_whole(folder: Path, sound: dict[str, bytes]) -> None:
    here = {
        name: content
        for name, content in tree(folder).items()
        if name.split("/")[0] not in {".unpacking", "archives", "download.json"}
        and not name.startswith(".dermseg-")
    }
    for target in {name.split("/")[0] for name in here}:
        expected = {name: sound[name] for name in sound if name.split("/")[0] == target}
        assert {name: here[name] for name in here if name.split("/")[0] == target} == expected


@pytest.mark.slow
def test_killed_at_ten_points_of_the_download_it_gives_the_same_bytes(
    site: Site, publish: Publish, tmp_path: Path
) -> None:
    download = publish("isic2016", num=10, size=40_000)
    download_dataset(download, tmp_path / "sound")
    sound = tree(tmp_path / "sound")
    num_bytes = site.num_served
    points = sorted(random.Random(1).sample(range(20_000, int(num_bytes * 0.95)), 10))  # noqa: S311
    site.bytes_per_s, site.num_served = 2e6, 0
    processes: list[subprocess.Popen[str]] = []
    killed: list[subprocess.Popen[str]] = []

    def kill(num_served: int) -> None:
        # What is still on its way to one that is dead must not count for the next.
        if points and num_served >= points[0] and processes[-1] not in killed:
            points.pop(0)
            killed.append(processes[-1])
            processes[-1].kill()

    site.on_served = kill
    folder = tmp_path / "killed"
    while True:
        processes.append(start(download, folder))
        if finish(processes[-1]):
            break
        assert processes[-1].returncode == -signal.SIGKILL
        assert_what_is_in_place_is_whole(folder, sound)
    assert len(killed) == 10
    assert tree(folder) == sound
    # It continued: what was lost is little against starting over ten times.
    assert site.num_served < 2 * num_bytes


@pytest.mark.slow
def test_killed_while_unpacking_it_unpacks_again(
    site: Site, publish: Publish, tmp_path: Path
) -> None:
    download = publish("isic2016", num=400, size=500)
    download_dataset(download, tmp_path / "sound", keep_archives=True)
    archives = shutil.move(tmp_path / "sound" / "archives", tmp_path / "archives")
    sound = tree(tmp_path / "sound")
    folder = tmp_path / "killed"
    folder.mkdir()
    shutil.copytree(archives, folder / "archives")
    site.files.clear()  # everything that is needed is there
    generator = random.Random(2)  # noqa: S311 -- the same moments each time
    num_killed = 0
    for _ in range(10):
        process = start(download, folder)
        assert process.stdout is not None
        assert process.stdout.readline() == "begins\n"
        time.sleep(generator.uniform(0.01, 0.15))
        if process.poll() is None:
            os.kill(process.pid, signal.SIGKILL)
        num_killed += not finish(process)
        assert_what_is_in_place_is_whole(folder, sound)
    assert finish(start(download, folder))
    assert num_killed >= 3
    assert tree(folder) == sound
