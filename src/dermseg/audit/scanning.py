"""Reading the audited images once, on several cores."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

from dermseg.errors import ImageError
from dermseg.images import read_image
from dermseg.preprocessing import Fingerprint, create_fingerprint

__all__ = ["Scan", "scan_image"]

Given = TypeVar("Given")
Result = TypeVar("Result")


@dataclass(frozen=True)
class Scan:
    """The features kept of one file.

    Attributes:
        bytes_hash: SHA-256 of the file.
        pixels_hash: SHA-256 of the decoded pixels and their size.
        fingerprint: What to find other versions of it by.
    """

    bytes_hash: bytes
    pixels_hash: bytes
    fingerprint: Fingerprint


def scan_image(path: Path) -> Scan | ImageError:
    """Read one image; the error is returned, not raised, so that the others can go on."""
    try:
        image = read_image(path)
        with path.open("rb") as file:
            bytes_hash = hashlib.file_digest(file, "sha256").digest()
    except ImageError as error:
        return error
    except OSError as error:
        return ImageError(str(path), error.strerror or str(error))
    pixels_hash = hashlib.sha256(str(image.shape).encode() + image.tobytes()).digest()
    return Scan(bytes_hash, pixels_hash, create_fingerprint(image))
