"""Five hundred damaged files; ``python tests/fuzzing/fuzz.py`` makes ten thousand."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest


@pytest.mark.slow
@pytest.mark.skipif(sys.platform != "linux", reason="limits memory as Linux does")
def test_damaged_files_are_read_or_refused(dark_package: Path) -> None:
    script = Path(__file__).with_name("fuzz.py")
    result = subprocess.run(
        [sys.executable, script, "--mutations", "500", "--package", dark_package],
        capture_output=True, text=True, check=False, timeout=600,
    )  # fmt: skip
    assert result.returncode == 0, result.stdout[-3000:] + result.stderr[-3000:]
