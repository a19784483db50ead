"""One run at a time writes into a folder."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from dermseg.errors import OutputError, UsageError
from dermseg.storage import LOCK, lock_folder

HOLD = """
import sys, time
from pathlib import Path
from dermseg.storage import lock_folder
with lock_folder(Path(sys.argv[1])):
    print("held", flush=True)
    time.sleep(60)
"""


def test_the_second_is_told_who_holds_it_and_a_killed_holder_is_gone(tmp_path: Path) -> None:
    folder = tmp_path / "out"
    with subprocess.Popen([sys.executable, "-c", HOLD, folder], stdout=subprocess.PIPE) as holder:
        assert holder.stdout is not None
        assert holder.stdout.readline() == b"held\n"
        with (
            pytest.raises(UsageError, match=rf"another run \(process {holder.pid} on .*, since 20"),
            lock_folder(folder),
        ):
            pytest.fail("two hold the lock")
        holder.kill()
    assert (folder / LOCK).exists()
    with lock_folder(folder):
        (folder / "mask.png").touch()
    assert [path.name for path in folder.iterdir()] == ["mask.png"]


def test_a_folder_in_which_nothing_was_written_is_not_left_behind(tmp_path: Path) -> None:
    with pytest.raises(KeyError), lock_folder(tmp_path / "new" / "out"):
        raise KeyError
    assert not (tmp_path / "new" / "out").exists()
    with lock_folder(tmp_path):
        pass
    assert tmp_path.is_dir()


def test_what_is_no_folder_is_refused(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with (
        pytest.raises(UsageError, match="file is a file: give a folder"),
        lock_folder(tmp_path / "file"),
    ):
        pass
    with pytest.raises(OutputError, match="cannot be made"), lock_folder(tmp_path / "file" / "a"):
        pass
