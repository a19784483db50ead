"""Dividing ids over parts at random, group by group."""

from __future__ import annotations

import hashlib
import math
from collections import defaultdict
from collections.abc import Mapping

from dermseg.errors import DatasetError

__all__ = ["apportion"]


def apportion(
    groups: Mapping[str, str], fractions: Mapping[str, float], *, seed: int
) -> dict[str, tuple[str, ...]]:
    """Divide ids over parts, keeping every group in one part.

    Groups are dealt out from the largest to the smallest, in random order among those of the
    same size, each to the part that is furthest below its share of what has been dealt. So each
    part gets its share of large and of small groups, and the small ones even out what the large
    ones left.

    Args:
        groups: The group of each id.
        fractions: The share of ids that each part should get.
        seed: The order comes from a hash of the seed and the group's name, so it depends on
            nothing else: not on the machine, the library version or the order of ``groups``.

    Returns:
        The ids of each part, sorted. No part is empty.

    Raises:
        DatasetError: If the fractions are not positive numbers that sum to 1, or there are fewer
            groups than parts.
    """
    _check_fractions(fractions)
    members: dict[str, list[str]] = defaultdict(list)
    for id, group in groups.items():
        members[group].append(id)
    if len(members) < len(fractions):
        raise DatasetError(
            f"{len(groups)} images in {len(members)} groups cannot fill {len(fractions)} parts "
            f"({', '.join(fractions)}); each part needs at least one group"
        )

    order = sorted(members, key=lambda group: (-len(members[group]), _draw(seed, group)))
    parts: dict[str, list[str]] = {part: [] for part in fractions}
    num_dealt = 0
    for position, group in enumerate(order):
        num_dealt += len(members[group])
        empty = [part for part in parts if not parts[part]]
        # The last groups are kept for parts that would otherwise stay empty.
        candidates = empty if len(empty) == len(order) - position else parts
        short = {part: fractions[part] * num_dealt - len(parts[part]) for part in candidates}
        parts[max(short, key=short.__getitem__)] += members[group]
    return {part: tuple(sorted(ids)) for part, ids in parts.items()}


def _draw(seed: int, group: str) -> bytes:
    return hashlib.sha256(f"{seed}:{group}".encode(errors="surrogatepass")).digest()


def _check_fractions(fractions: Mapping[str, float]) -> None:
    if any(not value > 0 for value in fractions.values()) or not math.isclose(
        sum(fractions.values()), 1, abs_tol=1e-6
    ):
        received = ", ".join(f"{part} {value}" for part, value in fractions.items())
        raise DatasetError(
            f"the parts' fractions must be above 0 and sum to 1; received {received or 'none'}"
        )
