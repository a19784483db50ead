"""An audit as files: a table of the pairs, a summary, groups for splits."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from dermseg.audit.auditing import Audit
from dermseg.audit.pairs import KINDS
from dermseg.csv_text import encode_csv
from dermseg.storage import make_folder, write_bytes_atomically

__all__ = ["summarise", "write_groups", "write_report"]

_COLUMNS = (
    "id",
    "id2",
    "kind",
    "leak",
    "folder",
    "part",
    "folder2",
    "part2",
    "evidence",
    "score",
    "transform",
    "file",
    "file2",
)


def summarise(audit: Audit) -> dict[str, Any]:
    """Return the figures of an audit as plain values, ready for JSON.

    Returns:
        ``num_images``; ``places``, a list of ``folder``, ``part`` and ``num_images``; ``kinds``,
        the number of pairs of each kind; ``leaks``, the same for each two places that share
        something; ``num_leaks``; ``failures``, each ``file`` and ``error``.
    """
    places = Counter(item.place for item in audit.items)
    across: dict[tuple[Any, Any], Counter[str]] = {}
    for pair in audit.leaks:
        first, second = sorted(audit.items[index].place for index in (pair.first, pair.second))
        across.setdefault((first, second), Counter())[pair.kind] += 1
    return {
        "num_images": len(audit.items),
        "places": [
            {"folder": place.folder, "part": place.part, "num_images": num}
            for place, num in sorted(places.items())
        ],
        "kinds": _by_kind(Counter(pair.kind for pair in audit.pairs)),
        "num_leaks": len(audit.leaks),
        "leaks": [
            {"places": [str(first), str(second)], "num": counts.total(), "kinds": _by_kind(counts)}
            for (first, second), counts in sorted(across.items())
        ],
        "failures": [
            {"file": failure.source, "error": failure.reason} for failure in audit.failures
        ],
    }


def write_report(folder: Path, audit: Audit) -> None:
    """Write ``pairs.csv`` and ``audit.json``; the folder is made if it is missing.

    Leaks come first in the table, and of these the strongest findings, pairs of two ids before
    pairs of one.

    Raises:
        OutputError: If the folder or a file cannot be written.
    """
    make_folder(folder)
    write_bytes_atomically(folder / "pairs.csv", _encode(_COLUMNS, _rows(audit)))
    text = json.dumps(summarise(audit), indent=1, allow_nan=False)
    write_bytes_atomically(folder / "audit.json", f"{text}\n".encode())


def write_groups(path: Path, audit: Audit) -> None:
    """Write a table that puts all ids which show the same, however indirectly, into one group.

    It has the columns ``id`` and ``group`` and a row for every image, so that a split which
    keeps groups together leaks nothing that was found. A group is named by its first id. Equal
    ids of two datasets share a row.

    Raises:
        OutputError: If the file cannot be written.
    """
    leader: dict[str, str] = {item.id: item.id for item in audit.items}

    def find(id: str) -> str:
        while leader[id] != id:
            leader[id] = leader[leader[id]]
            id = leader[id]
        return id

    def join(one: str, other: str) -> None:
        first, second = sorted((find(one), find(other)))
        leader[second] = first

    named: dict[tuple[str, str], str] = {}
    for item in audit.items:
        if item.group is not None:
            join(item.id, named.setdefault(item.group, item.id))
    for pair in audit.pairs:
        join(audit.items[pair.first].id, audit.items[pair.second].id)
    write_bytes_atomically(
        path, _encode(("id", "group"), ((id, find(id)) for id in sorted(leader)))
    )


def _by_kind(counts: Counter[str]) -> dict[str, int]:
    return {kind: counts[kind] for kind in KINDS}


def _rows(audit: Audit) -> Iterable[tuple[object, ...]]:
    items = audit.items
    order = sorted(
        audit.pairs,
        key=lambda pair: (
            not pair.is_leak(items),
            KINDS.index(pair.kind),
            "id" in pair.evidence,
            -(pair.alignment.similarity if pair.alignment else 1),
        ),
    )
    for pair in order:
        first, second = items[pair.first], items[pair.second]
        score = "" if pair.alignment is None else f"{pair.alignment.similarity:.3f}"
        yield (
            first.id,
            second.id,
            pair.kind,
            "yes" if pair.is_leak(items) else "no",
            first.place.folder,
            first.place.part,
            second.place.folder,
            second.place.part,
            "+".join(sorted(pair.evidence)),
            score,
            pair.transform(),
            first.path,
            second.path,
        )


def _encode(columns: Iterable[str], rows: Iterable[Iterable[object]]) -> bytes:
    # File names may hold bytes that are no text, and so may ids.
    return encode_csv(columns, rows, errors="backslashreplace")
