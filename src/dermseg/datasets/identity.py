"""Numbers that an archive gives once, so that they mean one image wherever it was copied to."""

from __future__ import annotations

import re
import unicodedata

__all__ = ["archive_id", "normal_id"]

# The ISIC archive and PH2. What follows the number says what was done to the image.
_NUMBER = re.compile(r"(ISIC_[0-9]{7}|IMD[0-9]{3})(?![0-9A-Z])", re.IGNORECASE)


def normal_id(id: str) -> str:
    r"""Return an id with each letter and its accents as one character.

    macOS stores the names of files with accents apart, other systems as they were typed.

    Example:
        >>> normal_id("Mu\u0308ller") == "M\u00fcller"
        True
    """
    return unicodedata.normalize("NFC", id)


def archive_id(id: str) -> str | None:
    """Return the archive's number of an image, or None where its name holds none.

    The letter case, and what is appended to the number, make no other image.

    Args:
        id: A sample's id, or a file name without its suffix.

    Example:
        >>> archive_id("isic_0012345_downsampled")
        'ISIC_0012345'
        >>> archive_id("IMD003")
        'IMD003'
        >>> archive_id("image_001") is None
        True
    """
    found = _NUMBER.match(id)
    return found[1].upper() if found else None
