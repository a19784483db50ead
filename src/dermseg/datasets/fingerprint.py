"""A name for the exact files that a model was trained or scored on."""

from __future__ import annotations

import hashlib
from collections import defaultdict
from collections.abc import Iterable, Iterator
from functools import cache
from pathlib import Path

from dermseg.errors import ImageError
from dermseg.types import Sample, SuperpixelFeature

__all__ = ["dataset_fingerprint", "file_hash", "groups_fingerprint"]


def dataset_fingerprint(samples: Iterable[Sample]) -> str:
    """Hash the ids and the file contents of samples.

    The order of the samples and the place of their files do not matter; any other image, mask,
    attribute or id does. Reads every file once and decodes none.

    Returns:
        64 hexadecimal digits (SHA-256).

    Raises:
        ImageError: If a file cannot be read.
    """
    total = hashlib.sha256()
    for sample in sorted(samples, key=lambda sample: sample.id):
        contents = [file_hash(path) if path else "" for path in (sample.image, sample.mask)]
        total.update("\0".join((sample.id, *contents, "")).encode(errors="surrogatepass"))
        # Samples without attributes keep the fingerprint that they had before there were any.
        for name, *hashes in _hash_attributes(sample):
            # No id is empty, so the first null tells an attribute from the next sample.
            total.update("\0".join(("", name, *hashes, "")).encode(errors="surrogatepass"))
    return total.hexdigest()


def _hash_attributes(sample: Sample) -> Iterator[tuple[str, ...]]:
    """Name and hashes of each attribute, by name; each file is read once."""
    read = cache(file_hash)
    for name, mask in sorted(sample.attributes.items(), key=lambda item: item[0]):
        if isinstance(mask, SuperpixelFeature):
            yield name, read(mask.superpixels), read(mask.features), mask.name
        else:
            yield name, read(mask)


def groups_fingerprint(samples: Iterable[Sample]) -> str | None:
    """Hash which samples belong together; None where every sample is a group of its own.

    Only the division counts, not how the groups are called.

    Returns:
        64 hexadecimal digits (SHA-256), or None.
    """
    groups: dict[str, list[str]] = defaultdict(list)
    for sample in samples:
        groups[sample.group].append(sample.id)
    if all(len(ids) == 1 for ids in groups.values()):
        return None
    total = hashlib.sha256()
    for ids in sorted(sorted(ids) for ids in groups.values()):
        total.update("\0".join((*ids, "\n")).encode(errors="surrogatepass"))
    return total.hexdigest()


def file_hash(path: Path) -> str:
    """Hash the content of a file.

    Returns:
        64 hexadecimal digits (SHA-256).

    Raises:
        ImageError: If it cannot be read.
    """
    try:
        with path.open("rb") as file:
            return hashlib.file_digest(file, "sha256").hexdigest()
    except OSError as error:
        raise ImageError(str(path), error.strerror or str(error)) from error
