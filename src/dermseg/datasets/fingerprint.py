"""A name for the exact files that a model was trained or scored on."""

from __future__ import annotations

import hashlib
from collections import defaultdict
from collections.abc import Callable, Collection, Iterable, Iterator
from functools import cache
from pathlib import Path

from dermseg.datasets.class_masks import LESION
from dermseg.errors import ImageError
from dermseg.types import ClassMask, Sample, SuperpixelFeature

__all__ = ["dataset_fingerprint", "file_hash", "groups_fingerprint", "mask_hashes"]


def dataset_fingerprint(
    samples: Iterable[Sample], *, classes: Collection[str] | None = None
) -> str:
    """Hash the ids and the file contents of samples.

    The order of the samples and the place of their files do not matter; any other image, mask,
    attribute or id does, and so does what is said about the presence of a class without a mask.
    Reads every file once and decodes none.

    Args:
        samples: With their files.
        classes: Only the masks of these classes count, of which one may be ``lesion``; None
            counts all.

    Returns:
        64 hexadecimal digits (SHA-256).

    Raises:
        ImageError: If a file cannot be read.
    """
    total = hashlib.sha256()
    for sample in sorted(samples, key=lambda sample: sample.id):
        mask = sample.mask if classes is None or LESION in classes else None
        contents = [file_hash(path) if path else "" for path in (sample.image, mask)]
        total.update("\0".join((sample.id, *contents, "")).encode(errors="surrogatepass"))
        # Samples without attributes keep the fingerprint that they had before there were any.
        for name, *hashes in _hash_attributes(sample, classes):
            # No id is empty, so the first null tells an attribute from the next sample.
            total.update("\0".join(("", name, *hashes, "")).encode(errors="surrogatepass"))
    return total.hexdigest()


def _hash_attributes(sample: Sample, classes: Collection[str] | None) -> Iterator[tuple[str, ...]]:
    """Name of each attribute and its hashes, or what is said about it; each file is read once."""
    read = cache(file_hash)
    for name in sorted({*sample.attributes, *sample.presence}):
        if classes is not None and name not in classes:
            continue
        if name in sample.attributes:
            yield name, *mask_hashes(sample.attributes[name], read=read)
        elif name != LESION or sample.mask is None:
            yield name, "present" if sample.presence[name] else "absent"


def mask_hashes(mask: ClassMask, *, read: Callable[[Path], str] | None = None) -> tuple[str, ...]:
    """Hash all that the mask of a class depends on.

    Args:
        mask: Where the mask is.
        read: Hashes a file; for callers that hash several masks, of which some share files.

    Raises:
        ImageError: If a file cannot be read.
    """
    read = read or file_hash
    if isinstance(mask, SuperpixelFeature):
        return read(mask.superpixels), read(mask.features), mask.name
    return (read(mask),)


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
