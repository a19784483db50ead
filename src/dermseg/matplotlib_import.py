"""Keep the cache of matplotlib out of the user's home, unless it is there already.

matplotlib writes a list of fonts into the home folder when it is first imported, which Lightning
does. Imported before it, this module gives it a temporary folder that goes with the process.
"""

import atexit
import os
import shutil
import sys
import tempfile
from pathlib import Path


def _has_folder() -> bool:
    """Whether the user has settings or a cache of matplotlib, which then stay in use."""
    home = Path.home()
    config = Path(os.environ.get("XDG_CONFIG_HOME") or home / ".config")
    return (
        any((folder / "matplotlib").is_dir() for folder in (config, home / ".cache"))
        or (home / ".matplotlib").is_dir()
    )


if not ("matplotlib" in sys.modules or "MPLCONFIGDIR" in os.environ or _has_folder()):
    _folder = tempfile.mkdtemp(prefix="dermseg-matplotlib-")
    os.environ["MPLCONFIGDIR"] = _folder
    atexit.register(shutil.rmtree, _folder, ignore_errors=True)
