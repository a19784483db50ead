"""What the machine around a run has a say in: launchers, limits, interruptions, cut files."""

from __future__ import annotations

import errno
import logging
import os
import re
import signal
import tempfile
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

import torch
from lightning.pytorch.utilities import rank_zero_only
from torch.multiprocessing.spawn import ProcessExitedException, ProcessRaisedException

from dermseg.errors import DermsegError, OutputError, RecipeError, RunError, UsageError

__all__ = ["as_only_process", "check_checkpoint", "plain_errors"]

_logger = logging.getLogger(__name__)

# What srun, sbatch, torchrun, mpirun and jsrun set for the processes that they start.
_LAUNCHER: Final = re.compile(
    r"(SLURM|OMPI|PMI|PMIX|MPI|MV2|HYDRA|JSM|LSB|TORCHELASTIC|FLUX)_.*|NODE_RANK|MASTER_(ADDR|PORT)"
    r"|(LOCAL_|GROUP_|ROLE_)?(RANK|WORLD_SIZE)"
)
_KEYS: Final = frozenset({"epoch", "global_step", "state_dict", "optimizer_states", "callbacks"})
_OUT_OF_MEMORY: Final = (
    "out of memory: lower training.batch_size (training.accumulate_batches keeps the step's size), "
    "or preprocessing.size, or use fewer --workers"
)
# torch reports these in words only, and those of its workers as a traceback in a text.
_IN_WORDS: Final[tuple[tuple[tuple[str, ...], type[DermsegError], str], ...]] = (
    (
        ("more than 1 value per channel",),
        RecipeError,
        "training.batch_size: the network's batch norm cannot learn from a single image: use 2 or "
        "more for each process, and give as many images",
    ),
    (("not enough memory", "can't allocate memory"), RunError, _OUT_OF_MEMORY),
    (
        ("Bus error", "shared memory", "</torch_"),
        RunError,
        "out of shared memory, by which the processes that read images hand them over: use "
        "--workers 0, or give /dev/shm more room (docker run --shm-size=2g)",
    ),
)
# Bytes of a path that leave room for the name of a socket in it, pymp-xxxxxxxx/listener-xxxxxxxx.
_LONGEST_FOLDER: Final = 107 - 32
_NO_ROOM: Final = frozenset({errno.ENOSPC, errno.EDQUOT, errno.EFBIG})


@contextmanager
def as_only_process() -> Iterator[None]:
    """Hide what a cluster's launcher says of this process.

    A run starts its own processes, on one machine. Lightning would take the variables of srun,
    torchrun or mpirun for an order to wait for others, or not to write anything.
    """
    hidden = {key: os.environ.pop(key) for key in list(os.environ) if _LAUNCHER.fullmatch(key)}
    rank_zero_only.rank = 0  # type: ignore[attr-defined]  # as it was read from the environment when Lightning was imported
    try:
        yield
    finally:
        os.environ.update(hidden)


def possible_workers(num_workers: int) -> int:
    """The number of processes that can read images: none where their sockets cannot have names.

    They hand images over through sockets in the temporary folder, whose paths have at most 107
    bytes on Linux; a training would wait for ever for an image that cannot be handed over.
    """
    folder = tempfile.gettempdir()
    if not num_workers or len(os.fsencode(folder)) <= _LONGEST_FOLDER:
        return num_workers
    _logger.warning(
        "the path of the temporary folder is too long for processes that read images, so this one "
        "reads them: set TMPDIR to a shorter path than %s",
        folder,
    )
    return 0


def check_checkpoint(path: Path) -> None:
    """Refuse a checkpoint that is cut off, damaged or something else.

    Raises:
        UsageError: If it cannot be continued from.
    """
    try:
        with zipfile.ZipFile(path) as archive:
            damaged = archive.testzip()
        found = {} if damaged else torch.load(path, map_location="cpu", weights_only=True)
        missing = _KEYS - set(found)
    except Exception as error:  # noqa: BLE001 -- a damaged file makes torch fail in any way
        missing, reason = frozenset({""}), str(error).strip().partition("\n")[0]
    else:
        reason = f"there is no {', '.join(sorted(missing))} in it"
    if missing:
        message = (
            f"{path}: damaged, or no checkpoint ({reason}): put a whole copy in its place, "
            "or choose a new folder and begin again"
        )
        raise UsageError(message)


@contextmanager
def plain_errors(run: Path) -> Iterator[None]:
    """Turn the machine's limits, and what other processes raise, into errors that say what to do.

    Args:
        run: The run folder.
    """
    handler = signal.getsignal(signal.SIGINT)
    try:
        yield
    except SystemExit as error:
        # Lightning ends the whole program when it is interrupted, and ignores further Ctrl-C;
        # that is not its to decide.
        signal.signal(signal.SIGINT, handler)
        raise _interrupted() from error
    except (MemoryError, torch.OutOfMemoryError) as error:
        raise RunError(_OUT_OF_MEMORY) from error
    except OSError as error:
        if error.errno not in _NO_ROOM:
            raise
        message = f"{run}: {error.strerror}: free some space, then continue with --resume"
        raise OutputError(message) from error
    except DermsegError as error:
        if "Original Traceback" not in error.args[0]:
            raise
        # As another process raised it: its text is a traceback, which ends with the message.
        raise RunError(_last_line(error.args[0])) from error
    except (RuntimeError, ProcessRaisedException, ProcessExitedException, ValueError) as error:
        raise _translated(error, run) from error


def _translated(error: Exception, run: Path) -> BaseException:
    """The error, in plain words where it is known."""
    text = str(error)
    for words, kind, message in _IN_WORDS:
        if any(word in text for word in words):
            return kind(message)
    if "PytorchStreamWriter failed" in text:
        return OutputError(f"{run}: a checkpoint could not be written; is the disk full? {text}")
    if "signal: Terminated" in text or "signal SIGTERM" in text:
        return _interrupted()
    if "Traceback (most recent call last)" in text:
        return RunError(f"{run}: {_last_line(text)}; continue with --resume when that is mended")
    return error


def _interrupted() -> KeyboardInterrupt:
    _logger.warning("interrupted: continue after the last whole epoch with --resume")
    return KeyboardInterrupt()


def _last_line(text: str) -> str:
    """The message at the end of a traceback."""
    line = text.strip().rpartition("\n")[2]
    return re.sub(r"^[\w.]+(Error|Exception): ", "", line)
